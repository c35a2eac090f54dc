import { parseAddress } from "../i2p/address.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "./endpoint.ts";

/** Where callers from I2P are brought. */
export interface ForwardRule {
  /** The I2P port that they called; any where undefined. */
  port: number | undefined;
  /** The local service. */
  target: Endpoint;
}

/** Which callers from I2P are let in: base32 addresses. */
export interface CallerRules {
  /** Where there are any, only these. */
  allow: readonly string[];
  /** None of these, whatever `allow` says. */
  deny: readonly string[];
}

/** How an application serves into I2P. */
export interface ForwardSettings {
  /** Where callers are brought, at least one rule. */
  rules: readonly ForwardRule[];
  /** Whether the service gets the caller's address, in a line in front. */
  header: boolean;
  /** Callers at once. */
  maxInbound: number;
  /** Callers at once that have one address. */
  maxPerCaller: number;
  /** Milliseconds without a byte either way after which a caller is closed; 0 is never. */
  idleTimeout: number;
}

/**
 * Parses `[PORT=]HOST:PORT`: an I2P port, and the loopback address of a service.
 *
 * @throws {SyntaxError} with a clause that says what is wrong.
 */
export function parseForward(text: string): ForwardRule {
  const [, digits, rest = ""] = /^(?:([^=]*)=)?(.*)$/s.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (!/^\d{1,5}$/.test(digits ?? "") || port < 1 || port > 65_535)) {
    throw new SyntaxError("an I2P port is a number from 1 to 65535");
  }
  const target = parseEndpoint(rest);
  if (target.port === 0) throw new SyntaxError("port 0 cannot be connected to");
  return { port, target };
}

/** Writes a rule as {@linkcode parseForward} reads it. */
export function formatForward({ port, target }: ForwardRule): string {
  return `${port === undefined ? "" : `${port}=`}${formatEndpoint(target)}`;
}

/**
 * Parses the base32 address of a caller. A name would have to be looked up, and a blinded address is nobody's: callers
 * show the hash of their destination.
 *
 * @throws {SyntaxError} with a clause that says what is wrong.
 */
export function parseCaller(text: string): string {
  const { kind, host, problem } = parseAddress(text);
  if (kind === "b32") return host;
  throw new SyntaxError(problem ?? "a caller is known by its base32 address, 52 characters before .b32.i2p");
}

/** What rules may not lead to: addresses of this program and of the router, with what they are. */
export function forbiddenTarget(
  rules: readonly ForwardRule[],
  addresses: readonly (readonly [Endpoint, string])[],
): string | undefined {
  for (const { target } of rules) {
    const found = addresses.find(([{ hostname, port }]) => hostname === target.hostname && port === target.port);
    if (found !== undefined) {
      return `--forward cannot lead to ${formatEndpoint(target)}, ${found[1]}: everybody in I2P would have it`;
    }
  }
  return undefined;
}
