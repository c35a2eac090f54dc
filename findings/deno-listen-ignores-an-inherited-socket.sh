#!/usr/bin/env bash
# Deno 2.9.6 (npm): Deno.listen({ fd }) opens a socket of its own; only node:net takes the one that was handed down.
#
# Guess: a service that systemd starts for a socket listens with the file descriptor that it was given (3), by
# `Deno.listen({ fd: 3 })` as in Node, or is told that Deno cannot.
# Seen: the option is ignored like any other that Deno.listen() does not know: it binds a free port at random, the
# program reports that it listens, and nobody finds it, while connections pile up at the inherited socket.
# `server.listen({ fd: 3 })` of node:net serves that socket, in Deno, with the same grants.
# So: socket activation goes through node:net; and a check by the program's own log line does not find the difference.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6
deno=node/node_modules/.bin/deno

cat > native.ts << 'END'
const listener = Deno.listen({ hostname: "127.0.0.1", fd: 3 } as unknown as Deno.TcpListenOptions & { port: 0 });
console.log("Deno.listen:", listener.addr.port === Number(Deno.args[0]) ? "the inherited socket" : "another port");
listener.close();
END
cat > node.ts << 'END'
import { type AddressInfo, createServer } from "node:net";

const server = createServer().listen({ fd: 3 }, () => {
  const { port } = server.address() as AddressInfo;
  console.log("node:net:", port === Number(Deno.args[0]) ? "the inherited socket" : "another port");
  server.close();
});
END
expected='Deno.listen: another port
node:net: the inherited socket'
seen=$(python3 - "$deno" << 'END'
import os, socket, subprocess, sys

inherited = socket.create_server(("127.0.0.1", 0))
os.dup2(inherited.fileno(), 3, inheritable=True)
port = str(inherited.getsockname()[1])
for script in ("native.ts", "node.ts"):
    command = [sys.argv[1], "run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", script, port]
    print(subprocess.run(command, pass_fds=[3], check=True, capture_output=True, text=True).stdout, end="", flush=True)
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
