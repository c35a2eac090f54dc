import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { README, splitReadme, tableUnder } from "../tools/readme.ts";
import { CHARTED, drawChart } from "./chart.ts";
import { familyOf } from "./child.ts";
import { FLOOR, type Goal, goals, judge, LISTEN, losses, METRICS, NO_SPARES, OURS } from "./goals.ts";
import { addSample, formatNumber, type Samples, summarize, turns } from "./statistics.ts";
import { goalRows, goalsTable, lossesText, mediansTable, readmeTable, type Report } from "./table.ts";
import { DIRECT, VARIANTS } from "./variants.ts";

/** Samples of a metric by variant. */
function samplesOf(all: Record<string, Record<string, number[]>>): Samples {
  const samples: Samples = new Map();
  for (const [metric, byVariant] of Object.entries(all)) {
    for (const [variant, values] of Object.entries(byVariant)) {
      for (const value of values) addSample(samples, metric, variant, value);
    }
  }
  return samples;
}

function reportOf(samples: Samples, some: readonly Goal[], missing: Record<string, string> = {}): Report {
  const metrics = Object.keys(METRICS);
  return { samples, goals: some, missing: new Map(Object.entries(missing)), metrics, ceilings: [DIRECT] };
}

/** The cells of a row that begins with a title. */
function rowOf(table: string, title: string): string[] {
  const rows = tableUnder(`\n## T\n${table}`, "T");
  return rows.find(([first]) => first === title) ?? [];
}

Deno.test("the middle of numbers does not depend on their order, and one far off does not move it", () => {
  assertEquals(summarize([3, 1, 1000]), { median: 3, min: 1, max: 1000, count: 3 });
  assertEquals(summarize([10, 2, 4, 1]), { median: 3, min: 1, max: 10, count: 4 });
  assertEquals(summarize([]), undefined);
});

Deno.test("odd rounds go the other way, so that each is first as often as last", () => {
  assertEquals(turns(["a", "b", "c"], 3), ["a", "b", "c", "c", "b", "a", "a", "b", "c"]);
});

Deno.test("numbers keep three digits that say something", () => {
  assertEquals([0.0712, 9.876, 43.21, 1234.5].map(formatNumber), ["0.07", "9.88", "43.2", "1235"]);
});

Deno.test("a goal compares the ratio of the medians, not the median of ratios", () => {
  const goal: Goal = { topic: "transfers", metric: "bulk-1-up", peer: "socat", bound: 1.1 };
  const samples = samplesOf({ "bulk-1-up": { [OURS]: [100, 110, 500], socat: [100, 100, 10] } });
  const { value, isReached } = judge(goal, samples);
  assertEquals([value, isReached], [1.1, true]);
  assertEquals(judge({ ...goal, bound: 1.11 }, samples).isReached, false);
});

Deno.test("where less is better the goal is a most", () => {
  const samples = samplesOf({ "connects-1-p50": { [OURS]: [2], microsocks: [1] }, "ping-max": { [OURS]: [5] } });
  assertEquals(
    judge({ topic: "transfers", metric: "connects-1-p50", peer: "microsocks", bound: 2 }, samples).isReached,
    true,
  );
  assertEquals(
    judge({ topic: "transfers", metric: "connects-1-p50", peer: "microsocks", bound: 1.9 }, samples).isReached,
    false,
  );
  assertEquals(judge({ topic: "transfers", metric: "ping-max", bound: 5 }, samples).isReached, true);
  assertEquals(judge({ topic: "transfers", metric: "ping-max", bound: 4.9 }, samples).isReached, false);
});

Deno.test("a goal may compare ours with another metric of ours", () => {
  const samples = samplesOf({ "ping-rate": { [OURS]: [95] }, "steady-rate": { [OURS]: [100], socat: [1] } });
  const goal: Goal = { topic: "transfers", metric: "ping-rate", peer: OURS, peerMetric: "steady-rate", bound: 0.95 };
  assertEquals(judge(goal, samples).value, 0.95);
});

Deno.test("every goal is of a metric that there is, against a variant that there is", () => {
  for (const { metric, peer, peerMetric = metric } of goals(10)) {
    assert(metric in METRICS && peerMetric in METRICS, metric);
    assert(peer === undefined || [...VARIANTS, "i2pd", LISTEN, NO_SPARES].includes(peer), peer);
  }
  assertEquals(CHARTED.filter((metric) => !(metric in METRICS)), []);
  assertEquals(goals(123).find(({ metric }) => metric === "held")?.bound, 123);
});

Deno.test("the table says reached or missed, and names a missing peer with the reason", () => {
  const samples = samplesOf({
    "bulk-1-up": { [OURS]: [300, 100, 200], socat: [100] },
    "start": { [OURS]: [150], socat: [3, 5], dante: [9] },
  });
  const report = reportOf(samples, [
    { topic: "transfers", metric: "bulk-1-up", peer: "socat", bound: 1.1 },
    { topic: "transfers", metric: "start", bound: 100 },
    { topic: "transfers", metric: "bulk-1-down", peer: "dante", bound: 1.3 },
    { topic: "transfers", metric: "bulk-64-up", peer: "socat", bound: 1 },
  ], { dante: "not installed" });
  const table = goalsTable(report);
  assertEquals(rowOf(table, "1 stream, up"), [
    ...["1 stream, up", "200 MB/s (100 .. 300)", "socat 100", "2.00 x", "at least 1.1 x", "yes"],
  ]);
  assertEquals(rowOf(table, "start to ready, without the session").slice(1), [
    ...["150 ms", "socat 4.00, dante 9.00", "", "at most 100 ms", "**no**"],
  ]);
  assertEquals(rowOf(table, "1 stream, down").at(-1), "dante: not installed");
  assertEquals(rowOf(table, "64 streams, up").at(-1), "not measured");
  assertMatch(lossesText(report), /^Goals: 1 reached, 1 missed, 2 not measured\.\n/);
  assertStringIncludes(lossesText(report), "- dante: not installed\n");
});

Deno.test("every goal is a row of the JSON, which says reached or missed, or why it was not measured", () => {
  const samples = samplesOf({
    "connects-64-rate": { [OURS]: [90], [FLOOR]: [100] },
    "guard-rate": { [OURS]: [94] },
    "guard-off-rate": { [OURS]: [100] },
  });
  const rows = goalRows(reportOf(samples, goals(1), { i2pd: "skipped by --quick" }));
  assertEquals(rows.length, goals(1).length);
  const reached = (start: string): string[] => rows.filter(({ what }) => what.startsWith(start)).map((r) => r.reached);
  assertEquals(reached("connects, 64 at once"), ["yes"]);
  assertEquals(reached("requests of 4 KB, with"), ["no"]);
  assertEquals(reached("first byte through i2pd"), ["i2pd: skipped by --quick"]);
  const topics = new Set(rows.map(({ topic }) => topic));
  for (const topic of ["identities", "connects", "transfers", "datagrams", "guard", "memory"] as const) {
    assert(topics.has(topic), topic);
  }
});

Deno.test("six goals are rows of the README, narrow enough for it", () => {
  const wide = { [OURS]: [1234, 1235, 1236], microsocks: [1234, 1235], socat: [1234], i2pd: [1234] };
  const samples = samplesOf(
    Object.fromEntries(
      goals(1).map(({ metric }) => [metric, metric.startsWith("connects") ? { ...wide, [FLOOR]: [1234] } : wide]),
    ),
  );
  const table = readmeTable(reportOf(samples, goals(1)));
  const rows = tableUnder(`\n## T\n${table}`, "T");
  assertEquals(rows.length, 6);
  assertEquals(rowOf(table, "first byte through i2pd"), [
    ...["first byte through i2pd", "1235 ms (1234 .. 1236)", "i2pd 1234", "1.00 x"],
  ]);
  assertEquals(table.split("\n").filter((line) => line.length > 120), []);
  assertMatch(table, /\nGoals: \d+ reached, \d+ missed, \d+ not measured\.\n$/);
});

Deno.test("without ours its rows say why, and a table of nothing has a head", () => {
  const report = reportOf(new Map(), goals(1), { [OURS]: "there is no C compiler" });
  const cells = tableUnder(`\n## T\n${goalsTable(report)}`, "T").map((row) => row.at(-1));
  assertEquals(cells.length, goals(1).length);
  assertEquals([...new Set(cells)], [`${OURS}: there is no C compiler`]);
  assertEquals(mediansTable(report).split("\n").length, 3);
});

Deno.test("measures that were not asked for have no rows", () => {
  const report = { ...reportOf(new Map(), goals(1)), metrics: ["start"] };
  assertEquals(tableUnder(`\n## T\n${goalsTable(report)}`, "T").length, 1);
});

Deno.test("where a peer is better is told, for both ends of the scale, and the ceiling is no peer", () => {
  const samples = samplesOf({
    "bulk-1-up": { [OURS]: [50], socat: [100], [DIRECT]: [900], dante: [50.5] },
    "exchange-p50": { [OURS]: [1], socat: [44], dante: [0.5] },
  });
  assertEquals(losses(samples, [DIRECT]), [
    { metric: "bulk-1-up", peer: "socat", ratio: 0.5 },
    { metric: "exchange-p50", peer: "dante", ratio: 2 },
  ]);
  assertStringIncludes(lossesText(reportOf(samples, [])), "- socat: 1 stream, up (0.50 x)\n");
});

Deno.test("a process's family is found by parents, whatever its name holds", () => {
  const line = (pid: number, name: string, parent: number): string =>
    `${pid} (${name}) S ${parent} 1 1 0 -1 0 0 0 0 0 5 6 7 8 20 0 1 0 99${pid} 0 0`;
  const stats = [line(1, "init", 0), line(12, "a) R 7 (b", 11), line(11, "b c", 10), line(10, "x", 1)].join("\n");
  assertEquals(familyOf(10, stats).map(({ pid, ticks, started }) => [pid, ticks, started]), [
    [10, 26, "9910"],
    [11, 26, "9911"],
    [12, 26, "9912"],
  ]);
  assertEquals(familyOf(99, stats), []);
});

Deno.test("the picture is well-formed, whatever names hold, and is empty without numbers", () => {
  const samples = samplesOf({
    "bulk-1-up": { [OURS]: [50], 'a<b>&"c"': [100] },
    "exchange-p50": { [OURS]: [NaN], socat: [0] },
  });
  for (const picture of [drawChart(samples, 'x < y & "z"'), drawChart(new Map(), "")]) assertWellFormed(picture);
  const picture = drawChart(samples, "");
  assertEquals(picture.match(/<rect /g)?.length, 3, "a bar for each number that is one");
  assertEquals(drawChart(new Map(), "").match(/<rect /g), null);
  assertStringIncludes(picture, "prefers-color-scheme:dark");
  assert(!/href|<script|url\(/.test(picture), "it needs nothing from elsewhere");
});

Deno.test("the README has a place for the table", async () => {
  splitReadme(await Deno.readTextFile(README), "bench");
});

/** Every element ends in its order, and attributes and texts hold no character that XML gives a meaning. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(/<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<>&]*(?:&(?:lt|gt|amp|quot);[^"<>&]*)*")*)(\/?)>/g, tag);
  function tag(_: string, end: string, name: string, __: string, single: string): string {
    if (end !== "") assertEquals(open.pop(), name);
    else if (single === "") open.push(name);
    return "";
  }
  assertEquals(open, []);
  assert(!/[<>]|&(?!(lt|gt|amp|quot);)/.test(rest), rest);
}
