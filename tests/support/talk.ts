/** What i2p-socks wrote to stderr, sorted. */
export interface Talk {
  /** Errors, without what stands in front of each. */
  errors: string[];
  /** Hints, likewise. */
  hints: string[];
  /** Lines of the log in text format. */
  log: string[];
}

const LOG_LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info |warn |error) \S/;

/**
 * Sorts what i2p-socks wrote to stderr.
 *
 * @throws {Error} for a line that is neither error, hint nor log, and for a hint in front of every error.
 */
export function parseTalk(stderr: string): Talk {
  const talk: Talk = { errors: [], hints: [], log: [] };
  if (stderr !== "" && !stderr.endsWith("\n")) throw new Error(`stderr ends within a line: ${JSON.stringify(stderr)}`);
  for (const line of stderr.split("\n").slice(0, -1)) {
    const [, kind, text = ""] = /^i2p-socks: (error|hint): (\S.*)$/.exec(line) ?? [];
    if (kind === "error") talk.errors.push(text);
    else if (kind === "hint" && talk.errors.length > 0) talk.hints.push(text);
    else if (LOG_LINE.test(line)) talk.log.push(line);
    else throw new Error(`A line of stderr has no known form: ${JSON.stringify(line)}`);
  }
  return talk;
}
