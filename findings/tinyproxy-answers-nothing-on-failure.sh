#!/usr/bin/env bash
# tinyproxy 1.11.1 in front of a SOCKS5 proxy turns every failure into an empty answer, and sends addresses as names.
#
# Guess: a SOCKS failure becomes a page with 502 or 504, so the browser shows a reason.
# Seen: for each of the codes 01 to 08 the browser's connection is closed without one byte: "empty reply from server",
# the same as a crash. The reason is known to the SOCKS proxy's log alone. And an address in the URL goes out as ATYP 3,
# in digits, so a proxy that refuses addresses with 08 by their ATYP takes it for a name.
# Output:
#   site.i2p, reply 00: HTTP 200, the proxy was asked for ATYP 3 site.i2p
#   site.i2p, reply 01 … 08: 0 bytes
#   10.9.8.7, reply 00: HTTP 200, the proxy was asked for ATYP 3 10.9.8.7
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download tinyproxy-bin=1.11.1-2.1+deb12u1)
dpkg -x "$dir"/tinyproxy-bin_*.deb "$dir/unpacked"

python3 - "$dir" <<'PY'
import socket, socketserver, subprocess, sys, threading, time

seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        atyp = self.rfile.read(4)[3]
        seen.append((atyp, self.rfile.read(self.rfile.read(1)[0]).decode()))
        self.rfile.read(2)
        self.wfile.write(bytes([5, self.server.code, 0, 1]) + bytes(6))
        if self.server.code == 0:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
proxy.handle_error = lambda *_: None  # tinyproxy resets the connection after a failure.
threading.Thread(target=proxy.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
with open(f"{sys.argv[1]}/tinyproxy.conf", "w") as config:
    config.write(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 20\nMaxClients 10\n"
                 f"Upstream socks5 127.0.0.1:{proxy.server_address[1]}\n")
tinyproxy = subprocess.Popen([f"{sys.argv[1]}/unpacked/usr/bin/tinyproxy", "-d", "-c", f"{sys.argv[1]}/tinyproxy.conf"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def connect():
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=15)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit("tinyproxy does not listen")

def ask(host, code):
    seen.clear()
    proxy.code = code
    with connect() as client:
        client.sendall(f"GET http://{host}/ HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        try:
            answer = client.recv(1000)
        except ConnectionResetError:
            answer = b""
    print(host, f"reply {code:02x}:", answer[:15], seen)
    return answer[:12], seen[0]

try:
    assert ask("site.i2p", 0) == (b"HTTP/1.0 200", (3, "site.i2p"))
    for code in range(1, 9):
        assert ask("site.i2p", code) == (b"", (3, "site.i2p"))
    assert ask("10.9.8.7", 0) == (b"HTTP/1.0 200", (3, "10.9.8.7"))
finally:
    tinyproxy.kill()
    tinyproxy.wait()
PY
