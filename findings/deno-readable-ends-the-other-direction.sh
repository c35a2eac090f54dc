#!/usr/bin/env bash
# Deno 2.9.6 (npm): reading a connection to its end through `conn.readable` closes its writing side as well.
#
# Guess: `conn.readable` and `conn.writable` are the two directions of TCP; when the peer has sent its last byte and
# closed its writing side, the readable ends, and the answer can be written, as with `conn.read()`.
# Seen: at the end of the readable the whole connection is closed. A write by `conn.write()` is BadResource, one by a
# writer that was taken from `conn.writable` before is BadResource too, and the peer reads the end without an answer.
# With a loop of `conn.read()` on the same connection the answer arrives.
# So: a relay of two pipeTo() loses what the slower side still has to say, for every client that half-closes (nc -N,
# many tests). Relay with read() and write(), and closeWrite() at the end.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6
deno=node/node_modules/.bin/deno

cat > half.ts << 'END'
const [request, answer] = ["request", "answer"].map((text) => new TextEncoder().encode(text));

async function serve(conn: Deno.TcpConn, way: string): Promise<string> {
  const writer = way === "readable and writable" ? conn.writable.getWriter() : undefined;
  if (way === "read()") {
    while (await conn.read(new Uint8Array(100)) !== null);
  } else {
    for await (const _ of conn.readable);
  }
  try {
    await (writer?.write(answer) ?? conn.write(answer));
    conn.close();
    return "written";
  } catch (error) {
    return (error as Error).name;
  }
}

using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
for (const way of ["read()", "readable", "readable and writable"]) {
  const served = listener.accept().then((conn) => serve(conn, way));
  using client = await Deno.connect(listener.addr);
  await client.write(request);
  await client.closeWrite();
  const written = await served;
  console.log(`${way}: ${written}, the client got ${await client.read(new Uint8Array(100)) ?? 0} bytes`);
}
END
expected='read(): written, the client got 6 bytes
readable: BadResource, the client got 0 bytes
readable and writable: BadResource, the client got 0 bytes'
seen=$("$deno" run --quiet --no-prompt --allow-net=127.0.0.1 half.ts)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
