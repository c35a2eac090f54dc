#!/usr/bin/env bash
# urllib3 2.8.0 makes four SOCKS requests of one that was refused for good; requests 2.34.2, built on it, makes one.
#
# Guess: a reply such as 02, "not allowed by ruleset", or 08, "address type not supported", is final: one connection.
# Seen: whatever the code, SOCKSProxyManager opens a connection three times more, at once and with no pause, and only
# then raises. The codes are not told apart; the text of the code is in the message of the exception. So a refused name
# counts four times in the figures of a proxy, and a look-up that fails slowly takes four times as long.
# Output:
#   reply 02: urllib3 4 connections, requests 1
#   reply 04: urllib3 4 connections, requests 1
#   reply 08: urllib3 4 connections, requests 1
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" \
  urllib3==2.8.0 requests==2.34.2 PySocks==1.7.1

PYTHONPATH="$dir/packages" python3 - <<'PY'
import socketserver, threading
import requests, urllib3
from urllib3.contrib.socks import SOCKSProxyManager

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.connections += 1
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        self.rfile.read(self.rfile.read(1)[0] + 2)
        self.wfile.write(bytes([5, self.server.code, 0, 1]) + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
url = f"socks5h://127.0.0.1:{proxy.server_address[1]}"

def count(ask):
    proxy.connections = 0
    try:
        ask()
    except (urllib3.exceptions.HTTPError, requests.RequestException) as error:
        assert f"{proxy.code:#04x}: " in str(error), error
    return proxy.connections

for proxy.code in (0x02, 0x04, 0x08):
    by_urllib3 = count(lambda: SOCKSProxyManager(url).request("GET", "http://site.i2p/"))
    by_requests = count(lambda: requests.get("http://site.i2p/", proxies={"http": url}))
    print(f"reply {proxy.code:02x}: urllib3 {by_urllib3} connections, requests {by_requests}")
    assert (by_urllib3, by_requests) == (4, 1)
PY
