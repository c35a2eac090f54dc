import { type Address, parseAddress, whyNotI2p } from "../i2p/address.ts";
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
  const reason = whyNotI2p(address);
  if (reason !== undefined) throw new CliError(ExitCode.usage, `${what}: ${reason}`);
  return address;
}
