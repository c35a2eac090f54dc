#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): lines of hosts.txt that look right and resolve to nothing.
#
# Guess: a hosts.txt from a Windows editor works, so do spaces around `=`, a destination without its padding (Java I2P
# takes it), and where a name stands twice, the first or the last line wins.
# Seen: lines that end in CR LF are refused one and all, as are unpadded destinations. A space before `=` belongs to the
# name, one behind it makes the destination unreadable. A name that stands twice resolves to neither: its entry points
# to the last destination, and only the first one was stored, so the router asks the network for the last one and gives
# up. Each time the answer is INVALID_KEY, as for a name that does not exist. A missing last LF and `#!` after the key
# do no harm.
# So: check a hosts.txt before a router eats it, for CR, for spaces, for padding, and for double names.
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
expected='plain OK
signed OK
cr INVALID_KEY
spaced INVALID_KEY
unpadded INVALID_KEY
twice INVALID_KEY
last OK'
python3 - << 'END' > data/hosts.txt
import base64, os

def destination():
    """An Ed25519 destination, of random keys; nobody is asked for it."""
    return base64.b64encode(os.urandom(384) + bytes.fromhex("05000400070000"), b"-~").decode()

print(f"plain.i2p={destination()}")
print(f"signed.i2p={destination()}#!date=1700000000#sig=x")
print(f"cr.i2p={destination()}\r")
print(f"spaced.i2p = {destination()}")
print(f"unpadded.i2p={destination().rstrip('=')}")
print(f"twice.i2p={destination()}")
print(f"twice.i2p={destination()}")
print(f"last.i2p={destination()}", end="")
END
start
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

for name in ("plain", "signed", "cr", "spaced", "unpadded", "twice", "last"):
    print(name, Sam().ask(f"NAMING LOOKUP NAME={name}.i2p").split("RESULT=")[1].split()[0])
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
