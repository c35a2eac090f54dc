/** A loopback address and a TCP port. */
export interface Endpoint {
  /** `127.0.0.1` or `::1`: nothing else exists here. */
  hostname: "127.0.0.1" | "::1";
  /** 0 to 65535. */
  port: number;
}

/** Where `status` asks if it is not told: a port that SOCKS is never served at unless somebody wants it there. */
export const DEFAULT_STATUS: Endpoint = { hostname: "127.0.0.1", port: 4448 };

/**
 * Parses `PORT`, `HOST:PORT` or `[::1]:PORT`. `localhost` is 127.0.0.1, whatever the hosts file says of it.
 *
 * @throws {SyntaxError} with a clause that says what is wrong.
 */
export function parseEndpoint(text: string): Endpoint {
  const [, host = "127.0.0.1", digits] = /^(?:(.*):)?(\d*)$/s.exec(text) ?? [];
  if (digits === undefined) throw new SyntaxError("the port is missing or is not a number");
  if (digits === "") throw new SyntaxError("the port is missing");
  const port = Number(digits);
  if (port > 65535) throw new SyntaxError(`port ${digits} is above 65535`);
  return { hostname: loopback(host), port };
}

/** Writes an endpoint as `HOST:PORT`, with an IPv6 address in brackets. */
export function formatEndpoint({ hostname, port }: { hostname: string; port: number }): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function loopback(host: string): Endpoint["hostname"] {
  if (host === "127.0.0.1" || host.toLowerCase() === "localhost") return "127.0.0.1";
  if (host === "[::1]") return "::1";
  if (host === "::1" || host === ":") throw new SyntaxError("an IPv6 address stands in brackets, [::1]:PORT");
  throw new SyntaxError(`"${host}" is not a loopback address, and only 127.0.0.1, [::1] and localhost are permitted`);
}
