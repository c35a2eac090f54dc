/** Connects to a port of 127.0.0.1 until the kernel lets no more wait for being accepted; the caller closes them. */
export async function fillBacklog(port: number): Promise<Deno.TcpConn[]> {
  const conns: Deno.TcpConn[] = [];
  for (let i = 0; i < 5_000; i++) {
    try {
      conns.push(await Deno.connect({ hostname: "127.0.0.1", port, signal: AbortSignal.timeout(200) }));
    } catch {
      return conns;
    }
  }
  throw new Error("The backlog has no end");
}
