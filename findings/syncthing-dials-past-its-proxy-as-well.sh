#!/usr/bin/env bash
# Syncthing 1.19.2 with all_proxy= set connects to the other device through the proxy and directly, both at once.
#
# Guess: a program that honours all_proxy connects through it, and fails where the proxy refuses.
# Seen: for each device it opens two connections: one asks the proxy, the other one goes to the device's address, and
# looks its name up here. So a proxy that is there to hide this machine hides nothing, whatever it answers.
# ALL_PROXY_NO_FALLBACK=1 beside it is the switch: with it only the proxy is asked.
# Output:
#   all_proxy ['direct', 'proxy localhost by name']
#   no_fallback ['proxy localhost by name']
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "syncthing=1.19.2~ds1-1+b4")
dpkg -x "$dir"/syncthing_*.deb "$dir/unpacked"

python3 - "$dir" <<'PY'
import os, re, socketserver, subprocess, sys, threading, time

dir = sys.argv[1]
program = f"{dir}/unpacked/usr/bin/syncthing"
seen = []

class Proxy(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        head = self.rfile.read(4)
        if len(head) == 4 and head[3] == 3:
            seen.append(f"proxy {self.rfile.read(self.rfile.read(1)[0]).decode()} by name")
        elif len(head) == 4:
            seen.append(f"proxy ATYP {head[3]}")
        self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))

class Device(socketserver.StreamRequestHandler):
    def handle(self):
        seen.append("direct")

ports = []
for handler in (Proxy, Device):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports.append(server.server_address[1])
proxy, device = ports
environment = {"PATH": os.environ["PATH"], "HOME": dir, "STNORESTART": "1", "STNOUPGRADE": "1"}

def generate(home):
    subprocess.run([program, "generate", "--home", home], check=True, capture_output=True, env=environment)
    config = open(f"{home}/config.xml").read()
    return config, re.search(r'<device id="([A-Z0-9-]+)"', config).group(1)

def run(name, more, expected):
    home = f"{dir}/{name}"
    config, own = generate(home)
    _, other = generate(f"{home}-other")
    # Nothing but the one device: no discovery, no relays, no reports, no listener beyond loopback.
    for key in ("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled", "startBrowser",
                "crashReportingEnabled"):
        config = re.sub(f"<{key}>true<", f"<{key}>false<", config)
    config = config.replace("<listenAddress>default<", "<listenAddress>tcp://127.0.0.1:0<")
    config = config.replace("<stunServer>default<", "<stunServer><").replace("<urAccepted>0<", "<urAccepted>-1<")
    config = config.replace('<gui enabled="true"', '<gui enabled="false"')
    config = re.sub(r"(?s)<folder .*?</folder>", "", config, count=1)
    added = f'<device id="{other}" name="other"><address>tcp://localhost:{device}</address></device>'
    config = config.replace("<gui ", f"{added}<gui ", 1)
    open(f"{home}/config.xml", "w").write(config)
    seen.clear()
    child = subprocess.Popen(
        [program, "serve", "--home", home, "--no-browser", "--no-restart"], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=environment | {"all_proxy": f"socks5://127.0.0.1:{proxy}"} | more,
    )
    end = time.time() + 60
    while time.time() < end and not any(one.startswith("proxy") for one in seen):
        time.sleep(0.1)
    time.sleep(3)  # for what must not come
    child.terminate()
    log = child.communicate(timeout=30)[0]
    print(name, sorted(set(seen)))
    assert sorted(set(seen)) == expected, log

run("all_proxy", {}, ["direct", "proxy localhost by name"])
run("no_fallback", {"ALL_PROXY_NO_FALLBACK": "1"}, ["proxy localhost by name"])
PY
