/** A loopback address and a TCP port. */
export interface Endpoint {
  /** `127.0.0.1` or `::1`: nothing else exists here. */
  hostname: "127.0.0.1" | "::1";
  /** 0 to 65535. */
  port: number;
}

/** Where `status` asks if it is not told: a port that SOCKS is never served at unless somebody wants it there. */
export const DEFAULT_STATUS: Endpoint = { hostname: "127.0.0.1", port: 4448 };

/** A socket in the file system. */
export interface UnixEndpoint {
  /** Its absolute path. */
  path: string;
}

/** Where SOCKS can be served. */
export type ListenEndpoint = Endpoint | UnixEndpoint;

/** Most bytes of the path of a socket: what the kernel has room for, without the zero byte at its end. */
export const MAX_SOCKET_PATH: number = Deno.build.os === "linux" ? 107 : 103;

/** The name that a socket has, in its folder, until it is ready. See `listenUnix()`. */
export const NEW_SOCKET = ".i2p-socks.new";

/** Parses what {@linkcode parseEndpoint} does, and `unix:PATH`. @throws {SyntaxError} as that does. */
export function parseListen(text: string): ListenEndpoint {
  if (!text.startsWith("unix:")) return parseEndpoint(text);
  const path = text.slice("unix:".length);
  if (!/^(\/[^/]+)+$/.test(path) || /\/\.\.?(\/|$)/.test(path)) {
    throw new SyntaxError("the path of a socket is absolute, without . and .., and names a file: unix:/FOLDER/NAME");
  }
  // Both would end it where addresses stand in a list.
  if (/[\s\p{Cc},]/u.test(path)) throw new SyntaxError("the path of a socket has no spaces and no commas");
  const length = Math.max(...[path, newSocketOf({ path })].map((one) => new TextEncoder().encode(one).length));
  if (length > MAX_SOCKET_PATH) {
    throw new SyntaxError(
      `the path of a socket has at most ${MAX_SOCKET_PATH} bytes, and its folder ${
        MAX_SOCKET_PATH - 1 - NEW_SOCKET.length
      }`,
    );
  }
  return { path };
}

/** Where a socket is made, before it gets its name. */
export function newSocketOf({ path }: UnixEndpoint): string {
  return path.slice(0, path.lastIndexOf("/") + 1) + NEW_SOCKET;
}

/** Whether an address is a socket in the file system. */
export function isUnix(endpoint: ListenEndpoint): endpoint is UnixEndpoint {
  return "path" in endpoint;
}

/** Those of some addresses that have a port. */
export function withPort(endpoints: readonly ListenEndpoint[]): Endpoint[] {
  return endpoints.flatMap((endpoint) => isUnix(endpoint) ? [] : [endpoint]);
}

/** Writes an address as it is given: with its port, or `unix:PATH`. */
export function formatListen(endpoint: { hostname: string; port: number } | UnixEndpoint): string {
  return "path" in endpoint ? `unix:${endpoint.path}` : formatEndpoint(endpoint);
}

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
