#!/usr/bin/env bash
# NO_PROXY in the environment switches off a SOCKS proxy that was given to libcurl 8.23.0 (pycurl 7.49.0) explicitly.
#
# Guess: NO_PROXY is for proxies that come from the environment; CURLOPT_PROXY, or curl's -x, is stronger.
# Seen: with NO_PROXY=.i2p or the like, left over from a setting that keeps such names away from another proxy, the
# request goes directly, so the name is looked up here. An empty CURLOPT_NOPROXY (curl: --noproxy "") is what makes the
# explicit proxy hold. httpx and requests let the explicit proxy win.
# Output:
#   CURLOPT_PROXY alone: SOCKS
#   CURLOPT_PROXY and NO_PROXY=127.0.0.1: site
#   the same with an empty CURLOPT_NOPROXY: SOCKS
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" pycurl==7.49.0

PYTHONPATH="$dir/packages" python3 - <<'PY'
import os, socketserver, threading
import pycurl

seen = []

class Socks(socketserver.BaseRequestHandler):
    def handle(self):
        assert self.request.recv(1) == b"\x05"
        seen.append("SOCKS")

class Site(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        seen.append("site")
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

ports = []
for handler in (Socks, Site):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports.append(server.server_address[1])
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]

def ask(no_proxy=None):
    seen.clear()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, f"http://127.0.0.1:{ports[1]}/")
    curl.setopt(pycurl.PROXY, f"socks5h://127.0.0.1:{ports[0]}")
    if no_proxy is not None:
        curl.setopt(pycurl.NOPROXY, no_proxy)
    try:
        curl.perform()
    except pycurl.error as error:
        print(error)
    print(os.environ.get("NO_PROXY"), no_proxy, seen)
    return seen

print(pycurl.version)
assert ask() == ["SOCKS"]
os.environ["NO_PROXY"] = "127.0.0.1"
assert ask() == ["site"]
assert ask("") == ["SOCKS"]
PY
