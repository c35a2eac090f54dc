#!/bin/sh
# Installs emissary, a router, from crates.io into the cache, where `deno task routers` looks for it and starts it on
# loopback only. Needs cargo, and some minutes.
set -eu

VERSION=0.4.0
ROOT="${XDG_CACHE_HOME:-$HOME/.cache}/i2p-socks/emissary"
PROGRAM="$ROOT/bin/emissary-cli"

if [ ! -x "$PROGRAM" ] || [ "$("$PROGRAM" --version)" != "emissary-cli $VERSION" ]; then
  nice cargo install emissary-cli --version "$VERSION" --locked --no-default-features --root "$ROOT"
fi
echo "$PROGRAM"
