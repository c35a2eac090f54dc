#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): a .b32.i2p address has sixteen spellings and endless endings, all the same site.
#
# Guess: an address is a hash, so exactly one text stands for it, and a changed letter is another site or an error. The
# same goes for a destination in base64. (Java I2P's classes refuse every other spelling.)
# Seen: 52 letters carry 260 bits, the hash has 256, and i2pd drops the last four: all sixteen last letters from `a` to
# `p`, or from `q` to `7`, are one site. Whatever follows `.b32.i2p` is ignored as well (`.b32.i2pfoo`, `.b32.i2p.`),
# and in base64 four unused bits of the last letter. Capitals, on the other hand, are refused.
# So: whoever keys an allow list, a cache, a cookie jar or an identity by the text of the name has sixteen entries for
# one site. Compare decoded hashes, or refuse an address whose last letter is neither `a` nor `q`.
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

expected='last letters that find the site: 16 of 32
.b32.i2p. OK, .b32.i2pfoo OK, .B32.I2P INVALID_KEY
base64, one bit changed behind its end: OK, padding left out: INVALID_KEY'
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

def found(name):
    """The answer about a name, and whether it is this site's."""
    words = dict(word.split("=", 1) for word in Sam().ask(f"NAMING LOOKUP NAME={name}").split() if "=" in word)
    assert words.get("VALUE", site.destination) == site.destination
    return words["RESULT"]

site, = sessions("site")
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# The router asks its network for every other hash, so the sixteen others are asked for at once.
half = LETTERS.index(site.b32[-1]) // 16
with ThreadPoolExecutor() as pool:
    results = list(pool.map(found, [f"{site.b32[:-1]}{letter}.b32.i2p" for letter in LETTERS]))
assert [result == "OK" for result in results] == [index // 16 == half for index in range(32)]
print("last letters that find the site:", results.count("OK"), "of 32")
print(", ".join(f"{end} {found(site.b32 + end)}" for end in (".b32.i2p.", ".b32.i2pfoo", ".B32.I2P")))
assert site.destination.endswith("A==")
print("base64, one bit changed behind its end:", found(site.destination[:-3] + "B=="), end=", ")
print("padding left out:", found(site.destination[:-2]))
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
