#!/usr/bin/env bash
# Ruby 3.1.2 of Debian 12 with ruby-socksify 1.7.1: Net::HTTP.SOCKSProxy connects to the site directly, without a word.
#
# Guess: the method that the library has for this, Net::HTTP.SOCKSProxy(HOST, PORT), sends requests through the proxy.
# Seen: no connection reaches the proxy. The library replaces TCPSocket's constructor, and this Net::HTTP opens its
# connections with Socket.tcp, which does not use it; what the library hands over as address turns into the site's name.
# TCPSocket.socks_server, which is to hold for the whole process, is passed over in the same way. The answer of the site
# arrives, so nothing looks wrong. TCPSocket itself asks the proxy.
# Output:
#   Net::HTTP.SOCKSProxy   ['site'] 200
#   TCPSocket.socks_server ['site'] 200
#   Socksify.proxy         ['proxy']
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

version="3.1.7+really3.1.2-0+deb12u1"
(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "ruby3.1=$version" "libruby3.1=$version" \
  ruby-socksify=1.7.1+gh-1)
for package in "$dir"/*.deb; do dpkg -x "$package" "$dir/unpacked"; done

python3 - "$dir/unpacked" <<'PY'
import glob, socketserver, subprocess, sys, threading

root, seen = sys.argv[1], []
library, = glob.glob(f"{root}/usr/lib/*/libruby-3.1.so.3.1")
libraries = library.rpartition("/")[0]
environment = {
    "PATH": "/usr/bin:/bin",
    "LD_LIBRARY_PATH": libraries,
    "RUBYLIB": f"{root}/usr/lib/ruby/vendor_ruby:{root}/usr/lib/ruby/3.1.0:{libraries}/ruby/3.1.0",
}

class Proxy(socketserver.StreamRequestHandler):
    def handle(self):
        seen.append("proxy")

class Site(socketserver.StreamRequestHandler):
    def handle(self):
        seen.append("site")
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

ports = []
for handler in (Proxy, Site):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports.append(server.server_address[1])
proxy, site = ports

def run(name, code):
    seen.clear()
    # By default the library leaves localhost to a direct connection.
    code = f"TCPSocket.socks_ignores.clear; {code}"
    ruby = [f"{root}/usr/bin/ruby3.1", "-rsocksify/http", "-e", code]
    result = subprocess.run(ruby, capture_output=True, text=True, timeout=60, env=environment)
    print(name, seen, result.stdout.strip(), result.stderr.strip().split("\n")[0])
    return seen

url = f'URI("http://127.0.0.1:{site}/")'
assert run(
    "Net::HTTP.SOCKSProxy", f'puts Net::HTTP.SOCKSProxy("127.0.0.1", {proxy}).get_response({url}).code'
) == ["site"]
assert run(
    "TCPSocket.socks_server",
    f'TCPSocket.socks_server = "127.0.0.1"; TCPSocket.socks_port = {proxy}; puts Net::HTTP.get_response({url}).code',
) == ["site"]
assert run(
    "Socksify.proxy", f'Socksify.proxy("127.0.0.1", {proxy}) {{ TCPSocket.new("127.0.0.1", {site}) }} rescue 0'
) == ["proxy"]
PY
