import type { Address } from "../i2p/address.ts";
import { Refusal } from "./failure.ts";

/**
 * Whether a client may connect to an address: to all of I2P, and to nothing else.
 *
 * @throws {Refusal} with the reason.
 */
export function checkTarget(address: Address): void {
  switch (address.kind) {
    case "ip":
      throw new Refusal("ip");
    case "clearnet":
      throw new Refusal("clearnet");
    case "malformed":
      throw new Refusal("malformed-address", `Not a possible I2P address: ${address.problem}`);
    case "b32":
    case "b33":
    case "name":
  }
}
