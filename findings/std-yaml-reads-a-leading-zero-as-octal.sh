#!/usr/bin/env bash
# @std/yaml of deno-std 1.4.0 (npm) on Deno 2.9.6: a port with a leading zero becomes another port.
#
# Guess: the package follows YAML 1.2, where 017 is seventeen and 0o17 fifteen: `yes`, `on` and 12:30:00 are text in it,
# as 1.2 has it.
# Seen: a leading zero is octal as in 1.1, if all digits allow it: 017 is 15, and a port written 04447 is 2343. With an
# 8 or a 9 in it the same spelling is text: 08080 is "08080". The octal of 1.2, 0o17, is text, and 1_000 is a number, as
# in 1.1. A whole number beyond 2^53 loses its last digits without a word.
# So: a number from YAML need not be what the file says: quote passwords and IDs, and take ports as text and read them
# oneself.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6 deno-std@1.4.0
deno=node/node_modules/.bin/deno

cat > numbers.mjs << 'END'
import { parse } from "./node/node_modules/deno-std/yaml/mod.js";

for (const text of ["017", "04447", "08080", "0o17", "1_000", "12:30:00", "yes", "18446744073709551617"]) {
  console.log(`${text}: ${JSON.stringify(parse(text))}`);
}
END
expected='017: 15
04447: 2343
08080: "08080"
0o17: "0o17"
1_000: 1000
12:30:00: "12:30:00"
yes: "yes"
18446744073709551617: 18446744073709552000'
seen=$("$deno" run --quiet --no-prompt numbers.mjs)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
