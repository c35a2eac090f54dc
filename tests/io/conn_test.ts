import { assert, assertEquals } from "@std/assert";
import { closeAfterReply, closeQuietly, connectTcp, isExhaustion, LINGER, writeAll } from "../../lib/io/conn.ts";
import { SharedSignal } from "../../lib/io/signal.ts";
import { Clock } from "../support/clock.ts";
import { FakeStream } from "../support/fake_stream.ts";
import { pureTest } from "../support/pure.ts";
import { until } from "../support/wait.ts";

/** A connection whose other side does what the test says. */
class Talker {
  readonly events: string[] = [];
  #answer = Promise.withResolvers<number | null>();

  /** As a connection. */
  get conn(): Deno.Conn {
    return this as unknown as Deno.Conn;
  }

  closeWrite(): Promise<void> {
    this.events.push("ended our side");
    return Promise.resolve();
  }

  read(): Promise<number | null> {
    return this.#answer.promise;
  }

  close(): void {
    this.events.push("closed");
    this.#answer.promise.catch(() => {});
    this.#answer.reject(new Deno.errors.BadResource("closed"));
  }

  /** Lets the other side send bytes, or end with null. */
  send(count: number | null): void {
    const { resolve } = this.#answer;
    this.#answer = Promise.withResolvers();
    resolve(count);
  }
}

Deno.test("closeAfterReply() closes when the client has ended its side", async () => {
  using clock = new Clock({ runs: false });
  const talker = new Talker();
  const closed = closeAfterReply(talker.conn);
  await clock.skip(0);
  assertEquals(talker.events, ["ended our side"]);
  talker.send(5);
  await clock.skip(0);
  assertEquals(talker.events, ["ended our side"]);
  talker.send(null);
  await closed;
  assertEquals(talker.events, ["ended our side", "closed"]);
});

Deno.test("closeAfterReply() gives a client two seconds, however much it sends", async () => {
  using clock = new Clock({ runs: false });
  const talker = new Talker();
  const closed = closeAfterReply(talker.conn);
  for (let i = 0; i < 3; i++) {
    await clock.skip(LINGER / 4);
    talker.send(100);
  }
  await clock.skip(LINGER / 4 - 1);
  assertEquals(talker.events, ["ended our side"]);
  await clock.skip(1);
  await closed;
  assertEquals(talker.events[1], "closed");
});

Deno.test("closeAfterReply() is patient on request: two seconds from each byte, and a minute in all", async () => {
  for (const [pause, lasts] of [[LINGER - 1, 60_000], [LINGER, LINGER]] as const) {
    using clock = new Clock({ runs: false });
    const talker = new Talker();
    const since = performance.now();
    let lasted = 0;
    const closed = closeAfterReply(talker.conn, true).then(() => lasted = performance.now() - since);
    await clock.skip(0);
    for (let i = 0; i < 100 && lasted === 0; i++) {
      await clock.skip(pause);
      talker.send(100);
      await clock.skip(0);
    }
    await closed;
    assertEquals(lasted, lasts, `with a byte every ${pause} ms`);
  }
});

pureTest("writeAll() writes what a write has left over", async () => {
  const stream = new FakeStream([], { writeSize: 3 });
  await writeAll(stream as unknown as Deno.Conn, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  assertEquals(stream.written, [1, 2, 3, 4, 5, 6, 7]);
});

pureTest("closeQuietly() leaves alone what is closed already", () => {
  closeQuietly({
    close: () => {
      throw new Deno.errors.BadResource("closed");
    },
  });
});

pureTest("isExhaustion() knows a lack of descriptors or memory by its code", () => {
  const coded = (code: string): Error => Object.assign(new Error("x"), { code });
  for (const code of ["EMFILE", "ENFILE", "ENOMEM"]) assertEquals(isExhaustion(coded(code)), true);
  for (const other of [coded("ECONNREFUSED"), new Error("EMFILE"), { code: "EMFILE" }, "EMFILE", undefined]) {
    assertEquals(isExhaustion(other), false);
  }
});

Deno.test("connectTcp() leaves no connection open that is given up while it comes about", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  let givenUp = 0;
  for (let i = 0; i < 300; i++) {
    const signal = new SharedSignal();
    const connecting = connectTcp({ hostname: "127.0.0.1", port }, signal);
    // The connection stands when the timer rings, but the runtime has not said so yet.
    setTimeout(() => {
      keepBusy(1);
      signal.abort(new Error("given up"));
    });
    keepBusy(1);
    await connecting.then((conn) => conn.close(), () => void givenUp++);
    using accepted = await listener.accept();
    let hasEnded = false;
    accepted.read(new Uint8Array(1)).catch(() => null).then((count) => hasEnded = count === null);
    await until("the connection ends", () => hasEnded);
  }
  assert(givenUp > 0, "none was given up");
});

/** Keeps the event loop busy for some milliseconds. */
function keepBusy(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}
