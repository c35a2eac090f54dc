#!/usr/bin/env bash
# torsocks 2.4.0 sends a name of .onion with CONNECT, and never one of .i2p; addresses go out as names.
#
# Guess: it sends every name to the proxy with CONNECT, so it works with any SOCKS5 proxy that knows the name.
# Seen: only .onion gets a place-holder address here and is sent by name. Everything else, .i2p too, is first asked for
# with Tor's own command F0, RESOLVE, with port 42; what comes back is then asked for with CONNECT, as a name (ATYP 3)
# that is an address in digits. With a proxy that does not know F0 the application hears that the host does not exist. A
# proxy that wants to serve torsocks needs F0, answers with an address of its own, and knows it again as a name.
# Output:
#   site.onion: CONNECT ATYP 3 site.onion:80
#   site.i2p, proxy answers F0 with 10.9.8.7: RESOLVE ATYP 3 site.i2p:42, CONNECT ATYP 3 10.9.8.7:80
#   site.i2p, proxy answers F0 with 07: RESOLVE ATYP 3 site.i2p:42, then a failed look-up
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download torsocks=2.4.0-1)
dpkg -x "$dir"/torsocks_*.deb "$dir/unpacked"

python3 - "$dir" <<'PY'
import os, socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        _, command, _, atyp = self.rfile.read(4)
        name = self.rfile.read(self.rfile.read(1)[0]).decode()
        port = int.from_bytes(self.rfile.read(2), "big")
        seen.append(f"{({1: 'CONNECT', 0xF0: 'RESOLVE'})[command]} ATYP {atyp} {name}:{port}")
        code = self.server.code if command == 0xF0 else 0
        self.wfile.write(bytes([5, code, 0, 1, 10, 9, 8, 7, 0, 0]))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
with open(f"{sys.argv[1]}/torsocks.conf", "w") as config:
    config.write(f"TorAddress 127.0.0.1\nTorPort {proxy.server_address[1]}\nOnionAddrRange 127.42.42.0/24\n")
environment = {
    **os.environ,
    "TORSOCKS_CONF_FILE": f"{sys.argv[1]}/torsocks.conf",
    "LD_PRELOAD": f"{sys.argv[1]}/unpacked/usr/lib/x86_64-linux-gnu/torsocks/libtorsocks.so",
}
client = "import socket, sys; socket.create_connection((sys.argv[1], 80)); print('connected')"

def ask(name, code=0):
    seen.clear()
    proxy.code = code
    command = [sys.executable, "-c", client, name]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    print(name, seen, run.stdout.strip(), *run.stderr.strip().splitlines()[-1:])
    return list(dict.fromkeys(seen)), run.returncode

assert ask("site.onion") == (["CONNECT ATYP 3 site.onion:80"], 0)
assert ask("site.i2p") == (["RESOLVE ATYP 3 site.i2p:42", "CONNECT ATYP 3 10.9.8.7:80"], 0)
names, code = ask("site.i2p", 7)
assert names == ["RESOLVE ATYP 3 site.i2p:42"] and code == 1
PY
