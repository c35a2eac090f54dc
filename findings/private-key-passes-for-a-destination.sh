#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12), Java I2P's core 2.7.0 (Maven Central): a private key passes for a destination.
#
# Guess: where a destination belongs (516 or 524 letters of base64), the private key of one (884 or 908) is refused, so
# that a user who pastes the wrong text is warned.
# Seen: the key begins with the destination, and both routers read that and drop the rest without a word. i2pd answers
# OK to NAMING LOOKUP and STREAM CONNECT with it, and opens the stream; Java's Destination(String) returns the
# destination.
# So: the mistake works on, and the secret stays in address books, command lines, logs and bookmarks. Whoever reads a
# destination must compare its length (387 and the certificate's) with what came.
set -euo pipefail

dir=$(mktemp -d)
router=
trap '{ [ -z "$router" ] || { kill -KILL "$router"; wait "$router"; }; } 2> /dev/null || :; rm -rf "$dir"' EXIT
cd "$dir"

# The router, unpacked and not installed, on a loopback address of its own: no reseed, no hops, no other router.
apt-get download -qq -o APT::Sandbox::User=root i2pd=2.45.1-1 libboost-filesystem1.74.0=1.74.0+ds1-21 \
  libboost-program-options1.74.0=1.74.0+ds1-21 libminiupnpc17=2.2.4-1+b1
for package in *.deb; do dpkg -x "$package" root; done
address=127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).1
mkdir data
echo '#' > data/subscriptions.txt
cat > i2pd.conf << END
log = file
netid = 57
ipv6 = false
nat = false
host = $address
address4 = $address
port = 4567
floodfill = true
ssu2.enabled = false
http.enabled = false
httpproxy.enabled = false
socksproxy.enabled = false
sam.address = $address
exploratory.inbound.length = 0
exploratory.outbound.length = 0
reseed.urls =
reseed.yggurls =
reseed.threshold = 0
addressbook.defaulturl =
addressbook.subscriptions =
nettime.enabled = false
persist.profiles = false
END
start() {
  LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) root/usr/sbin/i2pd --datadir="$dir/data" --conf="$dir/i2pd.conf" \
    --tunconf="$dir/tunnels.conf" > /dev/null &
  router=$!
  for _ in {1..100}; do (exec 3<> "/dev/tcp/$address/7656") 2> /dev/null && return; sleep 0.1; done
  return 1
}
cat > pom.xml << 'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>finding</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>net.i2p</groupId>
      <artifactId>i2p</artifactId>
      <version>2.7.0</version>
    </dependency>
  </dependencies>
</project>
END
cat > Paste.java << 'END'
import java.io.ByteArrayOutputStream;
import net.i2p.client.I2PClientFactory;
import net.i2p.crypto.SigType;
import net.i2p.data.Base64;
import net.i2p.data.Destination;

class Paste {
    public static void main(String[] args) throws Exception {
        ByteArrayOutputStream key = new ByteArrayOutputStream();
        Destination made = I2PClientFactory.createClient().createDestination(key, SigType.EdDSA_SHA512_Ed25519);
        String pasted = Base64.encode(key.toByteArray());
        Destination read = new Destination(pasted);
        System.out.println("Java: " + pasted.length() + " letters, the same destination: " + read.equals(made));
        System.exit(0);
    }
}
END
start

expected='i2pd, NAMING LOOKUP: 908 letters, the same destination: true
i2pd, STREAM CONNECT: STREAM STATUS RESULT=OK, accepted: true
Java: 908 letters, the same destination: true'
python3 - "$address" << 'END' > seen &
import base64, hashlib, socket, sys, time
from concurrent.futures import ThreadPoolExecutor

class Sam:
    def __init__(self, hello="HELLO VERSION MIN=3.1 MAX=3.1"):
        self.socket = socket.create_connection((sys.argv[1], 7656), 45)
        self.file = self.socket.makefile("rb")
        self.greeting = self.ask(hello)

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\n")
        return self.read()

    def read(self):
        return self.file.readline().decode().rstrip("\n")

def session(name, key="TRANSIENT SIGNATURE_TYPE=7"):
    """A session at zero hops, with the kind of lease set that one router alone can serve, and its destination."""
    control = Sam()
    reply = control.ask(f"SESSION CREATE STYLE=STREAM ID={name} DESTINATION={key} inbound.length=0 outbound.length=0 "
                        "i2cp.leaseSetType=1 i2cp.leaseSetEncType=0")
    control.key = reply.split("DESTINATION=")[1]
    blob = base64.b64decode(control.key, b"-~")
    public = blob[:387 + int.from_bytes(blob[385:387], "big")]
    control.destination = base64.b64encode(public, b"-~").decode()
    control.b32 = base64.b32encode(hashlib.sha256(public).digest()).decode().lower().rstrip("=")
    return control

def sessions(*names):
    """Several at once: each takes the router twenty seconds."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(session, names))

caller, service = sessions("caller", "service")
reply = Sam().ask(f"NAMING LOOKUP NAME={service.key}")
print(f"i2pd, NAMING LOOKUP: {len(service.key)} letters, the same destination:",
      str(reply.endswith(" VALUE=" + service.destination)).lower())
accept, stream = Sam(), Sam()
accept.ask("STREAM ACCEPT ID=service")
answer = stream.ask(f"STREAM CONNECT ID=caller DESTINATION={service.key}")
print(f"i2pd, STREAM CONNECT: {answer}, accepted:", str(accept.read() == caller.destination).lower())
END
client=$!
mvn --quiet --batch-mode -Dmaven.repo.local="$dir/m2" dependency:copy-dependencies \
  -DoutputDirectory=lib &> maven.log || { cat maven.log; exit 1; }
java=$(java -cp 'lib/*' Paste.java)
wait "$client"
seen=$(cat seen; echo "$java")
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
