#!/usr/bin/env bash
# SOCKS4 clients fill the user id by themselves, each with something else: the account, the product, or "anonymous".
#
# Guess: nobody set a user id, so it is empty, as curl's is.
# Seen: socat 1.7.4.4 sends the account's name ($LOGNAME) to the proxy, haproxy 2.6.12 sends "HAProxy", and Privoxy
# 3.0.34 sends "anonymous". So a user id is no sign that somebody wants an identity of his own: a proxy that takes it
# for a login gives each of these programs one, and with socat it learns who sits at the machine.
# Output:
#   socat SOCKS4A: 'somebody'
#   haproxy server … socks4: 'HAProxy'
#   Privoxy forward-socks4a: 'anonymous'
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download \
  socat=1.7.4.4-2 libwrap0=7.6.q-32 \
  haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4 \
  privoxy=3.0.34-1 libmbedtls14=2.28.3-1 libmbedx509-1=2.28.3-1 libmbedcrypto7=2.28.3-1 libpcre3=2:8.39-15)
for package in "$dir"/*.deb; do dpkg -x "$package" "$dir/unpacked"; done

unpacked="$dir/unpacked"
LD_LIBRARY_PATH="$unpacked/usr/lib/x86_64-linux-gnu:$unpacked/lib/x86_64-linux-gnu" python3 - "$dir" <<'PY'
import os, socket, socketserver, subprocess, sys, threading, time

folder, unpacked = sys.argv[1], f"{sys.argv[1]}/unpacked"
seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        if self.rfile.read(8)[:1] != b"\x04":
            return
        user = b""
        while (octet := self.rfile.read(1)) not in (b"\0", b""):
            user += octet
        seen.append(user.decode())
        self.wfile.write(b"\x00\x5b" + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
port = proxy.server_address[1]

def free():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]

def through(command, listen):
    with open(os.devnull, "w") as quiet:
        server = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    try:
        for _ in range(100):
            try:
                with socket.create_connection(("127.0.0.1", listen), timeout=10) as client:
                    client.sendall(b"GET http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\nConnection: close\r\n\r\n")
                    client.recv(100)
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
    finally:
        server.kill()
        server.wait()

def check(client, expected):
    print(client, set(seen))
    assert set(seen) == {expected}
    seen.clear()

environment = {**os.environ, "LOGNAME": "somebody", "USER": "somebody"}
subprocess.run([f"{unpacked}/usr/bin/socat", "-", f"SOCKS4A:127.0.0.1:site.i2p:80,socksport={port}"], timeout=30,
               stdin=subprocess.DEVNULL, capture_output=True, env=environment)
check("socat", "somebody")

listen = free()
with open(f"{folder}/haproxy.cfg", "w") as config:
    config.write(f"defaults\n mode tcp\n retries 0\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n"
                 f"listen relay\n bind 127.0.0.1:{listen}\n server site 10.9.8.7:80 socks4 127.0.0.1:{port}\n")
through([f"{unpacked}/usr/sbin/haproxy", "-f", f"{folder}/haproxy.cfg"], listen)
check("haproxy", "HAProxy")

listen = free()
with open(f"{folder}/privoxy.conf", "w") as config:
    config.write(f"listen-address 127.0.0.1:{listen}\nforward-socks4a / 127.0.0.1:{port} .\n")
through([f"{unpacked}/usr/sbin/privoxy", "--no-daemon", f"{folder}/privoxy.conf"], listen)
check("Privoxy", "anonymous")
PY
