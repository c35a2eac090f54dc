import { ISOLATION_FLAGS, type IsolationFlag } from "../config/choices.ts";

/** What is known of a client when its identity is chosen. */
export interface IsolationFacts {
  /** What it logged in with: SOCKS5 user and password, or SOCKS4 user id as user. */
  login: { readonly user: Uint8Array; readonly password: Uint8Array } | undefined;
  /** Host that it wants to reach, normalised. */
  host: string;
  port: number;
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
export function isolationGroup(flags: readonly IsolationFlag[], facts: IsolationFacts): string | undefined {
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
  const apart = ISOLATION_FLAGS.filter((flag) => flags.includes(flag) && parts[flag] !== undefined);
  return apart.length === 0 ? undefined : JSON.stringify(apart.map((flag) => [flag, parts[flag]]));
}

/**
 * Whose an address is that stands for a name: of the clients that `auth` and `client` do not set apart, where these are
 * chosen.
 *
 * The other words tell clients apart by what they ask for, and do not divide the addresses. A request for an address has
 * no port, and is another connection than the one to the address (`port`, `stream`): nothing asked for would be found
 * again. And the host (`destination`) is what is looked for. Nothing is lost by it: the one who asks is the same, and
 * the connection to the address gets the identity that it gets when it asks for the name.
 */
export function mappingGroup(
  flags: readonly IsolationFlag[],
  { login, clientAddress }: Pick<IsolationFacts, "login" | "clientAddress">,
): string {
  const ofClients = flags.filter((flag) => flag === "auth" || flag === "client");
  return isolationGroup(ofClients, { login, clientAddress, host: "", port: 0, serial: 0 }) ?? "";
}

/** Whether logins alone set clients apart, so that a group is a login. */
export function isByLogin(isolation: readonly IsolationFlag[]): boolean {
  return isolation.length === 1 && isolation[0] === "auth";
}
