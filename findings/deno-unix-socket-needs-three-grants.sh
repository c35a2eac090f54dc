#!/usr/bin/env bash
# Deno 2.9.6 (npm): a Unix socket needs net, read and write for its path, to connect as well.
#
# Guess: --allow-net covers sockets; or, as a Unix socket is a file, --allow-read and --allow-write of its path do.
# Seen: neither does. --allow-net alone (everything!) lacks read, --allow-read and --allow-write lack `unix:PATH` under
# net, and net with one of the two lacks the other: each time NotCapable, one grant named at a time. The three together
# work. A listener must thus be able to read and write its path as a file, and so can whatever else runs in that
# program.
# So: give a socket a folder of its own, or the right to listen is the right to read what lies beside it.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6
deno=node/node_modules/.bin/deno

cat > socket.ts << 'END'
const [path] = Deno.args;
try {
  using _listener = Deno.listen({ transport: "unix", path });
  using _conn = await Deno.connect({ transport: "unix", path });
  console.log("works");
} catch (error) {
  console.log((error as Error).message.replace(/ access.*/s, ""));
}
END
socket=$dir/socket
try() {
  echo "$1: $("$deno" run --quiet --no-prompt ${@:2} socket.ts "$socket")"
}
expected='net: Requires read
read, write: Requires net
net of the path, read: Requires write
net of the path, write: Requires read
net of the path, read, write: works'
seen=$(
  try "net" --allow-net
  try "read, write" --allow-read="$socket" --allow-write="$socket"
  try "net of the path, read" --allow-net=unix:"$socket" --allow-read="$socket"
  try "net of the path, write" --allow-net=unix:"$socket" --allow-write="$socket"
  try "net of the path, read, write" --allow-net=unix:"$socket" --allow-read="$socket" --allow-write="$socket"
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
