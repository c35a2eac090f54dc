import { decodeI2pBase32 } from "./base32.ts";
import { checkBlindedLabel } from "./blinded.ts";
import { garlicatHost, garlicatName } from "./garlicat.ts";

/**
 * What a host, as an application gave it, turns out to be:
 *
 * - `b32`: the hash of a destination, `<52 characters>.b32.i2p`
 * - `b33`: a blinded address of an encrypted lease set, `<56 characters>.b32.i2p`
 * - `garlicat`: `<16 characters>.oc.b32.i2p`, the same without `.oc`, or the IPv6 address of GarliCat that stands for it
 * - `name`: a name for the router's address book, `*.i2p`
 * - `clearnet`: any other name, `localhost` included
 * - `ip`: an IPv4 or IPv6 literal
 * - `malformed`: meant for I2P, but no router could resolve it
 */
export type AddressKind = "b32" | "b33" | "garlicat" | "name" | "clearnet" | "ip" | "malformed";

/** A host together with what it is. */
export interface Address {
  /** What it is. */
  kind: AddressKind;
  /**
   * What to hand to the router: lower case, no trailing dot, no `.alt`, GarliCat's one name for what it has. Unchanged for
   * `clearnet`, `ip`, `malformed`.
   */
  host: string;
  /** For `malformed`: what is wrong, as a clause that follows "because". */
  problem?: string;
}

/** Longest host name of an address book, `.i2p` included (I2P naming rules). */
export const MAX_NAME_LENGTH = 67;

const B32_SUFFIX = ".b32.i2p";

/** Characters of a label of 32 hashed bytes. */
const B32_LENGTH = 52;

/**
 * Classifies and normalises a host. Pure: nothing is resolved.
 *
 * I2P names are case-insensitive, but i2pd compares them byte by byte, so they are lower-cased here. One trailing dot
 * is dropped, and `.i2p.alt` (RFC 9476) is `.i2p`.
 */
export function parseAddress(given: string): Address {
  if (isIpLiteral(given)) {
    const name = garlicatName(given);
    return name === undefined ? { kind: "ip", host: given } : { kind: "garlicat", host: name };
  }
  const host = lowerCase(given).replace(/\.$/, "").replace(/\.i2p\.alt$/, ".i2p");
  if (host === "") return { kind: "malformed", host: given, problem: "it is empty" };
  if (!host.endsWith(".i2p")) return { kind: "clearnet", host: given };
  const garlicat = garlicatHost(host);
  if (garlicat !== undefined) return { kind: "garlicat", host: garlicat };
  try {
    if (host.endsWith(B32_SUFFIX)) return { kind: hashKind(host.slice(0, -B32_SUFFIX.length)), host };
    checkName(host);
    return { kind: "name", host };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "malformed", host: given, problem: error.message };
  }
}

/** Why a host is not one of I2P, as a clause that follows "because"; undefined where it is. */
export function whyNotI2p({ kind, host, problem }: Address): string | undefined {
  if (kind === "ip") return "it is an IP address, and I2P has none";
  if (kind !== "clearnet") return problem;
  const isWhole = host.includes(".") || host.toLowerCase() === "localhost";
  const meant = isWhole ? undefined : [`${host}${B32_SUFFIX}`, `${host}.i2p`].find(isPossible);
  return `names of I2P end in .i2p${meant === undefined ? "" : `: did you mean ${meant}?`}`;
}

function isPossible(host: string): boolean {
  return parseAddress(host).kind !== "malformed";
}

const OCTET = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const IPV4: RegExp = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);

/** Whether a text is an IPv4 address (four decimal parts), or an IPv6 address with or without brackets. */
export function isIpLiteral(text: string): boolean {
  if (IPV4.test(text)) return true;
  if (!text.includes(":")) return false;
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  return bare.includes(":") && /^[\da-f:.]+$/i.test(bare) && URL.canParse(`http://[${bare}]/`);
}

/** Of ASCII only: Unicode's rules would turn look-alikes, such as the Kelvin sign, into ASCII letters. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function hashKind(label: string): "b32" | "b33" {
  if (label.includes(".")) throw new SyntaxError("a base32 address has no subdomains");
  if (label.length > B32_LENGTH) {
    checkBlindedLabel(label);
    return "b33";
  }
  if (label.length < B32_LENGTH) {
    throw new SyntaxError(
      `a base32 address has ${B32_LENGTH} characters before .b32.i2p, this one has ${label.length}`,
    );
  }
  if (!isHash(label)) decodeI2pBase32(label);
  return "b32";
}

/** Whether a label is base32 of 32 bytes: 256 of its 260 bits, so the last character is `a` or `q`. */
function isHash(label: string): boolean {
  return /^[a-z2-7]{51}[aq]$/.test(label);
}

function checkName(host: string): void {
  if (host.length > MAX_NAME_LENGTH) {
    throw new SyntaxError(`an I2P name has at most ${MAX_NAME_LENGTH} characters, this one has ${host.length}`);
  }
  if (!/^[a-z0-9.-]+$/.test(host)) {
    throw new SyntaxError("an I2P name has only letters, digits, dots and hyphens (other scripts as punycode)");
  }
  if (host.split(".").some((label) => label === "" || label.startsWith("-") || label.endsWith("-"))) {
    throw new SyntaxError("every part of a name between dots starts and ends with a letter or a digit");
  }
}
