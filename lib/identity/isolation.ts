import { ISOLATION_FLAGS, type IsolationFlag } from "../config/choices.ts";

/** What is known of a client when its identity is chosen. */
export interface IsolationFacts {
  /** What it logged in with: SOCKS5 user and password, or SOCKS4 user id as user. */
  login: { readonly user: Uint8Array; readonly password: Uint8Array } | undefined;
  /** Host that it wants to reach, normalised. */
  host: string;
  /** Port that it wants to reach. */
  port: number;
  /** Its own IP address. */
  clientAddress: string;
  /** A number that no other client has. */
  serial: number;
}

/** The client address that stands for "no label": what programs have that do not choose one. */
const PLAIN_CLIENTS: readonly string[] = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];

/**
 * The isolation group of a client, as a key: clients of one group share an identity, clients of two never do.
 *
 * Undefined is the base identity. Clients get it that nothing sets apart: no login, an ordinary loopback address. With
 * `destination`, `port` or `stream` every client is set apart.
 *
 * As with Tor's IsolateSOCKSAuth, user and password are opaque bytes, and an empty login is none. A SOCKS4 user id is the
 * same group as a SOCKS5 user of that name with an empty password.
 */
export function isolationGroup(flags: ReadonlySet<IsolationFlag>, facts: IsolationFacts): string | undefined {
  const { login } = facts;
  const parts: Record<IsolationFlag, string | undefined> = {
    auth: login && (login.user.length > 0 || login.password.length > 0)
      ? `${login.user.join(".")}/${login.password.join(".")}`
      : undefined,
    destination: facts.host,
    port: String(facts.port),
    client: PLAIN_CLIENTS.includes(facts.clientAddress) ? undefined : facts.clientAddress,
    stream: String(facts.serial),
  };
  const apart = ISOLATION_FLAGS.filter((flag) => flags.has(flag) && parts[flag] !== undefined);
  return apart.length === 0 ? undefined : JSON.stringify(apart.map((flag) => [flag, parts[flag]]));
}
