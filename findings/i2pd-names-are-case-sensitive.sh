#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): host names of I2P have case, and nothing is trimmed from them.
#
# Guess: a host name is a host name: EXAMPLE.i2p, Example.I2P, a dot at the end, and `.i2p.alt` (RFC 9476) find what
# example.i2p finds, and so does an address in capitals, since base32 has no case.
# Seen: each of them is INVALID_KEY, the answer for unknown names and for unreadable keys alike (KEY_NOT_FOUND never
# comes). A name that has capitals in hosts.txt can only be asked for with them, so a client that lower-cases names, as
# browsers and URL parsers do, cannot reach it. Java I2P ignores case and takes `.alt`.
# So: lower-case and trim in the client before the router sees a name; and know that a capital in hosts.txt hides a
# site.
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
# An Ed25519 destination, of random keys; nobody is asked for it.
destination() {
  { head -c 384 /dev/urandom; printf '\5\0\4\0\7\0\0'; } | base64 --wrap=0 | tr '+/' '-~'
}
printf 'example.i2p=%s\nCapital.i2p=%s\n' "$(destination)" "$(destination)" > data/hosts.txt
start

expected='example.i2p OK
EXAMPLE.i2p INVALID_KEY
example.I2P INVALID_KEY
example.i2p. INVALID_KEY
example.i2p.alt INVALID_KEY
Capital.i2p OK
capital.i2p INVALID_KEY
unknown.i2p INVALID_KEY'
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

sam = Sam()
for name in ("example.i2p", "EXAMPLE.i2p", "example.I2P", "example.i2p.", "example.i2p.alt", "Capital.i2p",
             "capital.i2p", "unknown.i2p"):
    print(name, sam.ask(f"NAMING LOOKUP NAME={name}").split("RESULT=")[1].split()[0])
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
