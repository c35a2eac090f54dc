/** What the guard finds in the corpus: `deno task leaks`; `--verbose` names the streams. */
import { LEAKS } from "../../lib/guard/leak.ts";
import { measure } from "./figures.ts";
import { readCorpus } from "./corpus.ts";

const figures = measure(await readCorpus());
const { leaking, caught, missed, innocent, alarmed, kinds } = figures;
console.log(`recall        ${caught} of ${leaking} leaking streams`);
console.log(`false alarms  ${alarmed.length} of ${innocent} innocent streams`);
if (Deno.args.includes("--verbose")) {
  for (const { name, leaks } of missed) console.log(`missed        ${name}: ${leaks.join(" ")}`);
  for (const { name, found } of alarmed) console.log(`false alarm   ${name}: ${found.join(" ")}`);
}
console.log(`\n${"kind".padEnd(24)}${"protocol".padEnd(12)}expected  found  beside`);
for (const [kind, { protocol }] of Object.entries(LEAKS)) {
  const { expected = 0, found = 0, beside = 0 } = kinds.get(kind) ?? {};
  console.log(
    `${kind.padEnd(24)}${protocol.padEnd(12)}${String(expected).padStart(8)}${String(found).padStart(7)}${
      String(beside).padStart(8)
    }`,
  );
}
