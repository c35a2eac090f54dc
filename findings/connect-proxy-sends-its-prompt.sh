#!/usr/bin/env bash
# connect-proxy 1.105, without a terminal, sends the text of its own question as the SOCKS password.
#
# Guess: a program of ssh's ProxyCommand that needs a password and cannot ask for one fails.
# Seen: it always offers 00 and 02, also where nobody set a login. To a proxy that takes 02 it sends the user's name (of
# the system, if none is given), and as password "Enter SOCKS5 password for alice@127.0.0.1: ", with no error but a line
# about /dev/tty. With ssh from cron or an editor each user thus gets a lasting login that nobody chose, and a proxy
# that keeps identities apart by login makes one of it. SOCKS5_PASSWORD= in the environment, or -a none, avoids it.
# Output:
#   offers 00 02, login 'alice' / 'Enter SOCKS5 password for alice@127.0.0.1: '
#   with -a none: offers 00, no login
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download connect-proxy=1.105-1.3)
dpkg -x "$dir"/connect-proxy_*.deb "$dir/unpacked"

python3 - "$dir/unpacked/usr/bin/connect-proxy" "$dir" <<'PY'
import socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.StreamRequestHandler):
    def field(self):
        return self.rfile.read(self.rfile.read(1)[0])

    def handle(self):
        self.rfile.read(1)
        methods = self.field()
        self.wfile.write(bytes([5, max(methods)]))
        login = None
        if max(methods) == 2:
            self.rfile.read(1)
            login = (self.field().decode(), self.field().decode())
            self.wfile.write(b"\x01\x00")
        seen.append((methods.hex(" "), login))
        self.rfile.read(4)
        self.field()
        self.rfile.read(2)
        self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()

def ask(*options):
    seen.clear()
    command = [sys.argv[1], *options, "-5", "-S", f"alice@127.0.0.1:{proxy.server_address[1]}", "site.i2p", "22"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, start_new_session=True,
                         stdin=subprocess.DEVNULL, env={"HOME": sys.argv[2]})
    print(options, seen, run.stderr.strip().replace("\n", " / "))
    return seen

assert ask() == [("00 02", ("alice", "Enter SOCKS5 password for alice@127.0.0.1: "))]
assert ask("-a", "none") == [("00", None)]
PY
