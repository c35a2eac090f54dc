#!/usr/bin/env bash
# A reply whose reserved octet is not zero is fine for most SOCKS clients, and the end for python-socks and Go.
#
# Guess: what is reserved is not looked at, so a server that leaves an old byte there harms nobody.
# Seen: requests 2.34.2, httpx 0.28.1, socks-proxy-agent 8.0.5 and undici 7.30.2 go on. python-socks 3.2.1
# (aiohttp-socks) and golang.org/x/net 0.62.0, and with it Go's net/http, close a connection that was granted. A server
# tested with the first group only is broken for the second; no test of a server should be without one of them.
# Output (reserved octet 1, reply code 00):
#   requests, httpx, socks-proxy-agent, undici: HTTP request received
#   python-socks: "The reserved byte must be 0X0"; Go: "non-zero reserved field"
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" \
  requests==2.34.2 PySocks==1.7.1 httpx==0.28.1 socksio==1.0.0 python-socks==3.2.1
npm install --silent --prefix "$dir" socks-proxy-agent@8.0.5 socks@2.8.11 undici@7.30.2

cat > "$dir/client.py" <<'PY'
import sys
client, address = sys.argv[1:]
if client == "requests":
    import requests
    requests.get("http://site.i2p/", proxies={"http": f"socks5h://{address}"})
elif client == "httpx":
    import httpx
    httpx.get("http://site.i2p/", proxy=f"socks5://{address}")
else:
    from python_socks.sync import Proxy
    Proxy.from_url(f"socks5://{address}").connect("site.i2p", 80).sendall(b"GET / HTTP/1.1\r\n\r\n")
PY
cat > "$dir/client.cjs" <<'JS'
const [client, address] = process.argv.slice(2);
if (client === "undici") {
  const { fetch, Socks5ProxyAgent } = require("undici");
  fetch("http://site.i2p/", { dispatcher: new Socks5ProxyAgent(`socks5://${address}`) }).catch(console.log);
} else {
  const { SocksProxyAgent } = require("socks-proxy-agent");
  const agent = new SocksProxyAgent(`socks5h://${address}`);
  require("http").get("http://site.i2p/", { agent }).on("error", console.log);
}
JS
mkdir "$dir/ask"
cat > "$dir/ask/main.go" <<'GO'
package main

import (
	"fmt"
	"os"

	"golang.org/x/net/proxy"
)

func main() {
	dialer, _ := proxy.SOCKS5("tcp", os.Args[2], nil, proxy.Direct)
	connection, err := dialer.Dial("tcp", "site.i2p:80")
	fmt.Println(err)
	if err == nil {
		fmt.Fprint(connection, "GET / HTTP/1.1\r\n\r\n")
	}
}
GO
(
  cd "$dir/ask"
  export GOTOOLCHAIN=go1.26.8 GOPATH="$dir/go" GOCACHE="$dir/cache" GOFLAGS="-modcacherw -mod=mod"
  go mod init ask 2> /dev/null
  go get golang.org/x/net@v0.62.0 2> /dev/null
  go build -o ../client.go-binary .
)

PYTHONPATH="$dir/packages" python3 - "$dir" <<'PY'
import os, socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        self.rfile.read(self.rfile.read(1)[0] + 2)
        self.wfile.write(b"\x05\x00\x01\x01" + bytes(6))
        if self.rfile.readline().startswith(b"GET / "):
            seen.append("HTTP request received")
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
proxy.handle_error = lambda *_: None  # A client that refuses the reply resets the connection.
threading.Thread(target=proxy.serve_forever, daemon=True).start()
environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

def ask(command, client):
    seen.clear()
    command = [*command, client, f"127.0.0.1:{proxy.server_address[1]}"]
    run = subprocess.run(command, cwd=sys.argv[1], env=environment, capture_output=True, text=True, timeout=30)
    print(client, seen, *(run.stdout + run.stderr).strip().splitlines()[-1:])
    return seen or run.stdout + run.stderr

for client in ("requests", "httpx"):
    assert ask(["python3", "client.py"], client) == ["HTTP request received"]
for client in ("socks-proxy-agent", "undici"):
    assert ask(["node", "--no-warnings", "client.cjs"], client) == ["HTTP request received"]
assert "reserved byte must be 0X0" in ask(["python3", "client.py"], "python-socks")
assert "non-zero reserved field" in ask(["./client.go-binary"], "Go")
PY
