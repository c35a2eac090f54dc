#!/usr/bin/env bash
# i2psam 1.0.0, txi2p-tahoe 0.3.7 (PyPI), on i2pd 2.45.1: a refusal arrives as a fault of the library.
#
# Guess: an unknown name, or an ID that is in use, gives the library's own error, with the router's result to decide on:
# i2psam has reply.is_ok and reply.result for that, txi2p maps results to Twisted's errors (UnknownHostError and so on).
# Seen: i2psam demands VALUE in each reply to a look-up and VERSION in each to HELLO, which refusals lack, and knows
# neither INVALID_ID nor DUPLICATED_ID: it raises "Could not parse reply". txi2p looks a result up in its table and
# calls what it finds: DUPLICATED_ID is not in it, so the failure is a TypeError.
# So: above these libraries nobody can tell "no such name" from a broken bridge, and a retry on unexpected errors tries
# for ever what the router has refused for good.
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
python3 -m pip install -qq --no-warn-conflicts --target python i2psam==1.0.0 pydantic==2.14.4 \
  txi2p-tahoe==0.3.7 Twisted==26.10.0
start

expected='i2psam, unknown name: SAMError: Could not parse reply
i2psam, unknown ID: SAMError: Could not parse reply
txi2p, ID in use: TypeError: '"'NoneType' object is not callable"
seen=$(PYTHONPATH=python python3 - "$address" << 'END'
import asyncio, socket, sys
from i2psam import SAMClient, SAMConfig
from i2psam.commands import StreamConnect
from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString
from txi2p.sam import getSession

async def main():
    config = SAMConfig()
    config.host = sys.argv[1]
    client = SAMClient(config)
    for what, asked in (("name", client.naming_lookup("unknown.i2p")),
                        ("ID", client.request(StreamConnect(ID="unknown", DESTINATION="unknown.i2p")))):
        try:
            print(f"i2psam, unknown {what}:", (await asked).result)
        except Exception as error:
            print(f"i2psam, unknown {what}: {type(error).__name__}:", str(error)[:21])

asyncio.run(main())

# The ID is in use from here on, while its session is being built.
taken = socket.create_connection((sys.argv[1], 7656))
taken.sendall(b"HELLO VERSION MIN=3.1 MAX=3.1\n")
taken.recv(4096)
taken.sendall(b"SESSION CREATE STYLE=STREAM ID=taken DESTINATION=TRANSIENT\n")

def failed(failure):
    print(f"txi2p, ID in use: {failure.type.__name__}:", failure.getErrorMessage())

pending = getSession("taken", samEndpoint=clientFromString(reactor, f"tcp:{sys.argv[1]}:7656"))
pending.addErrback(failed).addBoth(lambda _: reactor.stop())
reactor.callLater(30, reactor.stop)
reactor.run()
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
