import { type Address, parseAddress } from "../i2p/address.ts";
import { CliError, ExitCode } from "./exit_code.ts";

/**
 * The address of I2P that an operand names.
 *
 * @param name as it was typed.
 * @param what begins the error's text, such as `Cannot connect to "example.com"`.
 * @throws {CliError} if it cannot be one; then nobody needs to be asked for it.
 */
export function requireI2pAddress(name: string, what: string): Address {
  const address = parseAddress(name);
  const { kind, problem } = address;
  if (kind !== "clearnet" && kind !== "ip" && kind !== "malformed") return address;
  const reason = problem ?? (kind === "ip" ? "it is an IP address, and I2P has none" : "it is no name of I2P");
  throw new CliError(ExitCode.usage, `${what}: ${reason}`);
}
