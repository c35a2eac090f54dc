import { assertRejects } from "@std/assert";
import { SamSocket } from "../../lib/sam/socket.ts";

Deno.test("SamSocket.open() ends when its signal is aborted at the very moment that the connection is made", async () => {
  // A bridge that accepts and says nothing: only the signal can end the wait for its HELLO.
  using bridge = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = bridge.accept();
  const gone = new AbortController();
  const { connect } = Deno;
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    const conn = await connect(options);
    gone.abort(new RangeError("The client has left"));
    return conn;
  }) as typeof connect;
  try {
    await assertRejects(
      () => within(5_000, SamSocket.open({ hostname: "127.0.0.1", port: bridge.addr.port }, gone.signal)),
      RangeError,
      "The client has left",
    );
  } finally {
    Deno.connect = connect;
    (await accepted).close();
  }
});

/** What a promise becomes, unless it takes too long. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`It takes longer than ${milliseconds} ms`)), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
