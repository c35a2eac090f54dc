#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): each peer of a SAM session, and each transient session, leaves a file that stays.
#
# Guess: TRANSIENT means that nothing of the session is left when it ends; peers are not written anywhere; the address
# book holds names that somebody put there.
# Seen: of each STREAM CONNECT to a full destination that destination is written to addressbook/bX/ADDRESS.b32, and of
# each accepted stream the caller's, though neither has a name and nobody asked for it. Each session leaves
# destinations/ADDRESS.0.dat, the encryption keys of its lease set under its address, for transient ones too. All of it
# is there after sessions and router have ended, in files whose mode is 644.
# So: "transient" says nothing about the disk. A private mode of an application needs a data folder on tmpfs, or a
# clean-up of its own, and whoever can read the folder reads who talked to whom.
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
umask 022
start

expected='called one in addressbook/: 391 bytes, mode 644
caller in addressbook/: 391 bytes, mode 644
called one in destinations/: 512 bytes, mode 644
caller in destinations/: 512 bytes, mode 644'
python3 - "$address" << 'END' > addresses
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

caller, called = sessions("caller", "called")
service = Sam()
service.ask("STREAM ACCEPT ID=called")
Sam().ask(f"STREAM CONNECT ID=caller DESTINATION={called.destination}")
service.read()
print(called.b32, caller.b32)
END
sleep 1
kill "$router"
wait "$router" || true
router=
read -r called caller < addresses
seen=$(
  stat -c 'called one in addressbook/: %s bytes, mode %a' data/addressbook/b?/"$called".b32
  stat -c 'caller in addressbook/: %s bytes, mode %a' data/addressbook/b?/"$caller".b32
  stat -c 'called one in destinations/: %s bytes, mode %a' data/destinations/"$called".0.dat
  stat -c 'caller in destinations/: %s bytes, mode %a' data/destinations/"$caller".0.dat
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
