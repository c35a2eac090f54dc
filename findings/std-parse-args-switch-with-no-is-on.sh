#!/usr/bin/env bash
# @std/cli of deno-std 1.4.0 (npm) on Deno 2.9.6: a switch that is given `=no`, `=0` or `=off` is on.
#
# Guess: a value of a `boolean` option is read as a boolean or refused: `--publish=no` is false, or an error.
# Seen: any value but the word `false` is true: `=no`, `=0`, `=off`, `=False`, even the empty one. As a word of its own
# `no` is a positional argument and the switch is on; only `--publish false` and `--publish=false` turn it off, and
# there the word is swallowed, so that a file called `false` or `true` behind a switch disappears.
# So: give switches no values, or declare them `string` and read the word oneself.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6 deno-std@1.4.0
deno=node/node_modules/.bin/deno

cat > no.mjs << 'END'
import { parseArgs } from "./node/node_modules/deno-std/cli/parse_args.js";

for (const given of [["--publish=no"], ["--publish=0"], ["--publish=off"], ["--publish=False"], ["--publish="],
  ["--publish=false"], ["--publish", "no"], ["--publish", "false"]]) {
  console.log(`${given.join(" ")}: ${JSON.stringify(parseArgs(given, { boolean: ["publish"] }))}`);
}
END
expected='--publish=no: {"_":[],"publish":true}
--publish=0: {"_":[],"publish":true}
--publish=off: {"_":[],"publish":true}
--publish=False: {"_":[],"publish":true}
--publish=: {"_":[],"publish":true}
--publish=false: {"_":[],"publish":false}
--publish no: {"_":["no"],"publish":true}
--publish false: {"_":[],"publish":false}'
seen=$("$deno" run --quiet --no-prompt no.mjs)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
