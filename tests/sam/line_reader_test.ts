import { assertEquals, assertRejects } from "@std/assert";
import { LineReader, LineTooLong, MAX_SAM_LINE } from "../../lib/sam/line_reader.ts";
import { FakeStream } from "../support/fake_stream.ts";
import { pureTest } from "../support/pure.ts";

/** Ends of a line that takes a read of its own to be found, or comes with what follows. */
const ENDS = ["\n", "\r\n", "\nrest"];

pureTest(
  "LineReader takes a line of MAX_SAM_LINE bytes and no longer one, however it is cut and whatever stands before",
  async () => {
    // The last ones make the buffer grow beyond the limit before the line in question comes.
    const growing = [1000, 3500, 5000].map((length) => `${"d".repeat(length)}\n`).join("");
    for (const before of ["", "a\n", `${"b".repeat(9000)}\n`, "c\n".repeat(5000), growing]) {
      for (const end of ENDS) {
        for (const length of [MAX_SAM_LINE - 1, MAX_SAM_LINE, MAX_SAM_LINE + 1]) {
          const line = "x".repeat(length);
          const bytes = new TextEncoder().encode(`${before}${line}${end}`);
          for (const cut of [0, 1, before.length, before.length + 8192, bytes.length - end.length, bytes.length - 1]) {
            const reader = new LineReader(new FakeStream([bytes.subarray(0, cut), bytes.subarray(cut)]));
            for (const earlier of before.split("\n").slice(0, -1)) assertEquals(await reader.next(), earlier);
            // A carriage return is a byte of its line until the line is taken.
            const isTooLong = length + end.indexOf("\n") > MAX_SAM_LINE;
            if (isTooLong) await assertRejects(() => reader.next(), LineTooLong);
            else assertEquals(await reader.next(), line);
          }
        }
      }
    }
  },
);
