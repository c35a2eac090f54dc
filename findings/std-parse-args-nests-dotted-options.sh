#!/usr/bin/env bash
# @std/cli of deno-std 1.4.0 (npm) on Deno 2.9.6: options with dots, as I2CP's are, become objects and clash.
#
# Guess: `--inbound.length=3` is an option called "inbound.length", at least where it is declared so with `string`.
# Seen: a dot always nests: args.inbound.length, declared or not, and args["inbound.length"] is undefined. An option
# `--inbound` beside it is not a second one but the same place: given last it replaces the object and the length is lost
# without a word; given first, the dotted one throws "Cannot assign to read only property 'length' of string".
# So: names of a router's options cannot be flags of their own with this parser; take them as text, `--option
# NAME=VALUE`.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6 deno-std@1.4.0
deno=node/node_modules/.bin/deno

cat > dots.mjs << 'END'
import { parseArgs } from "./node/node_modules/deno-std/cli/parse_args.js";

const parse = (...args) => {
  try {
    return JSON.stringify(parseArgs(args, { string: ["inbound.length", "inbound"] }));
  } catch (error) {
    return error.message;
  }
};
console.log(parse("--inbound.length=3"));
console.log(parse("--inbound.length=3", "--inbound=x"));
console.log(parse("--inbound=x", "--inbound.length=3"));
END
expected='{"_":[],"inbound":{"length":"3"}}
{"_":[],"inbound":"x"}
Cannot assign to read only property '"'length' of string 'x'"
seen=$("$deno" run --quiet --no-prompt dots.mjs)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
