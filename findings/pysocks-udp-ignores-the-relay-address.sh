#!/usr/bin/env bash
# PySocks 1.7.1 sends UDP to the address of the TCP connection, not to the BND.ADDR that the proxy named for UDP.
#
# Guess: RFC 1928 says that datagrams go to BND.ADDR and BND.PORT of the reply to UDP ASSOCIATE, so they do.
# Seen: the port of the reply is used and the address is not. A proxy that relays UDP at another address than the one
# its TCP listener was reached at sees nothing, and the client gets no error. The request for the association surprises
# too: where others write four zero octets (ATYP 1), it has the name "0" (ATYP 3), with the port of the client's socket.
# So a proxy has to relay at the very address that its client connected to, and must not look that name up.
# Output:
#   the reply named 127.0.0.2, the datagram came to 127.0.0.1
#   DST of the request: ATYP 3, name "0", port of the client's socket
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" PySocks==1.7.1

PYTHONPATH="$dir/packages" python3 - <<'PY'
import select, socket, socketserver, threading
import socks

named = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
named.bind(("127.0.0.2", 0))
port = named.getsockname()[1]
reached = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reached.bind(("127.0.0.1", port))
asked = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        _, command, _, atyp = self.rfile.read(4)
        name = self.rfile.read(self.rfile.read(1)[0])
        asked.append((command, atyp, name, int.from_bytes(self.rfile.read(2), "big")))
        self.wfile.write(b"\x05\x00\x00\x01" + socket.inet_aton("127.0.0.2") + port.to_bytes(2, "big"))
        self.rfile.read(1)

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
proxy.daemon_threads = True
threading.Thread(target=proxy.serve_forever, daemon=True).start()

client = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
client.set_proxy(socks.SOCKS5, *proxy.server_address)
client.sendto(b"hello", ("site.i2p", 53))
ready = [relay.getsockname()[0] for relay in select.select([named, reached], [], [], 5)[0]]
print("the datagram came to", ready, "; command and DST:", asked, "; client's port:", client.getsockname()[1])
assert ready == ["127.0.0.1"]
assert reached.recv(100).endswith(b"\x03\x08site.i2p\x00\x35hello")
assert asked == [(3, 3, b"0", client.getsockname()[1])]
PY
