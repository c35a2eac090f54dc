#!/usr/bin/env bash
# nc.openbsd 1.219, the usual ProxyCommand of ssh, refuses a success whose bound address is a name.
#
# Guess: BND.ADDR of a reply to CONNECT means nothing to a client, so nothing depends on its kind.
# Seen: with ATYP 1 or 4 nc goes on; with ATYP 3, which RFC 1928 allows there as well, it gives up after the connection
# was made: "unsupported address type". A proxy for names is tempted to answer with the name it connected to. It should
# answer with ATYP 1 and zeros, which clients take.
# Output:
#   ATYP 1: 'peer'
#   ATYP 4: 'peer'
#   ATYP 3: nc: connection failed, unsupported address type
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download netcat-openbsd=1.219-1)
dpkg -x "$dir"/netcat-openbsd_*.deb "$dir/unpacked"

python3 - "$dir/unpacked/bin/nc.openbsd" <<'PY'
import socketserver, subprocess, sys, threading

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        self.rfile.read(self.rfile.read(1)[0] + 2)
        self.wfile.write(b"\x05\x00\x00" + self.server.bound + b"\x00\x50" + b"peer")

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()

def ask(bound):
    proxy.bound = bound
    command = [sys.argv[1], "-w", "5", "-X", "5", "-x", f"127.0.0.1:{proxy.server_address[1]}", "site.i2p", "80"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    print(f"ATYP {bound[0]}: exit {run.returncode}, {run.stdout!r} {run.stderr.strip()}")
    return run

assert ask(b"\x01" + bytes(4)).stdout == "peer"
assert ask(b"\x04" + bytes(16)).stdout == "peer"
named = ask(b"\x03\x08site.i2p")
assert named.returncode == 1 and "unsupported address type" in named.stderr
PY
