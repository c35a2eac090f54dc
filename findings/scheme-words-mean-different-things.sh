#!/usr/bin/env bash
# One proxy URL keeps names off the local resolver in one library, leaks them in another and is refused by a third.
#
# Guess: as in curl, socks5:// looks the name up here and socks5h:// lets the proxy do it, everywhere.
# Seen: Python's httpx 0.28.1 and python-socks 3.2.1 (aiohttp-socks) and Node's undici 7.30.2 send the name with
# socks5://; the last two refuse socks5h://, httpx takes both for the same. requests 2.34.2 and socks-proxy-agent 8.0.5
# look up with socks5://. Bare socks:// is remote SOCKS5 in socks-proxy-agent and undici, and refused by the others (in
# curl it is SOCKS4 with a local look-up). So no URL is right for all, and settings must be given for each client.
# Look-ups are answered by this script, in the client: nothing leaves the machine.
# Output (name = the proxy got the name, looked up = the client looked it up, refused = no connection):
#                      socks5       socks5h    socks
#   requests           looked up    name       refused
#   httpx              name         name       refused
#   python-socks       name         refused    refused
#   socks-proxy-agent  looked up    name       name
#   undici             name         refused    name
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" \
  requests==2.34.2 PySocks==1.7.1 httpx==0.28.1 socksio==1.0.0 python-socks==3.2.1
npm install --silent --prefix "$dir" socks-proxy-agent@8.0.5 socks@2.8.11 undici@7.30.2

cat > "$dir/client.py" <<'PY'
import socket, sys
real = socket.getaddrinfo
def answer(host, port, *rest, **named):
    return real("10.9.8.7" if host == "site.i2p" else host, port, *rest, **named)
socket.getaddrinfo = answer
client, url = sys.argv[1:]
if client == "requests":
    import requests
    requests.get("http://site.i2p/", proxies={"http": url})
elif client == "httpx":
    import httpx
    httpx.get("http://site.i2p/", proxy=url)
else:
    from python_socks.sync import Proxy
    Proxy.from_url(url).connect("site.i2p", 80)
PY
cat > "$dir/client.cjs" <<'JS'
const dns = require("dns");
const real = dns.lookup;
dns.lookup = (host, options, done) => real(host === "site.i2p" ? "10.9.8.7" : host, options, done);
const [client, url] = process.argv.slice(2);
if (client === "undici") {
  const { fetch, Socks5ProxyAgent } = require("undici");
  fetch("http://site.i2p/", { dispatcher: new Socks5ProxyAgent(url) }).catch(() => {});
} else {
  const { SocksProxyAgent } = require("socks-proxy-agent");
  require("http").get("http://site.i2p/", { agent: new SocksProxyAgent(url) }).on("error", () => {});
}
JS

PYTHONPATH="$dir/packages" python3 - "$dir" <<'PY'
import os, socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        seen.append({1: "looked up", 3: "name"}[self.rfile.read(4)[3]])
        self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

expected = {
    "requests": ("looked up", "name", "refused"),
    "httpx": ("name", "name", "refused"),
    "python-socks": ("name", "refused", "refused"),
    "socks-proxy-agent": ("looked up", "name", "name"),
    "undici": ("name", "refused", "name"),
}
for client, row in expected.items():
    command = ["python3", "client.py"] if client in ("requests", "httpx", "python-socks") else ["node", "client.cjs"]
    result = []
    for scheme in ("socks5", "socks5h", "socks"):
        seen.clear()
        url = f"{scheme}://127.0.0.1:{proxy.server_address[1]}"
        subprocess.run([*command, client, url], cwd=sys.argv[1], env=environment, capture_output=True, timeout=30)
        result.append(seen[0] if seen else "refused")
    print(f"{client:18}", *result, sep="  ")
    assert tuple(result) == row
PY
