#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): STREAM STATUS RESULT=OK comes before anybody answers, then ten quiet seconds.
#
# Guess: OK to STREAM CONNECT is what connect() is to TCP: the other side has taken the stream. Nobody there:
# CANT_REACH_PEER.
# Seen: the peer is a session that never accepts. OK comes at once, since the router has its lease set; bytes can be
# written; after ten seconds the socket ends. A peer that does accept looks the same up to its first byte. Java I2P
# sends OK when the peer has answered.
# So: a proxy that reports success to its client at OK may report a dead service, the first of several addresses that
# says OK need not be one that lives, and a time limit for connecting has to run on to the first byte.
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

expected='STREAM STATUS RESULT=OK at once
written without an error
end ten seconds later, no byte read'
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

caller, silent = sessions("caller", "silent")
started = time.monotonic()
stream = Sam()
answer = stream.ask(f"STREAM CONNECT ID=caller DESTINATION={silent.destination}")
print(answer, "at once" if time.monotonic() - started < 5 else "late")
stream.socket.sendall(b"hello\n")
print("written without an error")
rest = stream.file.read()
took = time.monotonic() - started
print("end", "ten" if 9 <= took <= 20 else round(took), "seconds later,", f"{len(rest) or 'no'} byte read")
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
