#!/bin/sh
# Installs emissary, a router, from crates.io into the cache, where `deno task routers` looks for it. Needs cargo and a
# quarter of an hour. With `start` behind it, starts a network of it on loopback as well, and ends with Ctrl+C.
set -eu

VERSION=0.4.0
ROOT="${XDG_CACHE_HOME:-$HOME/.cache}/i2p-socks/emissary"
PROGRAM="$ROOT/bin/emissary-cli"

if [ ! -x "$PROGRAM" ] || [ "$("$PROGRAM" --version)" != "emissary-cli $VERSION" ]; then
  nice cargo install emissary-cli --version "$VERSION" --locked --no-default-features --root "$ROOT"
fi
echo "$PROGRAM"

# A router of its own network, with nothing that leaves the machine: no reseed, no UPnP, no NAT-PMP.
if [ "${1:-}" = start ]; then
  exec "$PROGRAM" devnet --num-floodfills 2 --num-routers 2
fi
