#!/usr/bin/env bash
# With Rust's ureq 3.1.4 a proxy of socks5:// gets names; with 3.5.2, the same major version, it gets addresses.
#
# Guess: where names are looked up is what a proxy is chosen for, so it stays as it is within a major version.
# Seen: ALL_PROXY=socks5://… sends the name with 3.1.4, and 3.5.2 looks it up here first. "socks5h" is the word for the
# old meaning now, and 3.1.4 does not know it: it passes ALL_PROXY over without a word and connects to the site
# directly. So no value is right for both, and "cargo update" turns remote look-ups into a leak with nothing said.
# Output:
#   3.1.4: socks5 ATYP 3 localhost, socks5h no connection to the proxy but one to the site
#   3.5.2: socks5 ATYP 1 127.0.0.1, socks5h ATYP 3 localhost
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

export CARGO_HOME="$dir/cargo"
for version in 3.1.4 3.5.2; do
  mkdir -p "$dir/$version/src"
  cat > "$dir/$version/Cargo.toml" <<TOML
[package]
name = "ask"
version = "0.0.0"
edition = "2021"

[dependencies]
ureq = { version = "=$version", default-features = false, features = ["socks-proxy"] }

[profile.dev]
debug = 0
TOML
  echo 'fn main() { let _ = ureq::get(std::env::args().nth(1).unwrap()).call(); }' > "$dir/$version/src/main.rs"
  (cd "$dir/$version" && CARGO_TARGET_DIR="$dir/$version/target" cargo build --quiet)
done

python3 - "$dir" <<'PY'
import os, socket, socketserver, subprocess, sys, threading

seen = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        atyp = self.rfile.read(4)[3]
        length = 4 if atyp == 1 else self.rfile.read(1)[0]
        address = self.rfile.read(length + 2)[:length]
        seen.append(f"ATYP {atyp} " + (socket.inet_ntoa(address) if atyp == 1 else address.decode()))
        self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))

class Site(socketserver.StreamRequestHandler):
    def handle(self):
        seen.append("site")
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

ports = []
for handler in (Socks, Site):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports.append(server.server_address[1])
clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

for version, scheme, expected in (
    ("3.1.4", "socks5", "ATYP 3 localhost"),
    ("3.1.4", "socks5h", "site"),
    ("3.5.2", "socks5", "ATYP 1 127.0.0.1"),
    ("3.5.2", "socks5h", "ATYP 3 localhost"),
):
    seen.clear()
    command = [f"{sys.argv[1]}/{version}/target/debug/ask", f"http://localhost:{ports[1]}/"]
    environment = {**clean, "ALL_PROXY": f"{scheme}://127.0.0.1:{ports[0]}"}
    subprocess.run(command, env=environment, timeout=30)
    print(version, scheme, seen)
    assert expected in seen and (expected == "site") == ("site" in seen)
PY
