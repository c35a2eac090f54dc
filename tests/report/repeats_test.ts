import { assertEquals } from "@std/assert";
import { createLog, type Log, type LogFormat } from "../../lib/report/log.ts";
import { MAX_REPEATED, Repeats, REPEATS_TIME } from "../../lib/report/repeats.ts";
import { Clock } from "../support/clock.ts";

/** A log with folding, and what it wrote, without times. */
function foldingLog(
  { destinations = false, format = "text" as LogFormat } = {},
): { log: Log; repeats: Repeats; lines: string[]; take: () => string[] } {
  const lines: string[] = [];
  const repeats = new Repeats();
  const write = (line: string): void =>
    void lines.push(line.replace(/^[\d-]+T\S+ /, "").replace(/"time":"[^"]*",/, ""));
  const log = createLog({ level: "debug", format, destinations, repeats, write });
  return { log, repeats, lines, take: () => lines.splice(0) };
}

Deno.test("a line is written once, and its repeats are told when the time is over", async () => {
  using clock = new Clock({ runs: false });
  const { log, take } = foldingLog();
  for (let i = 0; i < 51_200; i++) log.info("Refused: Too many", { reason: "too-many", hint: "Fewer" });
  assertEquals(take(), ["info  Refused: Too many reason=too-many hint=Fewer"]);
  await clock.skip(REPEATS_TIME - 1);
  assertEquals(take(), []);
  await clock.skip(1);
  assertEquals(take(), ["info  51199 more like this: Refused: Too many reason=too-many"]);
  log.info("Refused: Too many", { reason: "too-many", hint: "Fewer" });
  assertEquals(take().length, 1, "the next one is written again");
  await clock.skip(REPEATS_TIME);
  assertEquals(take(), [], "nothing is told where there was nothing more");
});

Deno.test("lines that differ in level, message or a shown field are no repeats, and those of debug level never", () => {
  using _clock = new Clock({ runs: false });
  const { log, repeats, take } = foldingLog();
  const say = (): void => {
    log.info("A");
    log.warn("A");
    log.info("A", { application: "irc" });
    log.info("A", { application: "irc", destination: "a.i2p" });
    log.debug("B");
  };
  say();
  assertEquals(take(), ["info  A", "warn  A", "info  A application=irc", "debug B"]);
  say();
  assertEquals(take(), ["debug B"]);
  repeats.end();
  assertEquals(take(), [
    "info  1 more like this: A",
    "warn  1 more like this: A",
    "info  3 more like this: A application=irc",
  ]);
  say();
  assertEquals(take().length, 5, "what comes after the end is written");
});

Deno.test("destinations that are to be named are named, and JSON is folded too", () => {
  using _clock = new Clock({ runs: false });
  const { log, repeats, take } = foldingLog({ destinations: true, format: "json" });
  for (const destination of ["a.i2p", "b.i2p", "a.i2p"]) log.info("A", { destination });
  repeats.end();
  assertEquals(take().map((line) => JSON.parse(line)), [
    { level: "info", message: "A", destination: "a.i2p" },
    { level: "info", message: "A", destination: "b.i2p" },
    { level: "info", message: "1 more like this: A", destination: "a.i2p" },
  ]);
});

Deno.test("only so many different lines are counted at once: then the oldest is told", () => {
  using _clock = new Clock({ runs: false });
  const { log, repeats, take } = foldingLog();
  log.info("first");
  log.info("first");
  for (let i = 0; i < MAX_REPEATED; i++) log.info(`${i}`);
  assertEquals(take().filter((line) => line.includes("first")), ["info  first", "info  1 more like this: first"]);
  repeats.end();
  assertEquals(take(), []);
});
