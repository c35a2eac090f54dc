#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12), txi2p-tahoe 0.3.7 (PyPI, as in Debian): the wider the range in HELLO, the older the answer.
#
# Guess: a bridge that speaks SAM 3.0 and 3.1 answers `MIN=3.0 MAX=3.3` with 3.1, the highest version that both have, as
# the protocol says. A library that asks for 3.0 to 3.2 then gets Ed25519 keys, as its documentation promises.
# Seen: if MAX is above what i2pd has, it answers MIN. `MIN=3.0 MAX=3.3` gives 3.0, `MIN=3.1 MAX=3.3` and no range at
# all give 3.1. txi2p asks for 3.0 to 3.2, is told 3.0, leaves out SIGNATURE_TYPE, which 3.0 does not have, and stores a
# DSA-SHA1 key of 884 characters (Ed25519 has 908). Nothing warns of it.
# So: name the version that you need as MIN, and never trust that a range ends at its upper end.
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
python3 -m pip install -qq --no-warn-conflicts --target python txi2p-tahoe==0.3.7 Twisted==26.10.0
start

expected='MIN=3.0 MAX=3.3 -> 3.0
MIN=3.0 MAX=3.1 -> 3.1
MIN=3.1 MAX=3.3 -> 3.1
no range -> 3.1
txi2p key: 884 characters, certificate 000000'
seen=$(PYTHONPATH=python python3 - "$address" << 'END'
import base64, socket, sys
from twisted.internet import reactor
from txi2p.utils import generateDestination

for wanted in ("MIN=3.0 MAX=3.3", "MIN=3.0 MAX=3.1", "MIN=3.1 MAX=3.3", ""):
    with socket.create_connection((sys.argv[1], 7656), 10) as sam:
        sam.sendall(f"HELLO VERSION {wanted}".strip().encode() + b"\n")
        print(wanted or "no range", "->", sam.makefile().readline().rstrip("\n").split("VERSION=")[1])

def stored(_):
    key = open("key").read().strip()
    print(f"txi2p key: {len(key)} characters, certificate {base64.b64decode(key, b'-~')[384:387].hex()}")
    reactor.stop()

def failed(failure):
    print(failure.getErrorMessage())
    reactor.stop()

generateDestination(reactor, "key", api="SAM", apiEndpoint=f"tcp:{sys.argv[1]}:7656").addCallbacks(stored, failed)
reactor.callLater(40, reactor.stop)
reactor.run()
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
