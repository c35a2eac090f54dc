import { assert, assertEquals } from "@std/assert";
import { type Address, type AddressKind, isIpLiteral, MAX_NAME_LENGTH, parseAddress } from "../../lib/i2p/address.ts";
import { encodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { isPlain } from "../../lib/sam/message.ts";
import { blindedLabel, crc32ByDivision } from "../support/blinded_label.ts";
import type { Random } from "../support/random.ts";
import type { Target } from "./engine.ts";
import { mutateText } from "./mutate.ts";

const TOKENS = [
  "_",
  ".i2p",
  ".b32.i2p",
  ".i2p.alt",
  ".",
  "..",
  "-",
  "xn--",
  "::",
  "[",
  "]",
  "%25",
  "1.2.3.4",
  "127.1",
  "0x7f",
];

/** Any host: what goes to the router is an address that it can read, and the same for every way to write it. */
export const address: Target<string> = {
  name: "address",
  weight: 14,
  corpus: [
    "",
    ".",
    ".i2p",
    ".b32.i2p",
    "i2p",
    "a.i2p.",
    "a.i2p..",
    "a.i2p.alt.i2p.alt",
    ".i2p.alt",
    "\u212a.i2p",
    "a_b.i2p",
    "a-.i2p",
    "a.-b.i2p",
    "a\n.i2p",
    "a.i2p\n",
    "a.i2p\0.example.com",
    `${"a".repeat(MAX_NAME_LENGTH - 4)}.i2p`,
    `${"a".repeat(MAX_NAME_LENGTH - 3)}.i2p`,
    `${"7".repeat(52)}.b32.i2p`,
    `${"a".repeat(52)}.b32.i2p`,
    `${"a".repeat(56)}.b32.i2p`,
    `x.${"a".repeat(52)}.b32.i2p`,
    "[::1]",
    "::ffff:127.0.0.1%eth0",
    "::1]/x.i2p",
    "[fd60:db4d:ddb5::]",
    "fd60:db4d:ddb5::1%eth0",
    "fd60:db4d:ddb5::127.0.0.1",
    `${"a".repeat(16)}.oc.b32.i2p`,
    `${"a".repeat(15)}1.oc.b32.i2p`,
    `${"a".repeat(16)}.b32.i2p`,
    `${"a".repeat(17)}.b32.i2p`,
  ],
  generate: (random) => {
    const host = randomHost(random);
    if (random.below(5) === 0) return host;
    return mutateText(host, random, { tokens: TOKENS, other: randomHost(random), maxLength: 300 });
  },
  check: (given) => {
    const { kind, host, problem } = parseAddress(given);
    const normal = given.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/\.$/, "").replace(
      /\.i2p\.alt$/,
      ".i2p",
    );
    assertEquals(kind, isIpLiteral(given) ? kindOfIp(given) : kindOf(normal));
    assertEquals(problem !== undefined, kind === "malformed");
    if (kind === "ip" || kind === "clearnet" || kind === "malformed") {
      assertEquals(host, given, "a host that is not for the router was changed");
      return;
    }
    assert(isPlain(host), "no command could be written with it");
    for (const other of [given, host, host.toUpperCase(), `${host}.`, `${host}.alt`, `${host}.ALT.`]) {
      assertEquals(parseAddress(other), { kind, host } satisfies Address, other);
    }
  },
};

/** What an IP address is: the runtime's own spelling of it shows whether it is one of GarliCat. */
function kindOfIp(given: string): AddressKind {
  const bare = given.replace(/^\[(.*)\]$/, "$1");
  if (bare.includes("%") || !bare.includes(":")) return "ip";
  return new URL(`http://[${bare}]/`).hostname.startsWith("[fd60:db4d:ddb5:") ? "garlicat" : "ip";
}

/** What a host is, by another road than the program's. */
function kindOf(host: string): AddressKind {
  if (host === "") return "malformed";
  if (!host.endsWith(".i2p")) return "clearnet";
  if (/^[a-z2-7]{16}(\.oc)?\.b32\.i2p$/.test(host)) return "garlicat";
  if (host.endsWith(".b32.i2p")) return kindOfLabel(host.slice(0, -8));
  const isName = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+i2p$/.test(host) && host.length <= MAX_NAME_LENGTH;
  return isName ? "name" : "malformed";
}

function kindOfLabel(label: string): AddressKind {
  if (!/^([a-z2-7]{52}|[a-z2-7]{56})$/.test(label)) return "malformed";
  const bytes = bytesOfBase32(label);
  if (label.length === 52) return encodeI2pBase32(bytes.subarray(0, 32)) === label ? "b32" : "malformed";
  const checksum = crc32ByDivision(bytes.subarray(3));
  const flags = (bytes[0] ?? 0) ^ checksum & 0xff;
  const type = (bytes[1] ?? 0) ^ checksum >>> 8 & 0xff;
  const isKnown = [0, 2, 4, 6].includes(flags) && [7, 11].includes(type);
  return isKnown && label === blindedLabel(bytes.subarray(3), { flags, type }) ? "b33" : "malformed";
}

/** Bit by bit; bits behind the last byte are left out. */
function bytesOfBase32(label: string): Uint8Array {
  const bits = Array.from(label, (c) => "abcdefghijklmnopqrstuvwxyz234567".indexOf(c).toString(2).padStart(5, "0"));
  return Uint8Array.from(bits.join("").match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
}

function randomHost(random: Random): string {
  switch (random.below(7)) {
    case 0:
      return `${encodeI2pBase32(random.bytes(32))}.b32.i2p`;
    case 1: {
      const [flags, type, blindedType] = [random.pick([0, 2, 4, 6, 1, 8]), random.pick([7, 11, 0]), 11];
      return `${blindedLabel(random.bytes(32), { flags, type, blindedType })}.b32.i2p`;
    }
    case 2:
      return random.pick([
        "127.0.0.1",
        "::1",
        "[fd60:db4d:ddb5::1]",
        "fd60:db4d:ddb5:1:2:3:4:5",
        "1.2.3.4",
        "fe80::1%eth0",
        "::ffff:1.2.3.4",
      ]);
    case 4:
      return `${encodeI2pBase32(random.bytes(10))}${random.pick([".oc", ""])}.b32.i2p`;
    case 3:
      return random.latin1(random.below(20));
    default:
      return `${random.pick(["a", "stats", "irc.postman", "xn--e1a", "www.a-b"])}${random.pick([".i2p", "", ".com"])}`;
  }
}
