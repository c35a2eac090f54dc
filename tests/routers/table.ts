import type { Seen } from "./behaviour.ts";

/** What was seen of one router. */
export interface Column {
  /** Such as `i2pd 2.45.1`, with its hops where there are any. */
  router: string;
  /** Day of the run, `2026-11-30`. */
  date: string;
  /** Why there is nothing of it. */
  missing?: string;
  /** By the name of the behaviour. */
  cells: Record<string, Seen>;
}

/** All of a run, as it goes into the JSON file. */
export interface Report {
  /** Version of the program. */
  program: string;
  /** What each behaviour promises. */
  promises: Record<string, string>;
  columns: Column[];
}

/**
 * What the manual has of routers, with what was seen now in the place of what was seen of the same cells. A router of which
 * there is nothing, and a behaviour that is no more, are left out.
 */
export function record(before: Pick<Report, "columns">, { promises, columns }: Report): Omit<Report, "program"> {
  const present = columns.filter(({ missing }) => missing === undefined);
  const known = before.columns.map((column) => {
    const now = present.find(({ router }) => router === column.router);
    return now === undefined ? column : { ...now, cells: { ...column.cells, ...now.cells } };
  });
  const added = present.filter(({ router }) => !before.columns.some((column) => column.router === router));
  const inOrder = (cells: Column["cells"]): Column["cells"] =>
    Object.fromEntries(
      Object.keys(promises).flatMap((name) => cells[name] === undefined ? [] : [[name, cells[name]]]),
    );
  return { promises, columns: [...known, ...added].map((column) => ({ ...column, cells: inOrder(column.cells) })) };
}

/** The table as Markdown: a row for each behaviour, a column for each router. */
export function describeTable({ promises, columns }: Report): string {
  const present = columns.filter(({ missing }) => missing === undefined);
  const rows = Object.keys(promises)
    .filter((name) => present.some(({ cells }) => name in cells))
    .map((name) => [name, ...present.map(({ cells }) => describeCell(cells[name]))]);
  const lines = [["behaviour", ...present.map(({ router }) => router)], ["---", ...present.map(() => "---")], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`);
  const missing = columns.flatMap(({ router, missing }) =>
    missing === undefined ? [] : [`Missing: ${router}, ${missing}`]
  );
  return [...present.length === 0 ? [] : [...lines, ""], ...missing].join("\n");
}

/** A cell: whether it is as promised, and what was seen. */
export function describeCell(seen: Seen | undefined): string {
  if (seen === undefined) return "";
  const mark = seen.ok === undefined ? "–" : seen.ok ? "✓" : "✗";
  return `${mark} ${seen.words.replaceAll("|", "/").replaceAll("\n", " ")}`;
}
