#!/usr/bin/env bash
# One URL, http://Site.I2P./, is three different names by the time it reaches a SOCKS proxy.
#
# Guess: names are lower-cased everywhere, as browsers do, or sent as they were typed everywhere.
# Seen: requests 2.34.2 lower-cases the name and drops the dot at its end; httpx 0.28.1 lower-cases it and keeps the
# dot; Go 1.26.8's net/http sends it as typed. What aiohttp 3.14.5 (aiohttp-socks 0.12.0) sends to the proxy has the
# dot, and its Host header has not. Where names are keys of a book that tells cases apart, as in some I2P routers, a
# link works in one program and not in the other, unless the proxy makes one form of all.
# Output:
#   requests:  SOCKS site.i2p   Host site.i2p
#   httpx:     SOCKS site.i2p.  Host site.i2p.
#   aiohttp:   SOCKS site.i2p.  Host site.i2p
#   net/http:  SOCKS Site.I2P.  Host Site.I2P.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" requests==2.34.2 PySocks==1.7.1 \
  httpx==0.28.1 socksio==1.0.0 aiohttp==3.14.5 aiohttp-socks==0.12.0 python-socks==3.2.1
mkdir "$dir/ask"
cat > "$dir/ask/main.go" <<'GO'
package main

import (
	"net/http"
	"net/url"
	"os"
)

func main() {
	proxy, _ := url.Parse("socks5://" + os.Args[1])
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	client.Get("http://Site.I2P./")
}
GO
cat > "$dir/ask/go.mod" <<'GO'
module ask

go 1.26
GO
(cd "$dir/ask" && GOTOOLCHAIN=go1.26.8 GOPATH="$dir/go" GOCACHE="$dir/cache" GOFLAGS=-modcacherw go build -o ask .)

PYTHONPATH="$dir/packages" python3 - "$dir/ask/ask" <<'PY'
import asyncio, socketserver, subprocess, sys, threading
import aiohttp, httpx, requests
from aiohttp_socks import ProxyConnector

seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        name = self.rfile.read(self.rfile.read(1)[0]).decode()
        self.rfile.read(2)
        self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
        host = ""
        while line := self.rfile.readline().strip():
            if line.lower().startswith(b"host:"):
                host = line[5:].strip().decode()
        seen.append((name, host))
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
address = f"127.0.0.1:{proxy.server_address[1]}"
url = "http://Site.I2P./"

async def by_aiohttp():
    async with aiohttp.ClientSession(connector=ProxyConnector.from_url(f"socks5://{address}")) as session:
        await session.get(url)

requests.get(url, proxies={"http": f"socks5h://{address}"})
httpx.get(url, proxy=f"socks5://{address}", trust_env=False)
asyncio.run(by_aiohttp())
subprocess.run([sys.argv[1], address], timeout=30)
print(*seen, sep="\n")
assert seen == [
    ("site.i2p", "site.i2p"),
    ("site.i2p.", "site.i2p."),
    ("site.i2p.", "site.i2p"),
    ("Site.I2P.", "Site.I2P."),
]
PY
