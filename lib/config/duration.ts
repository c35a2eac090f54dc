const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Longest duration, 24 days: the runtime's timers cannot hold more. */
export const MAX_DURATION: number = 24 * 24 * 3_600_000;

/**
 * Parses `500ms`, `10s`, `5m`, `1h`, or `0`, into milliseconds.
 *
 * @throws {SyntaxError} with a clause that says what is wrong.
 */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (text !== "0" && (number === undefined || unit === undefined)) {
    throw new SyntaxError("a duration is a number with ms, s, m or h behind it, such as 90s");
  }
  const milliseconds = Math.round(Number(number ?? 0) * (UNITS[unit ?? "ms"] ?? 1));
  if (milliseconds > MAX_DURATION) throw new SyntaxError("the longest duration is 576h");
  return milliseconds;
}

/** Writes milliseconds for people: `45 s`, `2 min 5 s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
