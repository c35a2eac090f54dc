import { METRICS, OURS } from "./goals.ts";
import { formatNumber, type Samples, summaryOf } from "./statistics.ts";

/** What the picture shows, in this order. */
export const CHARTED: readonly string[] = [
  "bulk-1-up",
  "bulk-1-down",
  "bulk-64-down",
  "cpu-down",
  "connects-64-rate",
  "connects-256-p99",
  "ping-p99",
  "exchange-p50",
  "memory-idle",
];

const COLUMNS = 3;

/** Pixels of a panel with its margin. */
const PANEL = { width: 280, head: 26, bar: 18, foot: 22 };

/** Pixels of a panel that are left of its bars and right of them. */
const [LEFT, RIGHT] = [86, 54];

/** Text that reads on white and on black; each of the two has colours of its own where the viewer tells which it is. */
const STYLE =
  `text{font:12px sans-serif;fill:#1f2328}.t{font-weight:bold}.n{fill:#59636e}.p{fill:#9aa4af}.o{fill:#0969da}` +
  `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9198a1}.p{fill:#656c76}.o{fill:#4493f8}}`;

/** A picture in SVG: a panel for each metric that was measured, a bar for each variant. */
export function drawChart(samples: Samples, caption: string, charted: readonly string[] = CHARTED): string {
  const panels = charted.filter((metric) => bars(samples, metric).length > 0);
  const rows = Array.from(
    { length: Math.ceil(panels.length / COLUMNS) },
    (_, row) => panels.slice(row * COLUMNS, (row + 1) * COLUMNS),
  );
  let top = 0;
  let drawn = "";
  for (const row of rows) {
    drawn += row.map((metric, column) => drawPanel(samples, metric, column * PANEL.width, top)).join("");
    top += PANEL.head + PANEL.foot + PANEL.bar * Math.max(...row.map((metric) => bars(samples, metric).length));
  }
  const [width, height] = [PANEL.width * COLUMNS, top + PANEL.head];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `role="img">\n<title>${escapeXml(caption)}</title>\n<style>${STYLE}</style>\n${drawn}` +
    `<text class="n" x="4" y="${top + 16}">${escapeXml(caption)}</text>\n</svg>\n`;
}

/** Text as it may stand in XML. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function drawPanel(samples: Samples, metric: string, x: number, y: number): string {
  const { title = metric, unit = "", better = "higher" } = METRICS[metric] ?? {};
  const all = bars(samples, metric);
  const most = Math.max(...all.map(({ value }) => value)) || 1;
  const lines = all.map(({ name, value }, i) => {
    const top = PANEL.head + i * PANEL.bar;
    const length = Math.max(1, (PANEL.width - LEFT - RIGHT) * value / most).toFixed(1);
    return `<text x="${LEFT - 6}" y="${top + 11}" text-anchor="end">${escapeXml(name)}</text>` +
      `<rect class="${name === OURS ? "o" : "p"}" x="${LEFT}" y="${top}" width="${length}" height="14"/>` +
      `<text class="n" x="${LEFT + Number(length) + 4}" y="${top + 11}">${formatNumber(value)}</text>\n`;
  });
  const heading = `${title}, ${unit} (${better} is better)`;
  // Long headings are squeezed into their panel.
  const squeeze = heading.length > 38 ? ` textLength="${PANEL.width - 12}" lengthAdjust="spacingAndGlyphs"` : "";
  return `<g transform="translate(${x} ${y})">\n<text class="t" x="4" y="16"${squeeze}>${escapeXml(heading)}</text>\n` +
    `${lines.join("")}</g>\n`;
}

function bars(samples: Samples, metric: string): { name: string; value: number }[] {
  return [...samples.get(metric)?.keys() ?? []].flatMap((name) => {
    const value = summaryOf(samples, metric, name)?.median;
    return value === undefined || !Number.isFinite(value) ? [] : [{ name, value }];
  });
}
