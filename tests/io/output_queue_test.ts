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

/** An error of the system, as the runtime throws them. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code} (os error 0)`), { code });
}

/** A disk with room for so many bytes. */
class Disk implements Output {
  text = "";
  room = 0;

  write(bytes: Uint8Array): Promise<number> {
    if (this.room === 0) return Promise.reject(systemError("ENOSPC"));
    const count = Math.min(this.room, bytes.length);
    this.room -= count;
    this.text += new TextDecoder().decode(bytes.subarray(0, count));
    return Promise.resolve(count);
  }
}

/** Writes lines one after the other. */
async function writeLines(queue: OutputQueue, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    queue.write(`${line}\n`);
    await queue.flush();
  }
}

pureTest("OutputQueue goes on when a full disk has room again, and says what is missing", async () => {
  const disk = new Disk();
  const queue = new OutputQueue(disk, { most: 100, lost: (lines) => `[${lines} lost]\n` });
  disk.room = 6;
  await writeLines(queue, "one", "two", "three", "four");
  assertEquals([disk.text, queue.failure], ["one\ntw", undefined]);
  disk.room = 100;
  await writeLines(queue, "five", "six");
  assertEquals(disk.text, "one\ntw\n[3 lost]\nfive\nsix\n", "the line that was cut is one of them");
});

pureTest("OutputQueue counts what a full disk refuses together with the line that says so", async () => {
  const disk = new Disk();
  const queue = new OutputQueue(disk, { most: 100, lost: (lines) => `[${lines} lost]\n` });
  await writeLines(queue, "one");
  disk.room = 4;
  await writeLines(queue, "two");
  disk.room = 100;
  await writeLines(queue, "three");
  assertEquals(disk.text, "[1 l\n[2 lost]\nthree\n");
});

pureTest("OutputQueue ends with a full disk where no line may be lost", async () => {
  const queue = new OutputQueue(new Disk());
  await writeLines(queue, "a result");
  assertEquals((queue.failure as Error).message, "ENOSPC (os error 0)");
});

Deno.test("OutputQueue waits for an output that would have to wait", async () => {
  let attempts = 0;
  let text = "";
  const queue = new OutputQueue({
    write: (bytes) => {
      if (++attempts < 3) return Promise.reject(new Deno.errors.WouldBlock());
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  queue.write("late\n");
  await queue.flush();
  assertEquals([text, queue.failure], ["late\n", undefined]);
});
