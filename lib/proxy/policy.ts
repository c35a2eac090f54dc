import type { CallerRules } from "../config/forward.ts";
import type { Hosts } from "../config/hosts.ts";
import type { Rule } from "../config/rule.ts";
import type { PolicySettings } from "../config/settings.ts";
import { type Address, parseAddress } from "../i2p/address.ts";
import { Refusal } from "../reasons/refusal.ts";

/** Where applications may go, within I2P. */
export type DestinationRules = Pick<PolicySettings, "allow" | "deny">;

/**
 * Where a request leads: to the I2P address that it names, or to the one that the user's own host names have for it.
 *
 * @throws {Refusal} as {@linkcode checkTarget}.
 */
export function checkDestination(
  { host, port }: { host: string; port: number },
  rules: DestinationRules,
  hosts: Hosts,
): Address {
  const address = parseAddress(host);
  checkTarget(address, port, rules);
  const known = hosts.get(address.host);
  return known === undefined ? address : parseAddress(known);
}

/**
 * Whether a client may connect to an address: to all of I2P that the rules permit, and to nothing else.
 *
 * @throws {Refusal} with the reason.
 */
export function checkTarget(address: Address, port: number, { allow, deny }: DestinationRules): void {
  switch (address.kind) {
    case "ip":
      throw new Refusal("ip");
    case "clearnet":
      throw new Refusal("clearnet");
    case "malformed":
      throw new Refusal("malformed-address", `Not a valid I2P address: ${address.problem}`);
    case "b32":
    case "b33":
    case "garlicat":
    case "name": {
      const matches = (rule: Rule): boolean => rule.matches(address.host, port);
      if (deny.some(matches) || allow.length > 0 && !allow.some(matches)) throw new Refusal("rule");
    }
  }
}

/**
 * Whether a client may connect to an address at one port or another.
 *
 * @throws {Refusal} with the reason, if {@linkcode checkTarget} refuses it at every port.
 */
export function checkHost(address: Address, { allow, deny }: DestinationRules): void {
  checkTarget(address, 0, { allow: [], deny: [] });
  const { host } = address;
  // The ports of a rule are one range: with the first and the last it has all.
  const isDenied = deny.some((rule) => rule.matches(host, 0) && rule.matches(host, 65_535));
  if (isDenied || allow.length > 0 && !allow.some((rule) => rule.matches(host, rule.lowest))) throw new Refusal("rule");
}

export function mayCall(caller: string, { allow, deny }: CallerRules): boolean {
  return !deny.includes(caller) && (allow.length === 0 || allow.includes(caller));
}
