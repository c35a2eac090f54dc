#!/usr/bin/env bash
# ncat 7.93 with --proxy-type socks4 sends NAME:PASSWORD of --proxy-auth as the SOCKS4 user id, password and all.
#
# Guess: SOCKS4 has no password (the manual asks for a name alone), so ncat drops it or refuses the pair.
# Seen: the whole string goes out as the user id, in plain text, to a server that never asked for it and that may well
# log user ids. With --proxy-type socks5 the same option is a login of two fields. A proxy that takes a user id for the
# name of a login gives one user two identities, one for each version, and should keep user ids out of its log.
# Output:
#   socks4: user id 'alice:secret'
#   socks5: offers 00 02, login 'alice' / 'secret'
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download \
  ncat=7.93+dfsg1-1 liblua5.3-0=5.3.6-2 libpcap0.8=1.10.3-1)
for package in "$dir"/*.deb; do dpkg -x "$package" "$dir/unpacked"; done

LD_LIBRARY_PATH="$dir/unpacked/usr/lib/x86_64-linux-gnu" python3 - "$dir/unpacked/usr/bin/ncat" <<'PY'
import socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.StreamRequestHandler):
    def field(self):
        return self.rfile.read(self.rfile.read(1)[0])

    def text(self):
        octets = b""
        while (octet := self.rfile.read(1)) != b"\0":
            octets += octet
        return octets.decode()

    def handle(self):
        if self.rfile.read(1) == b"\x04":
            self.rfile.read(7)
            seen.append(self.text())
            self.text()
            self.wfile.write(b"\x00\x5b" + bytes(6))
            return
        methods = self.field()
        self.wfile.write(b"\x05\x02")
        self.rfile.read(1)
        seen.append((methods.hex(" "), self.field().decode(), self.field().decode()))
        self.wfile.write(b"\x01\x01")

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()

for version, expected in (("socks4", "alice:secret"), ("socks5", ("00 02", "alice", "secret"))):
    seen.clear()
    command = [sys.argv[1], "--proxy-type", version, "--proxy-auth", "alice:secret",
               "--proxy", f"127.0.0.1:{proxy.server_address[1]}", "site.i2p", "80"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    print(version, seen, run.stderr.strip())
    assert seen == [expected]
PY
