#!/usr/bin/env bash
# A SOCKS proxy given in the program to requests 2.34.2 loses to HTTP_PROXY of the environment, for two of three ways.
#
# Guess: what the program says is stronger than the environment.
# Seen: that is so for proxies={"http": …} on the call. Session.proxies loses (a note in the manual says so), and so
# does the key "all" on the call: the request goes, with its address in the clear, to the proxy of the environment.
# Session.trust_env = False helps. A program that sets up its session for I2P or Tor works on one machine and sends
# everything to the company's proxy on the next.
# Output:
#   call, key http: SOCKS
#   call, key all: HTTP_PROXY saw GET http://site.i2p/ HTTP/1.1
#   session, key http: HTTP_PROXY saw GET http://site.i2p/ HTTP/1.1
#   session, key http, trust_env False: SOCKS
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" requests==2.34.2 PySocks==1.7.1

PYTHONPATH="$dir/packages" python3 - <<'PY'
import os, socketserver, threading
import requests

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        self.rfile.read(self.rfile.read(1)[0] + 2)
        self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
        seen.append("SOCKS")
        while self.rfile.readline().strip():
            pass
        self.wfile.write(OK)

class Web(socketserver.StreamRequestHandler):
    def handle(self):
        seen.append("HTTP_PROXY saw " + self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        self.wfile.write(OK)

ports = []
for handler in (Socks, Web):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports.append(server.server_address[1])
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ["HTTP_PROXY"] = f"http://127.0.0.1:{ports[1]}"
socks = f"socks5h://127.0.0.1:{ports[0]}"

def by_session(trust_env):
    session = requests.Session()
    session.trust_env = trust_env
    session.proxies = {"http": socks}
    session.get("http://site.i2p/")

requests.get("http://site.i2p/", proxies={"http": socks})
requests.get("http://site.i2p/", proxies={"all": socks})
by_session(True)
by_session(False)
print(*seen, sep="\n")
leak = "HTTP_PROXY saw GET http://site.i2p/ HTTP/1.1"
assert seen == ["SOCKS", leak, leak, "SOCKS"]
PY
