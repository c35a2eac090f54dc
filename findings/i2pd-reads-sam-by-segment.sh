#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): a segment of TCP is a command of SAM, and the rest of it is thrown away.
#
# Guess: SAM is lines over TCP, so it does not matter how TCP cuts them: two commands in one write get two answers, and
# a HELLO that comes in two writes gets its answer.
# Seen: of two commands in one segment only the first is answered, the second never (no error either, the socket lives
# on and answers the next one). A HELLO in two segments is closed without a word. After HELLO a command in two segments
# is fine.
# So: one command, one write, then wait for the answer; and write HELLO whole. A client that sends HELLO and SESSION
# CREATE together to save a round trip waits for ever here, and works on Java I2P.
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

expected='HELLO with a look-up behind it: HELLO REPLY RESULT=OK VERSION=3.1, then silence
two look-ups in one segment: NAME=one.i2p, then silence
the next one: NAME=three.i2p
a look-up in two segments: NAME=four.i2p
HELLO in two segments: closed'
seen=$(python3 - "$address" << 'END'
import socket, sys, time

HELLO = b"HELLO VERSION MIN=3.1 MAX=3.1\n"

def connect():
    sam = socket.create_connection((sys.argv[1], 7656), 10)
    sam.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sam

def read(sam, limit=20):
    """What comes next within some seconds."""
    sam.settimeout(limit)
    try:
        return sam.recv(4096).decode().rstrip("\n") or "closed"
    except TimeoutError:
        return "silence"
    except ConnectionError:
        return "closed"

def name(reply):
    return next(word for word in reply.split() if word.startswith("NAME="))

sam = connect()
sam.sendall(HELLO + b"NAMING LOOKUP NAME=zero.i2p\n")
print(f"HELLO with a look-up behind it: {read(sam)}, then {read(sam, 3)}")
sam.sendall(b"NAMING LOOKUP NAME=one.i2p\nNAMING LOOKUP NAME=two.i2p\n")
print(f"two look-ups in one segment: {name(read(sam))}, then {read(sam, 3)}")
sam.sendall(b"NAMING LOOKUP NAME=three.i2p\n")
print("the next one:", name(read(sam)))
sam.sendall(b"NAMING LOOKUP NA")
time.sleep(0.5)
sam.sendall(b"ME=four.i2p\n")
print("a look-up in two segments:", name(read(sam)))
sam = connect()
sam.sendall(HELLO[:9])
time.sleep(0.5)
try:
    sam.sendall(HELLO[9:])
except ConnectionError:
    pass
print("HELLO in two segments:", read(sam))
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
