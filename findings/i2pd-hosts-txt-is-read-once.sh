#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): hosts.txt counts at the first start only, and never again.
#
# Guess: hosts.txt in the data folder is to I2P what /etc/hosts is to the machine: a new line works at once, or at least
# after a restart, and a line that is taken out is gone.
# Seen: i2pd reads the file when its own address book is empty, which is the first start. Then it writes
# addressbook/addresses.csv and reads only that: a line added later stays unknown through any number of restarts, a line
# taken out goes on resolving. Deleting the folder addressbook brings the file back (and loses the rest of the book).
# So: names for a test or a fresh machine go into hosts.txt before the router has ever run.
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
# An Ed25519 destination, of random keys; nobody is asked for it.
destination() {
  { head -c 384 /dev/urandom; printf '\5\0\4\0\7\0\0'; } | base64 --wrap=0 | tr '+/' '-~'
}
again() {
  sleep 1 # The router writes its book in its own time.
  kill "$router"
  wait "$router" || true
  start
}
ask() {
  exec 3<> "/dev/tcp/$address/7656"
  printf 'HELLO VERSION MIN=3.1 MAX=3.1\n' >&3
  read -r _ <&3
  printf 'NAMING LOOKUP NAME=%s\n' "$1" >&3
  read -r _ _ result _ <&3
  echo "$2: $1 $result"
}

expected='first start: first.i2p RESULT=OK
line added, running: second.i2p RESULT=INVALID_KEY
line added, restarted: second.i2p RESULT=INVALID_KEY
line taken out, restarted: first.i2p RESULT=OK
book deleted, restarted: second.i2p RESULT=OK
book deleted, restarted: first.i2p RESULT=INVALID_KEY'
second=second.i2p=$(destination)
echo "first.i2p=$(destination)" > data/hosts.txt
start
{
  ask first.i2p "first start"
  echo "$second" >> data/hosts.txt
  ask second.i2p "line added, running"
  again
  ask second.i2p "line added, restarted"
  echo "$second" > data/hosts.txt
  again
  ask first.i2p "line taken out, restarted"
  kill "$router"
  wait "$router" || true
  rm -r data/addressbook
  start
  ask second.i2p "book deleted, restarted"
  ask first.i2p "book deleted, restarted"
} > seen
seen=$(< seen)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
