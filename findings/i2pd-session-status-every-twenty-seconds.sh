#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): SESSION CREATE is answered after 20 seconds, never sooner, whatever the tunnels need.
#
# Guess: the answer comes as soon as the tunnels of the session stand; at zero hops on one machine that is at once.
# Seen: the router looks every 20 seconds whether the session is ready, and first after 20. The session takes calls
# before: STREAM ACCEPT by its ID is OK from the first moment, and a CONNECT through it succeeds seconds before the
# router says that there is a session. A session that misses the first look is told at 40, 60 and so on. (Read, not run:
# 2.46 looks every 3 seconds.)
# So: a limit of 10, 15 or 20 seconds for a session, as many libraries have, fails each time on this version and never
# on the developer's newer one; wait for at least a minute. A client that knows better can use the session before its
# STATUS.
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

expected='ACCEPT at once: STREAM STATUS RESULT=OK
CONNECT before the STATUS: STREAM STATUS RESULT=OK
STATUS after 20 seconds'
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

# The keys are made beforehand, so that the destination is known before the session is.
words = dict(word.split("=", 1) for word in Sam().ask("DEST GENERATE SIGNATURE_TYPE=7").split() if "=" in word)
with ThreadPoolExecutor() as pool:
    started = time.monotonic()
    pending = [pool.submit(session, "service", words["PRIV"]), pool.submit(session, "caller")]
    time.sleep(1)
    print("ACCEPT at once:", Sam().ask("STREAM ACCEPT ID=service"))
    answer = ""
    while not answer.endswith("OK") and time.monotonic() - started < 19:
        time.sleep(0.25)
        answer = Sam().ask(f"STREAM CONNECT ID=caller DESTINATION={words['PUB']}")
    print("CONNECT before the STATUS:", answer)
    for each in pending:
        each.result()
    took = time.monotonic() - started
    print("STATUS after", 20 if 19.9 <= took < 25 else round(took), "seconds")
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
