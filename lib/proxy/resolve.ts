import { parseAddress } from "../i2p/address.ts";
import { ipBytes } from "../i2p/ip_address.ts";
import { mappingGroup } from "../identity/isolation.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { Handshake } from "../socks/handshake.ts";
import { encodeName5, encodeResolved4, encodeResolved5, RESOLVE_PTR } from "../socks/resolve.ts";
import { SocksError, type SocksRequest } from "../socks/wire.ts";
import type { Client, ClientContext } from "./context.ts";
import type { NameMap } from "./name_map.ts";
import { checkHost, type DestinationRules } from "./policy.ts";
import { sendReply } from "./refuse.ts";

/** Answer to a request for an address or a name. */
interface Resolved {
  bytes: Uint8Array;
  host: string;
}

/** Serves RESOLVE and RESOLVE_PTR: answers with an address or a name instead of a stream. */
export async function handleResolve(client: Client, { request }: Handshake, context: ClientContext): Promise<void> {
  const { names, settings, admission, counters, log } = context;
  if (names === undefined) throw new SocksError("command", "RESOLVE is not supported", request.version);
  await admission.claim(client, context.signal);
  const group = mappingGroup(settings.isolation, { login: request.login, clientAddress: client.clientAddress });
  const { bytes, host } = resolve(request, group, names, settings.policy);
  counters.add("resolved");
  log.debug("Answered a request for an address", { destination: host });
  await sendReply(client, bytes, context);
}

/**
 * Answers a request for the address of a name, or for the name of an address.
 *
 * It does not wait for the router, so it says nothing of whether the name exists: the stream does. What could not be
 * connected to whatever the port, is refused here as there.
 *
 * @throws {Refusal} with the reason.
 */
function resolve(request: SocksRequest, group: string, names: NameMap, rules: DestinationRules): Resolved {
  const { version, command } = request;
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
  checkHost(address, rules);
  const bytes = names.addressOf(group, address.host);
  if (version === 5) return { bytes: encodeResolved5(bytes), host: address.host };
  if (bytes.length !== 4) throw new Refusal("address-type", "SOCKS4 has no IPv6 addresses: see --map-names");
  return { bytes: encodeResolved4(bytes), host: address.host };
}
