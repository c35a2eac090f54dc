#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12), Java I2P's core 2.7.0, @diva.exchange/i2p-sam 5.5.2 (npm): new keys are DSA-SHA1.
#
# Guess: a router or a library of today makes Ed25519 keys when nothing is said, as routers do for their own tunnels,
# and the option SIGNATURE_TYPE=7 among the session's options makes the npm library's keys Ed25519.
# Seen: `DEST GENERATE` and `SESSION CREATE … DESTINATION=TRANSIENT` without SIGNATURE_TYPE, Java's
# createDestination(stream) and the library's createLocalDestination all give DSA-SHA1 (1024 bits), the type that I2P
# has been leaving since 2014. The npm library makes its key by a bare DEST GENERATE before the session, so the option
# comes too late and changes nothing.
# So: say the type in each command that makes a key; a key that lasts keeps its type, and its address, for good.
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

class Make {
    public static void main(String[] args) throws Exception {
        var made = I2PClientFactory.createClient().createDestination(new ByteArrayOutputStream());
        System.out.println("Java createDestination: " + made.getSigningPublicKey().getType());
        System.exit(0);
    }
}
END
npm install --silent --no-fund --no-audit --prefix node @diva.exchange/i2p-sam@5.5.2
cat > node/make.mjs << 'END'
import { createLocalDestination } from "@diva.exchange/i2p-sam";

const sam = { host: process.argv[2] };
const session = { options: "SIGNATURE_TYPE=7" };
console.log("i2p-sam, nothing said:", (await createLocalDestination({ sam })).public.length, "letters");
console.log("i2p-sam, SIGNATURE_TYPE=7:", (await createLocalDestination({ sam, session })).public.length, "letters");
process.exit();
END
mvn --quiet --batch-mode -Dmaven.repo.local="$dir/m2" dependency:copy-dependencies \
  -DoutputDirectory=lib &> maven.log || { cat maven.log; exit 1; }
start

# A destination of DSA has 516 letters and no certificate, one of Ed25519 has 524.
expected='DEST GENERATE: 516 letters
i2p-sam, nothing said: 516 letters
i2p-sam, SIGNATURE_TYPE=7: 516 letters
Java createDestination: DSA_SHA1'
seen=$(
  exec 3<> "/dev/tcp/$address/7656"
  printf 'HELLO VERSION MIN=3.1 MAX=3.1\n' >&3
  read -r _ <&3
  printf 'DEST GENERATE\n' >&3
  read -r _ _ public _ <&3
  public=${public#PUB=}
  echo "DEST GENERATE: ${#public} letters"
  node node/make.mjs "$address"
  java -cp 'lib/*' Make.java
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
