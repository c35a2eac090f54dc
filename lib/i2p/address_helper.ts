import { parseAddress } from "./address.ts";
import { decodeI2pBase64 } from "./base64.ts";
import { b32Address, publicPart } from "./destination.ts";

/** A name with the address that a link gives for it. */
export interface AddressHelper {
  /** The name, in lower case. */
  name: string;
  /** Its base32 address. */
  address: string;
}

/** Parameter of a link that tells the address of its host (I2P naming: "address helper"). */
const PARAMETER = "i2paddresshelper";

/** What a link without a scheme is read as. */
const SCHEME = "http";

/** Whether a text is meant as a link with an address. */
export function isAddressHelper(text: string): boolean {
  return new RegExp(`[?&]${PARAMETER}=`, "i").test(text);
}

/**
 * Reads a link such as `http://site.i2p/?i2paddresshelper=ADDRESS`, where ADDRESS is base32, with or without `.b32.i2p`,
 * or a whole destination in I2P base64.
 *
 * @throws {SyntaxError} with a clause that says what is wrong.
 */
export async function parseAddressHelper(link: string): Promise<AddressHelper> {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(link) ? link : `${SCHEME}://${link}`;
  if (!URL.canParse(text)) throw new SyntaxError("it cannot be read as a link");
  const { hostname } = new URL(text);
  const { kind, host, problem } = parseAddress(hostname);
  if (kind !== "name") {
    throw new SyntaxError(`its host is not a name of I2P${problem === undefined ? "" : `: ${problem}`}`);
  }
  // A + in a query would be a space, which no address has.
  const [, value = ""] = new RegExp(`[?&]${PARAMETER}=([^&#]*)`, "i").exec(text) ?? [];
  return { name: host, address: await parseValue(decodePercent(value)) };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function parseValue(value: string): Promise<string> {
  const suffixed = /^[a-z2-7]{52,63}$/i.test(value) ? `${value}.b32.i2p` : value;
  const { kind, host } = parseAddress(suffixed);
  if (kind === "b32" || kind === "b33") return host;
  try {
    return await b32Address(publicPart(decodeI2pBase64(value)));
  } catch {
    throw new SyntaxError("the address in it is neither base32 nor a destination in I2P base64");
  }
}
