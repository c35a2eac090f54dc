#!/usr/bin/env bash
# ALL_PROXY=socks5h://…, the variable that manuals of SOCKS proxies name, is passed over by half of the HTTP clients.
#
# Guess: a client that honours HTTP_PROXY honours ALL_PROXY, as curl does, or fails.
# Seen: requests 2.34.2 and httpx 0.28.1 go through the proxy. Python 3's urllib.request, aiohttp 3.14.5 with
# trust_env=True, undici 7.30.2's EnvHttpProxyAgent and Go 1.26.8's net/http, all of which read HTTP_PROXY, connect to
# the site itself. Nothing is said. Who tests with one program and then exports the variable for another has a leak.
# Output:
#   requests SOCKS, httpx SOCKS
#   urllib.request site, aiohttp site, EnvHttpProxyAgent site
#   net/http's proxy for http://site.i2p/: none with ALL_PROXY, socks5h://127.0.0.1:1080 with HTTP_PROXY
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" \
  requests==2.34.2 PySocks==1.7.1 httpx==0.28.1 socksio==1.0.0 aiohttp==3.14.5
npm install --silent --prefix "$dir" undici@7.30.2

cat > "$dir/by_undici.cjs" <<'JS'
const { fetch, EnvHttpProxyAgent } = require("undici");
fetch(process.argv[2], { dispatcher: new EnvHttpProxyAgent() }).catch(() => {});
JS
cat > "$dir/by_urllib.py" <<'PY'
import sys, urllib.request
urllib.request.urlopen(sys.argv[1])
PY
cat > "$dir/by_requests.py" <<'PY'
import sys, requests
requests.get(sys.argv[1])
PY
cat > "$dir/by_httpx.py" <<'PY'
import sys, httpx
httpx.get(sys.argv[1])
PY
cat > "$dir/by_aiohttp.py" <<'PY'
import asyncio, sys, aiohttp
async def ask():
    async with aiohttp.ClientSession(trust_env=True) as session:
        await session.get(sys.argv[1])
asyncio.run(ask())
PY
mkdir "$dir/ask"
cat > "$dir/ask/main.go" <<'GO'
package main

import (
	"fmt"
	"net/http"
)

func main() {
	request, _ := http.NewRequest("GET", "http://site.i2p/", nil)
	fmt.Println(http.ProxyFromEnvironment(request))
}
GO
cat > "$dir/ask/go.mod" <<'GO'
module ask

go 1.26
GO
(cd "$dir/ask" && GOTOOLCHAIN=go1.26.8 GOPATH="$dir/go" GOCACHE="$dir/cache" GOFLAGS=-modcacherw go build -o ../by_go .)

PYTHONPATH="$dir/packages" python3 - "$dir" <<'PY'
import os, socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.BaseRequestHandler):
    def handle(self):
        seen.append("SOCKS" if self.request.recv(1) == b"\x05" else "HTTP to the proxy")

class Site(socketserver.StreamRequestHandler):
    def handle(self):
        seen.append("site")
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

ports = []
for handler in (Socks, Site):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports.append(server.server_address[1])

clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

def ask(command):
    seen.clear()
    environment = {**clean, "ALL_PROXY": f"socks5h://127.0.0.1:{ports[0]}"}
    command = [*command, f"http://127.0.0.1:{ports[1]}/"]
    subprocess.run(command, cwd=sys.argv[1], env=environment, capture_output=True, timeout=30)
    print(command[-2], seen)
    return set(seen)

for client in ("requests", "httpx"):
    assert ask(["python3", f"by_{client}.py"]) == {"SOCKS"}
for client in ("urllib", "aiohttp"):
    assert ask(["python3", f"by_{client}.py"]) == {"site"}
assert ask(["node", "by_undici.cjs"]) == {"site"}
# Go never takes a proxy of the environment for a loopback address, so it is asked which proxy it takes for a name.
for variable, expected in (("ALL_PROXY", "<nil> <nil>"), ("HTTP_PROXY", "socks5h://127.0.0.1:1080 <nil>")):
    environment = {**clean, variable: "socks5h://127.0.0.1:1080"}
    answer = subprocess.run([f"{sys.argv[1]}/by_go"], env=environment, capture_output=True, text=True).stdout.strip()
    print("net/http", variable, answer)
    assert answer == expected
PY
