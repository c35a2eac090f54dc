import { assertEquals, assertThrows } from "@std/assert";
import { formatDuration, MAX_DURATION, parseDuration, writeDuration } from "../../lib/config/duration.ts";
import { pureTest } from "../support/pure.ts";

pureTest("parseDuration() reads a number with a unit, and 0", () => {
  const durations: readonly (readonly [string, number])[] = [
    ["0", 0],
    ["0s", 0],
    ["1ms", 1],
    ["500ms", 500],
    ["10s", 10_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1.5s", 1500],
    ["0.5h", 1_800_000],
    ["007s", 7000],
    ["90m", 5_400_000],
  ];
  for (const [text, milliseconds] of durations) assertEquals(parseDuration(text), milliseconds, text);
});

pureTest("parseDuration() refuses everything else", () => {
  const texts = [
    "",
    "10",
    "s",
    "1 s",
    " 1s",
    "1s ",
    "1s\n",
    "-1s",
    "+1s",
    ".5s",
    "1.s",
    "1,5s",
    "1e3s",
    "1d",
    "1S",
    "1M",
  ];
  for (const text of [...texts, "1sec", "1m30s", "0x1s", "1µs", "٣s", "00", "never", "Infinity"]) {
    assertThrows(() => parseDuration(text), SyntaxError, "a number with ms, s, m or h behind it", JSON.stringify(text));
  }
});

pureTest("parseDuration() ends at what a timer can hold", () => {
  assertEquals(MAX_DURATION < 2 ** 31, true);
  for (const text of ["576h", "34560m", "2073600s", "2073600000ms"]) assertEquals(parseDuration(text), MAX_DURATION);
  for (const text of ["577h", "576.1h", "34561m", "2073601s", "2073600001ms", `${"9".repeat(400)}s`]) {
    assertThrows(() => parseDuration(text), SyntaxError, "the longest duration is 576h", text);
  }
});

pureTest("formatDuration() rounds to seconds, and names the two largest units", () => {
  const durations: readonly (readonly [number, string])[] = [
    [0, "0 s"],
    [499, "0 s"],
    [500, "1 s"],
    [45_000, "45 s"],
    [59_499, "59 s"],
    [59_500, "1 min 0 s"],
    [60_000, "1 min 0 s"],
    [125_400, "2 min 5 s"],
    [3_599_000, "59 min 59 s"],
    [3_600_000, "1 h 0 min"],
    [86_399_000, "23 h 59 min"],
    [86_400_000, "1 d 0 h"],
    [9 * 86_400_000 + 7_200_000, "9 d 2 h"],
  ];
  for (const [milliseconds, text] of durations) assertEquals(formatDuration(milliseconds), text);
});

pureTest("writeDuration() writes what parseDuration() reads, in the largest unit that fits", () => {
  const durations: readonly (readonly [number, string])[] = [
    [0, "0"],
    [1, "1ms"],
    [1500, "1500ms"],
    [90_000, "90s"],
    [120_000, "2m"],
    [3_600_000, "1h"],
    [5_400_000, "90m"],
    [MAX_DURATION, "576h"],
  ];
  for (const [milliseconds, text] of durations) {
    assertEquals([writeDuration(milliseconds), parseDuration(text)], [text, milliseconds]);
  }
});
