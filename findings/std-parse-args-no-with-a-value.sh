#!/usr/bin/env bash
# @std/cli of deno-std 1.4.0 (npm) on Deno 2.9.6: `--no-NAME=VALUE` sets NAME to VALUE, negatable or not.
#
# Guess: without `negatable` a leading "no-" has no meaning: `--no-port=5` is an unknown option "no-port", as
# `--no-port` alone is; `unknown` is called with it, and a strict program refuses it.
# Seen: `--no-port` alone is { "no-port": true } and reaches `unknown` as that, but with a value the "no-" falls away:
# `--no-port=5` is { port: 5 } and counts as the known option, no `unknown` is called. `--no-limit=10` so means a limit
# of 10.
# So: a program that refuses unknown options must look at the arguments themselves for `--no-…=`.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6 deno-std@1.4.0
deno=node/node_modules/.bin/deno

cat > no.mjs << 'END'
import { parseArgs } from "./node/node_modules/deno-std/cli/parse_args.js";

for (const given of ["--no-port", "--no-port=5"]) {
  const unknown = [];
  const parsed = parseArgs([given], { string: ["port"], unknown: (name) => void unknown.push(name) });
  console.log(`${given}: ${JSON.stringify(parsed)}, unknown: ${unknown.join(" ") || "none"}`);
}
END
expected='--no-port: {"_":[],"no-port":true}, unknown: --no-port
--no-port=5: {"_":[],"port":"5"}, unknown: none'
seen=$("$deno" run --quiet --no-prompt no.mjs)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
