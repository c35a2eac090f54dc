/** Connects to a port of 127.0.0.1 until the kernel lets no more wait for being accepted; the caller closes them. */
export async function fillBacklog(port: number): Promise<Deno.TcpConn[]> {
  const conns: Deno.TcpConn[] = [];
  // A busy machine may be slow to say that one has come about: only several in a row show that there is no room.
  let failed = 0;
  for (let i = 0; i < 5_000; i++) {
    try {
      conns.push(await Deno.connect({ hostname: "127.0.0.1", port, signal: AbortSignal.timeout(200) }));
      failed = 0;
    } catch {
      failed++;
    }
    if (failed === 4) return conns;
  }
  throw new Error("The backlog has no end");
}
