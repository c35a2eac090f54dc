#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): move SAM to another TCP port, and its datagram port moves too, to one that nobody says.
#
# Guess: sam.port moves the bridge, and datagrams stay at UDP 7655, the port that SAM's specification names and
# libraries have built in (@diva.exchange/i2p-sam, yosemite, leaflet, i2psam); it has a setting of its own if it is to
# move.
# Seen: with sam.port = 17000 the router takes datagrams at UDP 16999, one below, and has no setting for it (newer
# versions have one). Nothing is at 7655; and since a datagram to a closed port is an error that few look at, a library
# that sends there reports success.
# So: with this router the UDP port is the TCP port less one, and two routers on one address must not take neighbouring
# ports.
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
  for _ in {1..100}; do (exec 3<> "/dev/tcp/$address/17000") 2> /dev/null && return; sleep 0.1; done
  return 1
}
cat >> i2pd.conf << 'END'
sam.port = 17000
END
start

expected='settings: sam.address sam.enabled sam.port sam.singlethread
bound: 17000/tcp 16999/udp'
seen=$(
  export LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu)
  echo "settings:" $(root/usr/sbin/i2pd --help | grep -o 'sam\.[a-z]*' | sort)
  python3 - "$address" << 'END'
import errno, socket, sys

bound = []
for kind, name in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")):
    for port in (17000, 16999, 7656, 7655):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((sys.argv[1], port))
            except OSError as error:
                assert error.errno == errno.EADDRINUSE
                bound.append(f"{port}/{name}")
print("bound:", *bound)
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
