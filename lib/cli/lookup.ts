import { formatDuration } from "../config/duration.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readSettings } from "../config/settings.ts";
import { type Address, parseAddress, whyNotI2p } from "../i2p/address.ts";
import { b32Address } from "../i2p/destination.ts";
import { Deadline, TimeoutError } from "../io/deadline.ts";
import { LOOKUP_TIMEOUT, lookupName } from "../sam/naming.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { readSamLogin } from "../command/input_files.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import { adviseOn } from "../command/sam_error.ts";
import { type Terminal, terminalLog } from "../command/terminal.ts";

/**
 * Says of each name what it is, its base32 address, and whether the router resolves it: a line each.
 *
 * @returns failure if one of them does not resolve.
 */
export async function lookup(names: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  if (names.length === 0) {
    throw new CliError(ExitCode.usage, "No name to look up", ["i2p-socks lookup NAME..."]);
  }
  const settings = readSettings(given);
  const login = await readSamLogin(settings, terminalLog(terminal));
  requireNet(settings.sam, "--sam");
  keepOnly({ sam: settings.sam });
  const endpoint = { ...settings.sam, ...(login && { login }) };
  let exitCode: ExitCode = ExitCode.ok;
  for (const name of names) {
    const address = parseAddress(name);
    const b32 = await resolve(address, endpoint).catch((error) => {
      if (error instanceof TimeoutError) {
        throw new CliError(ExitCode.notReady, `The router did not answer within ${formatDuration(LOOKUP_TIMEOUT)}`);
      }
      throw adviseOn(error, settings.sam);
    });
    if (b32 === undefined) exitCode = ExitCode.failure;
    terminal.data(describe(name, address, b32));
  }
  return exitCode;
}

/** The base32 address of what the router finds; undefined if it finds nothing, or if there is nothing to ask for. */
async function resolve({ kind, host }: Address, endpoint: SamEndpoint): Promise<string | undefined> {
  if (kind === "clearnet" || kind === "ip" || kind === "malformed") return undefined;
  using deadline = new Deadline(LOOKUP_TIMEOUT);
  const destination = await lookupName(endpoint, host, deadline);
  return destination && await b32Address(destination);
}

function describe(name: string, address: Address, resolved: string | undefined): string {
  const { kind, host } = address;
  const problem = whyNotI2p(address);
  const b32 = resolved ?? (kind === "b32" ? host : undefined);
  return [
    /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name),
    `kind=${kind}`,
    ...(b32 === undefined ? [] : [`b32=${b32}`]),
    `resolves=${resolved === undefined ? "no" : "yes"}`,
    ...(problem === undefined ? [] : [`problem=${JSON.stringify(problem)}`]),
  ].join(" ");
}
