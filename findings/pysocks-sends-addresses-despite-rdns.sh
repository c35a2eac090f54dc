#!/usr/bin/env bash
# PySocks 1.7.1 put in place of socket.socket, with rdns=True, still sends addresses that were looked up here.
#
# Guess: rdns=True, remote DNS, is the default, so what is built on socket.socket sends names to the proxy.
# Seen: the standard library looks names up before it makes a socket (socket.create_connection calls getaddrinfo), so
# the replaced socket only ever gets an address. Every name goes to the system's resolver, names of .i2p fail, and the
# setting has nothing left to do. Only socks.create_connection, or a library with a SOCKS proxy of its own, sends names.
# The look-up is answered by this script, so that it is seen and nothing leaves the machine.
# Output:
#   urllib.request, socket.socket replaced: looked up site.i2p; the proxy got ATYP 1 10.9.8.7
#   socks.create_connection: looked up nothing; the proxy got ATYP 3 site.i2p
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" PySocks==1.7.1

PYTHONPATH="$dir/packages" python3 - <<'PY'
import socket, socketserver, threading, urllib.request
import socks

asked, looked_up = [], []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        atyp = self.rfile.read(4)[3]
        length = 4 if atyp == 1 else self.rfile.read(1)[0]
        address = self.rfile.read(length + 2)[:length]
        asked.append((atyp, socket.inet_ntoa(address) if atyp == 1 else address.decode()))
        self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
address = proxy.server_address

def resolver(host, port, *_, **__):
    if host != "127.0.0.1":
        looked_up.append(host)
        host = "10.9.8.7"
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

socket.getaddrinfo = resolver
socks.set_default_proxy(socks.SOCKS5, *address, rdns=True)
plain, socket.socket = socket.socket, socks.socksocket
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://site.i2p/", timeout=10)
except OSError as error:
    print(error)
socket.socket = plain
print(looked_up, asked)
assert looked_up == ["site.i2p"] and asked == [(1, "10.9.8.7")]

looked_up.clear()
asked.clear()
try:
    proxy_is = {"proxy_type": socks.SOCKS5, "proxy_addr": address[0], "proxy_port": address[1]}
    socks.create_connection(("site.i2p", 80), timeout=10, **proxy_is)
except socks.ProxyError as error:
    print(error)
print(looked_up, asked)
assert "site.i2p" not in looked_up and asked == [(3, "site.i2p")]
PY
