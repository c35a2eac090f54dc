#!/usr/bin/env bash
# httpx 0.28.1 (httpcore 1.0.9, socksio 1.0.0) fails where a SOCKS reply comes in two TCP segments.
#
# Guess: TCP is a stream, so the client reads until the reply is whole. On loopback nobody notices either way.
# Seen: each reply is taken from one read; a part of one is "Malformed reply". The error is socksio's own ProtocolError,
# not one of httpx's. A proxy must write each of its replies with one call, and a test that sends a reply byte by byte
# to find impatient clients will find this one. requests 2.34.2 (PySocks 1.7.1) reads on, as guessed.
# Output:
#   whole: httpx 200, requests 200
#   split: httpx socksio.exceptions.ProtocolError: Malformed reply, requests 200
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" \
  httpx==0.28.1 httpcore==1.0.9 socksio==1.0.0 requests==2.34.2 PySocks==1.7.1

PYTHONPATH="$dir/packages" python3 - <<'PY'
import socketserver, threading, time
import httpx, requests

class Socks(socketserver.StreamRequestHandler):
    def reply(self, octets):
        cut = 1 if self.server.split else len(octets)
        self.wfile.write(octets[:cut])
        time.sleep(0.2)
        self.wfile.write(octets[cut:])

    def handle(self):
        try:
            self.rfile.read(self.rfile.read(2)[1])
            self.reply(b"\x05\x00")
            self.rfile.read(4)
            self.rfile.read(self.rfile.read(1)[0] + 2)
            self.reply(b"\x05\x00\x00\x01" + bytes(6))
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except (IndexError, OSError):
            pass  # The client has left.

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
url = f"socks5h://127.0.0.1:{proxy.server_address[1]}"

def by_httpx():
    return httpx.get("http://site.i2p/", proxy=url, trust_env=False).status_code

def by_requests():
    return requests.get("http://site.i2p/", proxies={"http": url}, timeout=10).status_code

def outcome(ask):
    try:
        return ask()
    except Exception as error:
        return f"{type(error).__module__}.{type(error).__name__}: {error}"

for split in (False, True):
    proxy.split = split
    seen = [outcome(by_httpx), outcome(by_requests)]
    print("split" if split else "whole", seen)
    assert seen == ["socksio.exceptions.ProtocolError: Malformed reply" if split else 200, 200]
PY
