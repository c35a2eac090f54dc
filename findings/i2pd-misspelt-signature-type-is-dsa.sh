#!/usr/bin/env bash
# i2pd 2.45.1 (Debian 12): a signature type's name has one spelling; any other gives the oldest type and success.
#
# Guess: `DEST GENERATE SIGNATURE_TYPE=eddsa_sha512_ed25519` makes an Ed25519 key, since Java I2P reads the names in any
# case, and a name that the router does not know is refused, as there ("SIGNATURE_TYPE x unsupported").
# Seen: EdDSA_SHA512_Ed25519 and 7 are Ed25519. The same name in small letters or in capitals, or the short Ed25519, is
# answered just as happily with a DSA-SHA1 key: 516 letters, no certificate, 20 bytes of signing key. The key lasts, and
# with it the weak signature and the address.
# So: write the number, and look at the certificate of what came back, instead of trusting that there was no error.
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

expected='7: certificate 05000400070000, 32 bytes of signing key
EdDSA_SHA512_Ed25519: certificate 05000400070000, 32 bytes of signing key
eddsa_sha512_ed25519: certificate 000000, 20 bytes of signing key
EDDSA_SHA512_ED25519: certificate 000000, 20 bytes of signing key
Ed25519: certificate 000000, 20 bytes of signing key'
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

sam = Sam()
for kind in ("7", "EdDSA_SHA512_Ed25519", "eddsa_sha512_ed25519", "EDDSA_SHA512_ED25519", "Ed25519"):
    words = dict(word.split("=", 1) for word in sam.ask(f"DEST GENERATE SIGNATURE_TYPE={kind}").split() if "=" in word)
    public, private = (base64.b64decode(words[name], b"-~") for name in ("PUB", "PRIV"))
    # A private key file is the destination, 256 bytes of encryption key, and the signing key.
    print(f"{kind}: certificate {public[384:].hex()}, {len(private) - len(public) - 256} bytes of signing key")
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
