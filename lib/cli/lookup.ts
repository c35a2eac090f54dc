import { formatDuration } from "../config/duration.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readSettings } from "../config/settings.ts";
import { type Address, parseAddress, whyNotI2p } from "../i2p/address.ts";
import { b32Address } from "../i2p/destination.ts";
import { Deadline, TimeoutError } from "../io/deadline.ts";
import { unknownReason } from "../reasons/classify.ts";
import { fixLines, REASONS } from "../reasons/reasons.ts";
import { lookupName } from "../sam/naming.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { readSamLogin } from "../command/input_files.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import { adviseOn } from "../command/sam_error.ts";
import { type Terminal, terminalLog } from "../command/terminal.ts";

/** Milliseconds for the router to resolve one name. Routers give up earlier. */
export const LOOKUP_TIMEOUT = 60_000;

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
    for (const line of b32 === undefined ? adviceFor(address) : []) terminal.talk(`  ${line}`);
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

/** What to do about what the router does not resolve; the problem says it all where nobody was asked. */
function adviceFor(address: Address): string[] {
  if (whyNotI2p(address) !== undefined) return [];
  const { fix, hint } = REASONS[unknownReason(address.kind)];
  return fix === null ? (hint === null ? [] : [hint]) : fixLines(fix);
}

function describe(name: string, address: Address, resolved: string | undefined): string {
  const { kind, host } = address;
  const problem = whyNotI2p(address) ?? (resolved === undefined ? REASONS[unknownReason(kind)].message : undefined);
  const b32 = resolved ?? (kind === "b32" ? host : undefined);
  return [
    /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name),
    `kind=${kind}`,
    ...(b32 === undefined ? [] : [`b32=${b32}`]),
    `resolves=${resolved === undefined ? "no" : "yes"}`,
    ...(problem === undefined ? [] : [`problem=${JSON.stringify(problem)}`]),
  ].join(" ");
}
