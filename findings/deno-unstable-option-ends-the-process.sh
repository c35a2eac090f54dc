#!/usr/bin/env bash
# Deno 2.9.6 (npm): an option of Deno.listen() that is not stable yet ends the process; nothing catches it.
#
# Guess: `Deno.listen({reusePort: true})` without --unstable-net throws, or ignores the option, so that a program can
# fall back to listening without it, and its clean-up runs.
# Seen: the process writes one line to stderr and exits with 70. No catch and no finally runs, no unload event comes,
# and listeners and files are left as they are; a server that passes the option through from its configuration dies at
# that moment with all its connections.
# So: do not pass options through to Deno.listen(), and do not probe for a feature by trying it.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6
deno=node/node_modules/.bin/deno

cat > listen.ts << 'END'
addEventListener("unload", () => console.log("unload"));
try {
  Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true } as Deno.TcpListenOptions).close();
  console.log("listened");
} catch {
  console.log("catch");
} finally {
  console.log("finally");
}
END
expected="Unstable API 'Deno.listen({ reusePort: true })'. The \`--unstable-net\` flag must be provided.
exit 70"
seen=$("$deno" run --quiet --no-prompt --allow-net=127.0.0.1 listen.ts 2>&1 || echo "exit $?")
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
