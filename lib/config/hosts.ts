import { parseAddress } from "../i2p/address.ts";
import { isAddressHelper, parseAddressHelper } from "../i2p/address_helper.ts";
import { decodeI2pBase64 } from "../i2p/base64.ts";
import { b32Address, publicPart } from "../i2p/destination.ts";

/** Most bytes of a file of host names. */
export const MAX_HOSTS_FILE = 8_388_608;

/** Host names of the user's own: base32 addresses by name, both in lower case. */
export type Hosts = ReadonlyMap<string, string>;

/**
 * Parses a file of host names: a line `NAME ADDRESS` or `NAME=ADDRESS` each, where an address is base32 or a whole
 * destination in I2P base64, as in the `hosts.txt` of the routers. A link with `?i2paddresshelper=` is such a line too. Empty lines are skipped, and what stands behind a `#`.
 *
 * A destination is kept as its base32 address: i2pd notes destinations that it was given whole on disk.
 *
 * @throws {SyntaxError} with the line, for anything else, or for a name that stands for two addresses.
 */
export async function parseHosts(text: string): Promise<Hosts> {
  const hosts = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const content = line.replace(/#.*/, "").trim();
    if (content === "") continue;
    try {
      const [host, target] = isAddressHelper(content) ? await parseLink(content) : await parseLine(content);
      if ((hosts.get(host) ?? target) !== target) throw new SyntaxError(`"${host}" has another address further up`);
      hosts.set(host, target);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(`line ${i + 1}: ${error.message}`);
    }
  }
  return hosts;
}

async function parseLine(content: string): Promise<[host: string, target: string]> {
  const [, name = "", address = ""] = /^([^\s=]+)(?:\s+|\s*=\s*)(\S+)$/.exec(content) ?? [];
  return [parseName(name), await parseTarget(address)];
}

async function parseLink(content: string): Promise<[host: string, target: string]> {
  try {
    const { name, address } = await parseAddressHelper(content);
    return [name, address];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`the link cannot be used: ${error.message}`);
  }
}

function parseName(text: string): string {
  if (text === "") throw new SyntaxError("a line is NAME ADDRESS");
  const { kind, host, problem } = parseAddress(text);
  if (kind === "name" || kind === "garlicat") return host;
  throw new SyntaxError(`"${text}" cannot be a name here: ${problem ?? "it does not end in .i2p"}`);
}

async function parseTarget(text: string): Promise<string> {
  const { kind, host, problem } = parseAddress(text);
  if (kind === "b32" || kind === "b33") return host;
  if (text.endsWith(".i2p")) throw new SyntaxError(`"${text}" is not a base32 address${problem ? `: ${problem}` : ""}`);
  try {
    return await b32Address(publicPart(decodeI2pBase64(text)));
  } catch {
    throw new SyntaxError("the address is neither base32 nor a destination in I2P base64");
  }
}
