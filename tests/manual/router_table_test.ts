import { assert, assertEquals } from "@std/assert";
import { renderText } from "../../lib/manual/text.ts";
import { routerBlocks, SEEN } from "../../lib/manual/tables.ts";
import { BEHAVIOURS } from "../routers/behaviours/all.ts";
import { record } from "../routers/table.ts";
import { pureTest } from "../support/pure.ts";

const FIGURES = { programMBs: 9, routerMBs: 10, programFirstByte: 3, routerFirstByte: 2 };

const REPORT = {
  promises: { names: "a name is found", speed: "it is fast", udp: "datagrams go" },
  columns: [
    {
      router: "i2pd 2.58.0",
      date: "2026-11-30",
      cells: {
        names: { ok: false, words: "refused with 4" },
        speed: { ok: true, words: "fast", figures: FIGURES },
        udp: { ok: undefined, words: "none" },
      },
    },
  ],
};

pureTest("the manual says of a router what is as promised, what is not, what it has not, and how fast it is", () => {
  const text = renderText(routerBlocks(REPORT), 100);
  const expected = [
    "router       seen        as promised  not as promised  not in this router",
    "-----------  ----------  -----------  ---------------  ------------------",
    "i2pd 2.58.0  2026-11-30  1            names            udp",
    "",
    "- i2pd 2.58.0, names: refused with 4",
  ].join("\n");
  assertEquals(text.slice(0, expected.length), expected);
  const [, speed = ""] = /\n(i2pd 2.58.0 {2}9.0.*)\n/.exec(text) ?? [];
  assertEquals(speed, "i2pd 2.58.0  9.0 of 10.0 MB/s  0.90   3.0 to 2.0 ms  1.50");
});

pureTest("what was seen of a router takes the place of what was seen before, and all else stays", () => {
  const [column] = REPORT.columns;
  assert(column !== undefined);
  const names = { ok: true, words: "found" };
  const columns = [
    { ...column, router: "other", cells: { names } },
    { ...column, date: "2026-12-01", cells: { names } },
    { router: "gone", date: "2026-12-01", cells: {}, missing: "not installed" },
  ];
  const promises = { udp: "datagrams go", names: "found" };
  const recorded = record(REPORT, { program: "1", promises, columns });
  assertEquals(recorded, {
    promises,
    columns: [
      { router: "i2pd 2.58.0", date: "2026-12-01", cells: { udp: { ok: undefined, words: "none" }, names } },
      { router: "other", date: "2026-11-30", cells: { names } },
    ],
  });
});

pureTest("the manual has every cell of every router, for what the suite promises now", () => {
  // Nothing is seen yet.
  if (SEEN.columns.length === 0) return;
  assertEquals(SEEN.promises, Object.fromEntries(BEHAVIOURS.map(({ name, promise }) => [name, promise])));
  const names = BEHAVIOURS.map(({ name }) => name);
  for (const { router, cells } of SEEN.columns) assertEquals([router, ...Object.keys(cells)], [router, ...names]);
});
