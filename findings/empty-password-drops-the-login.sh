#!/usr/bin/env bash
# socks5h://alice:@proxy, a login with an empty password, is no login for half of the clients, and none of them says so.
#
# Guess: the user name is sent with a password of length 0, or the URL is an error. A proxy that keeps identities apart
# by the user name then needs no password.
# Seen: requests 2.34.2, python-socks 3.2.1 (aiohttp-socks) and undici 7.30.2 offer method 00 alone: the name stays
# here, and two users share one identity without knowing. httpx 0.28.1 and socks-proxy-agent 8.0.5 (socks 2.8.11) send
# it. So a manual for users should always show a password, be it one letter.
# Output:
#   requests offers 00, python-socks offers 00, undici offers 00
#   httpx offers 02 and sends alice / '', socks-proxy-agent offers 00 02 and sends alice / ''
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" \
  requests==2.34.2 PySocks==1.7.1 python-socks==3.2.1 httpx==0.28.1 socksio==1.0.0
npm install --silent --prefix "$dir" socks-proxy-agent@8.0.5 socks@2.8.11 undici@7.30.2

cat > "$dir/agent.cjs" <<'JS'
const { SocksProxyAgent } = require("socks-proxy-agent");
const agent = new SocksProxyAgent(`socks5h://${process.argv[2]}`);
require("http").get("http://site.i2p/", { agent }).on("error", () => {});
JS
cat > "$dir/undici.cjs" <<'JS'
const { fetch, Socks5ProxyAgent } = require("undici");
fetch("http://site.i2p/", { dispatcher: new Socks5ProxyAgent(`socks5://${process.argv[2]}`) }).catch(() => {});
JS
mkdir "$dir/run"
cat > "$dir/run/by_python_socks.py" <<'PY'
import sys
from python_socks.sync import Proxy
Proxy.from_url(f"socks5://{sys.argv[1]}").connect("site.i2p", 80)
PY
cat > "$dir/run/by_requests.py" <<'PY'
import sys, requests
requests.get("http://site.i2p/", proxies={"http": f"socks5h://{sys.argv[1]}"})
PY
cat > "$dir/run/by_httpx.py" <<'PY'
import sys, httpx
httpx.get("http://site.i2p/", proxy=f"socks5h://{sys.argv[1]}")
PY

PYTHONPATH="$dir/packages" python3 - "$dir" <<'PY'
import os, socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.StreamRequestHandler):
    def field(self):
        return self.rfile.read(self.rfile.read(1)[0])

    def handle(self):
        self.rfile.read(1)
        methods = self.field()
        login = None
        self.wfile.write(bytes([5, max(methods)]))
        if 2 in methods:
            self.rfile.read(1)
            login = (self.field().decode(), self.field().decode())
            self.wfile.write(b"\x01\x00")
        seen.append((methods.hex(" "), login))
        self.rfile.read(4)
        self.field()
        self.rfile.read(2)
        self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

for command, expected in (
    (["python3", "run/by_requests.py"], ("00", None)),
    (["python3", "run/by_python_socks.py"], ("00", None)),
    (["node", "undici.cjs"], ("00", None)),
    (["python3", "run/by_httpx.py"], ("02", ("alice", ""))),
    (["node", "agent.cjs"], ("00 02", ("alice", ""))),
):
    seen.clear()
    address = f"alice:@127.0.0.1:{proxy.server_address[1]}"
    subprocess.run([*command, address], cwd=sys.argv[1], env=environment, capture_output=True, timeout=30)
    print(command[1], seen)
    assert seen == [expected]
PY
