#!/usr/bin/env bash
# Deno 2.9.6 (npm): revoking one port takes the whole host, and takes nothing from a bare --allow-net.
#
# Guess: revoke({name: "net", host: "127.0.0.1:7656"}) takes exactly that from the program, whatever covered it; or it
# fails if that cannot be. The state that it returns says what is left of that port.
# Seen: with --allow-net=127.0.0.1 the entry that covers the port goes: port 9 of 127.0.0.1, listening and all else
# there is gone too. With --allow-net there is no entry to take, so nothing happens, and connecting to the port goes on
# working; the only sign is that the state returned is "granted". No error in either case.
# So: grant in the pieces in which you want to revoke, with the narrow one requested first, and read the state that
# comes back; a program that drops rights at start and ignores it may have dropped none.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6
deno=node/node_modules/.bin/deno

cat > revoke.ts << 'END'
const state = (host: string) => Deno.permissions.querySync({ name: "net", host }).state;

const before = state("127.0.0.1:9");
const revoked = Deno.permissions.revokeSync({ name: "net", host: "127.0.0.1:7656" }).state;
let listening = "works";
try {
  Deno.listen({ hostname: "127.0.0.1", port: 0 }).close();
} catch (error) {
  listening = (error as Error).name;
}
console.log(`revoke -> ${revoked}, another port ${before} -> ${state("127.0.0.1:9")}, listening: ${listening}`);
END
expected='--allow-net=127.0.0.1: revoke -> prompt, another port granted -> prompt, listening: NotCapable
--allow-net: revoke -> granted, another port granted -> granted, listening: works'
seen=$(
  for grant in --allow-net=127.0.0.1 --allow-net; do
    echo "$grant: $("$deno" run --quiet --no-prompt "$grant" revoke.ts)"
  done
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
