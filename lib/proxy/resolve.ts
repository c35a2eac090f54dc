import type { IsolationFlag } from "../config/choices.ts";
import { parseAddress } from "../i2p/address.ts";
import { ipBytes } from "../i2p/ip_address.ts";
import { encodeName5, encodeResolved4, encodeResolved5, RESOLVE_PTR } from "../socks/resolve.ts";
import type { SocksRequest } from "../socks/wire.ts";
import { Refusal } from "../reasons/refusal.ts";
import { isolationGroup } from "../identity/isolation.ts";
import type { HeldName, NameMap } from "./name_map.ts";
import { checkHost, type DestinationRules } from "./policy.ts";

/** Who asks, and where. */
export interface ResolveContext {
  /** The addresses that stand for names. */
  names: NameMap;
  /** What tells clients apart. */
  isolation: ReadonlySet<IsolationFlag>;
  /** Where clients may go. */
  rules: DestinationRules;
  /** The client's own IP address. */
  clientAddress: string;
}

/** What a client that asked is told. */
export interface Resolved {
  /** The reply. */
  bytes: Uint8Array;
  /** The name. */
  host: string;
}

/**
 * Answers a request for the address of a name, or for the name of an address.
 *
 * It does not wait for the router, so it says nothing of whether the name exists: the stream does. What could not be
 * connected to whatever the port, is refused here as there.
 *
 * @throws {Refusal} with the reason.
 */
export function resolve(request: SocksRequest, context: ResolveContext): Resolved {
  const { names } = context;
  const { version, command } = request;
  const group = mappingGroup(request, context);
  const given = ipBytes(request.host);
  if (command === RESOLVE_PTR) {
    if (version === 4) throw new Refusal("command", "RESOLVE_PTR is a command of SOCKS5 only");
    if (given === undefined) throw new Refusal("address-type", "RESOLVE_PTR takes an IP address");
    const host = names.nameOf(group, request.host);
    if (host === undefined) throw new Refusal("address-unmapped");
    return { bytes: encodeName5(host), host };
  }
  // The address of an address is itself.
  const known = names.covers(request.host) ? names.nameOf(group, request.host) : undefined;
  if (names.covers(request.host) && known === undefined) throw new Refusal("address-unmapped");
  const address = parseAddress(known ?? request.host);
  checkHost(address, context.rules);
  const bytes = names.addressOf(group, address.host);
  if (version === 5) return { bytes: encodeResolved5(bytes), host: address.host };
  if (bytes.length !== 4) throw new Refusal("address-type", "SOCKS4 has no IPv6 addresses: see --map-names");
  return { bytes: encodeResolved4(bytes), host: address.host };
}

/**
 * The name behind the address of a request to connect or to wait for a caller; undefined where the host is no address of
 * the range.
 *
 * @throws {Refusal} `address-unmapped` if the address stands for no name of this client.
 */
export function holdName(request: SocksRequest, context: Omit<ResolveContext, "rules">): HeldName | undefined {
  const { names } = context;
  if (!names.covers(request.host)) return undefined;
  const held = names.hold(mappingGroup(request, context), request.host);
  if (held === undefined) throw new Refusal("address-unmapped");
  return held;
}

/**
 * Whose an address is: of the clients that `auth` and `client` do not set apart, where these are chosen.
 *
 * The other words tell clients apart by what they ask for, and do not divide the addresses. A request for an address has
 * no port, and is another connection than the one to the address (`port`, `stream`): nothing asked for would be found
 * again. And the host (`destination`) is what is looked for. Nothing is lost by it: the one who asks is the same, and
 * the connection to the address gets the identity that it gets when it asks for the name.
 */
export function mappingGroup(
  { login }: SocksRequest,
  { isolation, clientAddress }: Pick<ResolveContext, "isolation" | "clientAddress">,
): string {
  const flags = new Set([...isolation].filter((flag) => flag === "auth" || flag === "client"));
  return isolationGroup(flags, { login, host: "", port: 0, clientAddress, serial: 0 }) ?? "";
}
