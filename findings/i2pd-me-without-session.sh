#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): whoever has no session is told the router's own destination for NAME=ME.
#
# Guess: `NAMING LOOKUP NAME=ME` means the destination of this session, so on a socket without one it is an error; Java
# I2P closes the socket. A health check may therefore use ME to see that its session still stands.
# Seen: OK, with a destination that nobody made over SAM: the one that the router shares among its own tunnels and
# look-ups, the same on every socket. It is Ed25519, whatever SIGNATURE_TYPE the client means to use. A client that
# takes it for its own prints an address at which nobody listens for it, and a check by ME passes though the session is
# gone.
# So: ask ME only on the socket whose SESSION CREATE was answered with OK, and compare with the key in that answer.
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
start

expected='first socket: RESULT=OK, certificate 05000400070000
second socket: the same destination'
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

first, second = (Sam().ask("NAMING LOOKUP NAME=ME").split() for _ in range(2))
certificate = base64.b64decode(first[4].split("=", 1)[1], b"-~")[384:].hex()
print(f"first socket: {first[2]}, certificate {certificate}")
print("second socket:", "the same destination" if first == second else second)
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
