#!/usr/bin/env bash
# Two HTTP clients take a SOCKS proxy's URL without a word and then speak HTTP to the SOCKS port.
#
# Guess: a client that does not know the word before "://" says so; Go's own FromURL for SOCKS does.
# Seen: aiohttp 3.14.5 with proxy="socks5h://…" and Go 1.26.8's net/http with socks4a://… connect and send "GET
# http://site.i2p/ HTTP/1.1", the whole address in plain text, as to an HTTP proxy. aiohttp does it twice. The user sees
# "server disconnected" or "EOF" and suspects the proxy. So a SOCKS proxy whose first byte is G, P or C should name the
# mistake in its log: aiohttp needs aiohttp-socks, and Go knows socks5:// and socks5h:// only.
# Output:
#   aiohttp socks5h: ServerDisconnectedError, the port saw 'GET http://site.i2p/ HTTP/1.1' twice
#   net/http socks4a: EOF, the port saw 'GET http://site.i2p/ HTTP/1.1'
#   net/http socks5h: a SOCKS request for site.i2p
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" aiohttp==3.14.5

mkdir "$dir/ask"
cat > "$dir/ask/main.go" <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
)

func main() {
	proxy, _ := url.Parse(os.Args[1])
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	_, err := client.Get("http://site.i2p/")
	fmt.Println(err)
}
GO
cat > "$dir/ask/go.mod" <<'GO'
module ask

go 1.26
GO
(cd "$dir/ask" && GOTOOLCHAIN=go1.26.8 GOPATH="$dir/go" GOCACHE="$dir/cache" GOFLAGS=-modcacherw go build -o ask .)

PYTHONPATH="$dir/packages" python3 - "$dir/ask/ask" <<'PY'
import asyncio, socketserver, subprocess, sys, threading
import aiohttp

seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        first = self.rfile.read(1)
        if first != b"\x05":
            seen.append((first + self.rfile.readline()).decode().strip())
            return
        self.rfile.read(self.rfile.read(1)[0])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        seen.append("SOCKS " + self.rfile.read(self.rfile.read(1)[0]).decode())

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
address = f"127.0.0.1:{proxy.server_address[1]}"

async def by_aiohttp():
    async with aiohttp.ClientSession() as session:
        try:
            await session.get("http://site.i2p/", proxy=f"socks5h://{address}")
        except aiohttp.ServerDisconnectedError as error:
            return repr(error)

def by_go(scheme):
    seen.clear()
    command = [sys.argv[1], f"{scheme}://{address}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()

line = "GET http://site.i2p/ HTTP/1.1"
print("aiohttp socks5h:", asyncio.run(by_aiohttp()), seen)
assert seen == [line, line]
for scheme, expected in (("socks4a", [line]), ("socks5h", ["SOCKS site.i2p"])):
    print(f"net/http {scheme}:", by_go(scheme), seen)
    assert seen == expected
PY
