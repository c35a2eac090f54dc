import { assertEquals } from "@std/assert";
import { type Output, OutputQueue } from "../../lib/io/output_queue.ts";
import { pureTest } from "../support/pure.ts";

/** An output whose reader takes bytes only when it is told to. */
class Reader implements Output {
  readonly #wakeups: (() => void)[] = [];
  text = "";
  stalled = true;

  write(bytes: Uint8Array): Promise<number> {
    const take = (): number => {
      // Part of it, as a pipe may.
      const count = Math.ceil(bytes.length / 2);
      this.text += new TextDecoder().decode(bytes.subarray(0, count));
      return count;
    };
    if (!this.stalled) return Promise.resolve(take());
    return new Promise((resolve) => this.#wakeups.push(() => resolve(take())));
  }

  read(): void {
    this.stalled = false;
    for (const wake of this.#wakeups.splice(0)) wake();
  }
}

pureTest("OutputQueue writes everything in order, also in parts", async () => {
  const reader = new Reader();
  reader.stalled = false;
  const queue = new OutputQueue(reader);
  queue.write("");
  for (let i = 0; i < 100; i++) queue.write(`line ${i}\n`);
  await queue.flush();
  assertEquals(reader.text, Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join(""));
});

pureTest("OutputQueue drops lines that find no room, and says how many where they would stand", async () => {
  const reader = new Reader();
  const queue = new OutputQueue(reader, { most: 10, lost: (lines) => `[${lines} lost]\n` });
  for (const line of ["one\n", "two\n", "three\n", "four\n"]) queue.write(line);
  reader.read();
  await queue.flush();
  queue.write("five\n");
  await queue.flush();
  assertEquals(reader.text, "one\ntwo\n[2 lost]\nfive\n");
});

pureTest("OutputQueue.flush() gives up a reader that stalls", async () => {
  const queue = new OutputQueue(new Reader());
  queue.write("nobody reads this\n");
  await queue.flush(5);
});

pureTest("OutputQueue drops everything once writing has failed", async () => {
  let writes = 0;
  const failure = new Error("the reader is gone");
  const queue = new OutputQueue({ write: () => (writes++, Promise.reject(failure)) });
  queue.write("a\n");
  await queue.flush();
  assertEquals(queue.failure, failure);
  queue.write("b\n");
  await queue.flush();
  assertEquals([queue.failure, writes], [failure, 1]);
});
