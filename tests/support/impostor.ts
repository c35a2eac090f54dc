/** A TCP service on 127.0.0.1 that is no SAM bridge. */
export interface Impostor extends AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
}

/**
 * Starts a service.
 *
 * @param serve deals with one client; the connection is closed when it ends. What it throws is a client that has left.
 */
export function startImpostor(serve: (conn: Deno.TcpConn) => Promise<unknown>): Impostor {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  const tasks: Promise<void>[] = [];
  const close = (conn: Deno.TcpConn): void => {
    if (conns.delete(conn)) conn.close();
  };
  const accept = async (): Promise<void> => {
    for await (const conn of listener) {
      conns.add(conn);
      tasks.push(serve(conn).then(() => {}, () => {}).finally(() => close(conn)));
    }
  };
  const accepting = accept();
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const conn of [...conns]) close(conn);
      await accepting;
      await Promise.all(tasks);
    },
  };
}
