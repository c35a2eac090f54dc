#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12), Java I2P's core 2.7.0 (Maven Central): the encryption key in a destination is a filler.
#
# Guess: the first 256 bytes of a destination are its ElGamal public key, as the format says; a private key file has the
# private half of it; both look random.
# Seen: in an Ed25519 destination these 256 bytes and the 96 of padding behind them are eleven copies of the same 32
# bytes. The real keys are in the lease set, and change. Such a destination of 391 bytes packs to less than 200.
# So: nothing can be encrypted to a destination; a check that a key "looks random" refuses what today's routers make;
# and a test key of random bytes has another size than a real one as soon as a layer compresses.
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
cat > Make.java << 'END'
import java.io.ByteArrayOutputStream;
import net.i2p.client.I2PClientFactory;
import net.i2p.crypto.SigType;
import net.i2p.data.Base64;

class Make {
    public static void main(String[] args) throws Exception {
        ByteArrayOutputStream key = new ByteArrayOutputStream();
        I2PClientFactory.createClient().createDestination(key, SigType.EdDSA_SHA512_Ed25519);
        System.out.println(Base64.encode(key.toByteArray()));
        System.exit(0);
    }
}
END
mvn --quiet --batch-mode -Dmaven.repo.local="$dir/m2" dependency:copy-dependencies \
  -DoutputDirectory=lib &> maven.log || { cat maven.log; exit 1; }
start

expected='i2pd: 1 block in 11, packed below 200 bytes: True
Java: 1 block in 11, packed below 200 bytes: True'
seen=$(python3 - "$address" << 'END'
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
import subprocess, zlib

keys = {
    "i2pd": Sam().ask("DEST GENERATE SIGNATURE_TYPE=7").split("PRIV=")[1],
    "Java": subprocess.check_output(["java", "-cp", "lib/*", "Make.java"], text=True).strip(),
}
for name, text in keys.items():
    blob = base64.b64decode(text, b"-~")
    blocks = {blob[index:index + 32] for index in range(0, 352, 32)}
    print(f"{name}: {len(blocks)} block in 11, packed below 200 bytes: {len(zlib.compress(blob[:391])) < 200}")
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
