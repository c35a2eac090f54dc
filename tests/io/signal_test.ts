import { assertEquals } from "@std/assert";
import { Deadline } from "../../lib/io/deadline.ts";
import { SharedSignal } from "../../lib/io/signal.ts";
import { pureTest } from "../support/pure.ts";

pureTest("SharedSignal tells everybody who still waits, once, and nobody who comes later", () => {
  const signal = new SharedSignal();
  const told: string[] = [];
  const listeners = ["a", "b", "c"].map((name) => () => void told.push(`${name} ${signal.aborted} ${signal.reason}`));
  for (const listener of [...listeners, ...listeners]) signal.addEventListener("abort", listener);
  for (const listener of listeners.slice(1, 2)) signal.removeEventListener("abort", listener);
  assertEquals([signal.aborted, signal.reason], [false, undefined]);
  signal.abort("over");
  signal.abort("again");
  signal.addEventListener("abort", () => told.push("late"));
  assertEquals(told, ["a true over", "c true over"]);
  assertEquals([signal.aborted, signal.reason], [true, "over"]);
});

pureTest("SharedSignal can be left while it tells", () => {
  const signal = new SharedSignal();
  const told: string[] = [];
  const second = (): void => void told.push("second");
  signal.addEventListener("abort", () => {
    told.push("first");
    signal.removeEventListener("abort", second);
  });
  signal.addEventListener("abort", second);
  signal.abort("over");
  assertEquals(told, ["first"]);
});

pureTest("A deadline ends with a shared signal, with its reason, and at once where that has ended", () => {
  const [signal, reason] = [new SharedSignal(), new Error("over")];
  using before = new Deadline(Infinity, signal);
  assertEquals(before.aborted, false);
  signal.abort(reason);
  using after = new Deadline(Infinity, undefined, signal);
  assertEquals([before.reason, after.reason], [reason, reason]);
});

Deno.test("SharedSignal tells the others when one of them throws, and keeps the error from nobody", async () => {
  const signal = new SharedSignal();
  const told: string[] = [];
  const seen = Promise.withResolvers<unknown>();
  const look = (event: ErrorEvent): void => {
    event.preventDefault();
    seen.resolve(event.error);
  };
  globalThis.addEventListener("error", look);
  const mistake = new Error("a mistake");
  signal.addEventListener("abort", () => {
    throw mistake;
  });
  signal.addEventListener("abort", () => told.push("second"));
  signal.abort("over");
  assertEquals(told, ["second"]);
  assertEquals(await seen.promise, mistake);
  globalThis.removeEventListener("error", look);
});
