/**
 * A bare loop of the runtime, to see what of a relay's cost is the runtime's: it makes the same system calls for a
 * connection as the proxy, and does nothing else. It believes every byte, has no time limits, and ends with whoever ends.
 *
 *   floor.ts PORT SAM [BUFFER]
 */
const [port = 0, sam = 0, size = 1088] = Deno.args.map(Number);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const METHOD = Uint8Array.of(5, 0);
const GRANTED = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
const HELLO = bytes("HELLO VERSION MIN=3.1 MAX=3.1\n");
const CONNECT = bytes("STREAM CONNECT ID=bare DESTINATION=bare.i2p SILENT=false\n");

for await (const client of Deno.listen({ hostname: "127.0.0.1", port })) {
  serve(client).catch(() => {}).finally(() => client.close());
}

async function serve(client: Deno.TcpConn): Promise<void> {
  const [up, down] = [new Uint8Array(size), new Uint8Array(size)];
  client.setNoDelay(true);
  await client.read(up);
  await client.write(METHOD);
  await client.read(up);
  using stream = await Deno.connect({ hostname: "127.0.0.1", port: sam });
  stream.setNoDelay(true);
  for (const request of [HELLO, CONNECT]) {
    await stream.write(request);
    await stream.read(down);
  }
  await client.write(GRANTED);
  const sent = copy(client, stream, up).catch(() => {});
  await copy(stream, client, down);
  await client.closeWrite();
  await sent;
}

async function copy(from: Deno.Conn, to: Deno.Conn, buffer: Uint8Array): Promise<void> {
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    for (let sent = await to.write(buffer.subarray(0, count)); sent < count;) {
      sent += await to.write(buffer.subarray(sent, count));
    }
  }
}
