#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): a key in use is given out again, and ends for all when one of its holders leaves.
#
# Guess: a second session with a key that has one is refused with DUPLICATED_DEST, as SAM's specification says; or both
# live, each as long as its own control socket.
# Seen: the second SESSION CREATE is answered with OK in milliseconds (the first took twenty seconds). When the second
# one leaves, the destination is taken down under the first. Its control socket stays open and silent, STREAM ACCEPT
# still answers OK, CONNECT to the destination answers OK too, and no caller ever arrives.
# So: an application must see to it by itself that a key is used once (a lock beside the key file), and a service that
# wants to know whether it still stands has to call itself. Neither socket nor answer will say so.
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

expected='second session: SESSION STATUS RESULT=OK at once
caller before: STREAM STATUS RESULT=OK, accepted
first control socket after the second one left: silent
first STREAM ACCEPT: STREAM STATUS RESULT=OK
caller after: STREAM STATUS RESULT=OK, not accepted'
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

def silent(sam, limit):
    """Whether nothing comes for some seconds, not even the end."""
    sam.socket.settimeout(limit)
    try:
        return sam.socket.recv(4096) is None
    except TimeoutError:
        return True

def call():
    """Waits for a caller in the first session, calls, and says how it went on both sides."""
    service = Sam()
    accept = service.ask("STREAM ACCEPT ID=first")
    answer = Sam().ask(f"STREAM CONNECT ID=caller DESTINATION={first.destination}")
    return accept, f"{answer}, {'not accepted' if silent(service, 8) else 'accepted'}"

first, caller = sessions("first", "caller")
started = time.monotonic()
second = session("second", first.key)
print("second session: SESSION STATUS RESULT=OK", "at once" if time.monotonic() - started < 10 else "late")
print("caller before:", call()[1])
second.socket.close()
second.file.close()
print("first control socket after the second one left:", "silent" if silent(first, 8) else "ended")
accept, after = call()
print("first STREAM ACCEPT:", accept)
print("caller after:", after)
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
