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

/** Writes a duration as {@linkcode parseDuration} reads it, in the largest unit that needs no fraction: `2m`, `90s`, `0`. */
export function writeDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  const [unit = "ms", size = 1] = Object.entries(UNITS).findLast(([, size]) => milliseconds % size === 0) ?? [];
  return `${milliseconds / size}${unit}`;
}

/** Writes milliseconds for people, in the two largest units: `45 s`, `2 min 5 s`, `3 h 20 min`, `5 d 2 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [minutes, hours, days] = [60, 3_600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min ${seconds % 60} s`;
  return days === 0 ? `${hours} h ${minutes % 60} min` : `${days} d ${hours % 24} h`;
}
