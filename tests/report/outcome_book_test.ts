import { assert, assertEquals } from "@std/assert";
import { MAX_OUTCOMES, OutcomeBook } from "../../lib/report/outcome_book.ts";
import { pureTest } from "../support/pure.ts";

function outcome(reason: string, identity = "own identity", destination = "example.i2p:80"): {
  reason: string;
  message: string;
  identity: string;
  destination: string;
} {
  return { reason, message: `About ${reason}`, identity, destination };
}

pureTest("OutcomeBook has the newest first, and alike ones once, with how often", () => {
  const book = new OutcomeBook({ destinations: false });
  assertEquals(book.latest, []);
  for (const reason of ["clearnet", "ip", "clearnet"]) book.add(outcome(reason));
  book.add(outcome("ip", "login 1"));
  assertEquals(book.latest.map(({ reason, identity, count }) => [reason, identity, count]), [
    ["ip", "login 1", 1],
    ["clearnet", "own identity", 2],
    ["ip", "own identity", 1],
  ]);
  assert(book.latest.every(({ time }) => Date.now() - time.getTime() < 60_000));
});

pureTest("OutcomeBook remembers so many, and names destinations only where they are asked for", () => {
  const book = new OutcomeBook({ destinations: false });
  for (let i = 0; i < 1_000; i++) book.add(outcome(`reason-${i}`, undefined, `site${i}.i2p:80`));
  assertEquals(book.latest.length, MAX_OUTCOMES);
  assertEquals(book.latest[0]?.reason, "reason-999");
  assert(!JSON.stringify(book.latest).includes("site"));
  for (const destination of ["a.i2p:1", "b.i2p:2"]) book.add(outcome("clearnet", "login 1", destination));
  assertEquals(book.latest[0]?.count, 2, "without destinations these are alike");
  const open = new OutcomeBook({ destinations: true });
  for (const destination of ["a.i2p:1", "b.i2p:2"]) open.add(outcome("clearnet", "login 1", destination));
  assertEquals(open.latest.map(({ destination }) => destination), ["b.i2p:2", "a.i2p:1"]);
});
