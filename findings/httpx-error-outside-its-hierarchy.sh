#!/usr/bin/env bash
# With a SOCKS reply code above 08, httpx 0.28.1 raises an exception that "except httpx.HTTPError" does not catch.
#
# Guess: every failure of the proxy is an httpx.ProxyError, whatever the code.
# Seen: codes 01 to 08 are. With 09, or F0 as in Tor's extended errors, socksio 1.0.0 cannot read the reply and its own
# ProtocolError, which has no relation to httpx, comes through to the application: a long-running program with the
# except clause of the manual ends. A proxy must send no extended codes to clients that did not ask for them.
# Output:
#   04 httpx.ProxyError: Proxy Server could not connect: Host unreachable.
#   08 httpx.ProxyError: Proxy Server could not connect: Address type not supported.
#   09 socksio.exceptions.ProtocolError: Malformed reply
#   f0 socksio.exceptions.ProtocolError: Malformed reply
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" \
  httpx==0.28.1 httpcore==1.0.9 socksio==1.0.0

PYTHONPATH="$dir/packages" python3 - <<'PY'
import socketserver, threading
import httpx

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        self.rfile.read(self.rfile.read(1)[0] + 2)
        self.wfile.write(bytes([5, self.server.code, 0, 1]) + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()

for proxy.code, caught in ((0x04, True), (0x08, True), (0x09, False), (0xF0, False)):
    try:
        httpx.get("http://site.i2p/", proxy=f"socks5://127.0.0.1:{proxy.server_address[1]}", trust_env=False)
        raise SystemExit("the failure was taken for success")
    except Exception as error:
        print(f"{proxy.code:02x} {type(error).__module__}.{type(error).__name__}: {error}")
        assert isinstance(error, httpx.HTTPError) == caught
        assert caught or type(error).__module__ == "socksio.exceptions"
PY
