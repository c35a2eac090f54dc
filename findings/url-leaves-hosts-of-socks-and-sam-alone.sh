#!/usr/bin/env bash
# Deno 2.9.6 (npm): `new URL()` tidies the host of http: and leaves that of socks5:, sam: and i2p: as it was typed.
#
# Guess: a URL's hostname is lower-case, IPv4 in four decimal numbers, whatever the scheme, so that it can be compared
# with "127.0.0.1" or looked up in a list of names; and "localhost:7656" without a scheme is refused.
# Seen: that holds for http:, https:, ws:, wss:, ftp: and file: alone. sam://127.1, sam://0x7f.1 and
# socks5://EXAMPLE.I2P keep their spelling, though a connect() reaches the same host. IPv6 is tidied everywhere.
# "localhost:7656" is a URL, of the scheme "localhost:", with no host at all; "127.0.0.1:7656" is refused.
# So: parse the address of a proxy or a bridge as http://ADDRESS, or compare what the name resolves to, not the text.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6
deno=node/node_modules/.bin/deno

cat > url.ts << 'END'
for (const text of ["http://127.1:7656", "sam://127.1:7656", "http://0x7f.1/", "sam://0x7f.1/", "http://EXAMPLE.I2P/",
  "socks5://EXAMPLE.I2P/", "sam://[0::1]/", "localhost:7656", "127.0.0.1:7656"]) {
  const url = URL.parse(text);
  console.log(`${text} -> ${url === null ? "refused" : `scheme ${url.protocol} host "${url.hostname}"`}`);
}
END
expected='http://127.1:7656 -> scheme http: host "127.0.0.1"
sam://127.1:7656 -> scheme sam: host "127.1"
http://0x7f.1/ -> scheme http: host "127.0.0.1"
sam://0x7f.1/ -> scheme sam: host "0x7f.1"
http://EXAMPLE.I2P/ -> scheme http: host "example.i2p"
socks5://EXAMPLE.I2P/ -> scheme socks5: host "EXAMPLE.I2P"
sam://[0::1]/ -> scheme sam: host "[::1]"
localhost:7656 -> scheme localhost: host ""
127.0.0.1:7656 -> refused'
seen=$("$deno" run --quiet --no-prompt url.ts)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
