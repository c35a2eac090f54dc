/** A destination rule: which hosts and ports it is about. */
export interface Rule {
  /** What the user wrote; equal for rules that are alike, so it stands for the rule where settings are compared. */
  readonly text: string;
  /** The lowest port that it is about. */
  readonly lowest: number;
  /** Whether it is about a host, normalised, and a port. */
  matches(host: string, port: number): boolean;
}

/**
 * Parses a rule: `HOST`, `HOST:PORT`, `HOST:LOW-HIGH`, where `*` in the host stands for any characters, and `*:PORT` is
 * any host. `irc.*:6667`, `*.b32.i2p`, `*:25`. The host is normalised as hosts that are asked for are: case, a trailing
 * dot and `.i2p.alt` make no difference.
 *
 * @throws {SyntaxError} with a clause that says what is wrong.
 */
export function parseRule(text: string): Rule {
  const [, host, low, high = low] = /^([^:\s]+)(?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(text) ?? [];
  if (host === undefined) {
    throw new SyntaxError("a rule is HOST, HOST:PORT or HOST:LOW-HIGH, with * for any characters");
  }
  const [from, to] = low === undefined ? [0, 65_535] : [Number(low), Number(high)];
  if (to > 65_535 || from > to) throw new SyntaxError("ports go from 0 to 65535, the lower one first");
  if (!/^[a-z0-9.*-]+$/i.test(host)) throw new SyntaxError(`"${host}" has characters that no I2P host has`);
  const pattern = host.toLowerCase().replace(/\.$/, "").replace(/\.i2p\.alt$/, ".i2p");
  if (!/(\*|\.i2p)$/.test(pattern)) throw new SyntaxError(`"${host}" matches nothing: every I2P host ends in .i2p`);
  const parts = pattern.split("*");
  return { text, lowest: from, matches: (name, port) => port >= from && port <= to && matchesParts(name, parts) };
}

/** Whether a text is the parts in their order, with anything between them. Linear: hosts come from any client. */
function matchesParts(text: string, parts: readonly string[]): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
