import { formatDuration } from "../config/duration.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readSettings } from "../config/settings.ts";
import { type Address, type AddressKind, parseAddress, whyNotI2p } from "../i2p/address.ts";
import { isAddressHelper, parseAddressHelper } from "../i2p/address_helper.ts";
import { b32Address } from "../i2p/destination.ts";
import { Deadline, TimeoutError } from "../io/deadline.ts";
import { unknownReason } from "../reasons/classify.ts";
import { fixLines, REASONS } from "../reasons/reasons.ts";
import { SamError } from "../sam/error.ts";
import { LOOKUP_TIMEOUT, lookupName } from "../sam/naming.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { readSamLogin } from "../command/input_files.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import { ROUTER_PORTS, SilenceDiagnosis } from "../command/router_ports.ts";
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
  keepOnly({ sam: settings.sam, services: ROUTER_PORTS });
  const endpoint = { ...settings.sam, ...(login && { login }) };
  const isJson = given.has("json");
  const found: Found[] = [];
  for (const name of names) {
    const one = isAddressHelper(name)
      ? await compareLink(name, endpoint)
      : await lookUp(name, endpoint).catch(async (error) => {
        if (error instanceof TimeoutError) {
          throw new CliError(ExitCode.notReady, `The router did not answer within ${formatDuration(LOOKUP_TIMEOUT)}`);
        }
        using patience = new Deadline(LOOKUP_TIMEOUT);
        await new SilenceDiagnosis().addTo(error, settings.sam, patience);
        throw adviseOn(error, settings.sam);
      });
    found.push(one);
    if (isJson) continue;
    terminal.data(one.hosts ?? describe(one));
    for (const line of one.advice ?? []) terminal.talk(`i2p-socks: hint: ${line}`);
    if (one.warning !== undefined) terminal.talk(`i2p-socks: warning: ${one.warning}`);
  }
  if (isJson) terminal.data(JSON.stringify({ names: found }));
  return found.every(({ resolves }) => resolves) ? ExitCode.ok : ExitCode.failure;
}

/** What was found of a name. */
interface Found {
  /** As it was typed. */
  name: string;
  kind: AddressKind | "link";
  b32?: string | undefined;
  resolves: boolean;
  /** Why it does not resolve. */
  problem?: string | undefined;
  /** What to do about that, a line each. */
  advice?: string[];
  /** Of a link: the line for a file of `--hosts`. */
  hosts?: string;
  /** Of a link: what to be careful about. */
  warning?: string;
}

async function lookUp(name: string, endpoint: SamEndpoint): Promise<Found> {
  const address = parseAddress(name);
  const resolved = await resolve(address, endpoint);
  const b32 = resolved ?? (address.kind === "b32" ? address.host : undefined);
  const { kind } = address;
  const cannot = whyNotI2p(address);
  if (resolved !== undefined || cannot !== undefined) {
    return { name, kind, b32, resolves: resolved !== undefined, problem: cannot };
  }
  const { message, fix, hint } = REASONS[unknownReason(kind)];
  const advice = fix === null ? (hint === null ? [] : [hint]) : fixLines(fix);
  return { name, kind, b32, resolves: false, problem: message, advice };
}

/**
 * The line of hosts that a link stands for. Whoever writes a link can give any address for a name, so the router is asked
 * for its own; one that is not there is not needed.
 */
async function compareLink(link: string, endpoint: SamEndpoint): Promise<Found> {
  const { name, address } = await parseAddressHelper(link).catch((error) => {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(ExitCode.usage, `Cannot use the link "${link}": ${error.message}`);
  });
  const known = await resolve(parseAddress(name), endpoint).catch((error) => {
    if (error instanceof SamError || error instanceof TimeoutError) return undefined;
    throw error;
  });
  const isOther = known !== undefined && known !== address;
  const warning =
    `The router has another address for ${name}, ${known}: use the link only if you trust where it came from`;
  return {
    name: link,
    kind: "link",
    b32: address,
    resolves: true,
    hosts: `${name} ${address}`,
    ...(isOther && { warning }),
  };
}

/** The base32 address of what the router finds; undefined if it finds nothing, or if there is nothing to ask for. */
async function resolve({ kind, host }: Address, endpoint: SamEndpoint): Promise<string | undefined> {
  if (kind === "clearnet" || kind === "ip" || kind === "malformed") return undefined;
  using deadline = new Deadline(LOOKUP_TIMEOUT);
  const destination = await lookupName(endpoint, host, deadline);
  return destination && await b32Address(destination);
}

function describe({ name, kind, b32, resolves, problem }: Found): string {
  return [
    /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name),
    `kind=${kind}`,
    ...(b32 === undefined ? [] : [`b32=${b32}`]),
    `resolves=${resolves ? "yes" : "no"}`,
    ...(problem === undefined ? [] : [`problem=${JSON.stringify(problem)}`]),
  ].join(" ");
}
