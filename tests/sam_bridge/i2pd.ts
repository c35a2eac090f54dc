import type { Keys, SignatureType } from "./keys.ts";
import { readKeys } from "./keys.ts";
import type { Command, Incoming } from "./line.ts";
import { readSegment, splitPlain } from "./line.ts";
import type { Call } from "./network.ts";
import type { Greeting, Refusal, Reply, Router, Target } from "./router.ts";
import { targetOfKey } from "./router.ts";
import type { Wire } from "./wire.ts";

/** The lowest version that i2pd speaks, as its comparison sees it: digits without the dot. */
const LOWEST = 30;

const COMMANDS = [
  "SESSION CREATE",
  "SESSION ADD",
  "SESSION REMOVE",
  "STREAM CONNECT",
  "STREAM ACCEPT",
  "STREAM FORWARD",
  "NAMING LOOKUP",
  "DEST GENERATE",
];

const REFUSALS: Record<Refusal, (about: string) => string> = {
  "session exists": () => sessionError("Socket already in use"),
  "no id": () => "SESSION STATUS RESULT=INVALID_ID",
  "bad id": () => "SESSION STATUS RESULT=INVALID_ID",
  "duplicated id": () => "SESSION STATUS RESULT=DUPLICATED_ID",
  "duplicated destination": () => "SESSION STATUS RESULT=DUPLICATED_DEST",
  "taken destination": () => "SESSION STATUS RESULT=DUPLICATED_DEST",
  "no tunnels": () => "",
  "no style": () => sessionError("Unknown STYLE"),
  "bad style": () => sessionError("Unknown STYLE"),
  "no destination": () => "SESSION STATUS RESULT=INVALID_KEY",
  "bad keys": () => "SESSION STATUS RESULT=INVALID_KEY",
  "bad signature type": () => "SESSION STATUS RESULT=INVALID_KEY",
  "no subsessions": () => sessionError("Wrong session type"),
  "control socket": () => sessionError("Socket already in use"),
  "unknown id": () => "STREAM STATUS RESULT=INVALID_ID",
  "not ready": () => "STREAM STATUS RESULT=CANT_REACH_PEER",
  "no target": () => "STREAM STATUS RESULT=INVALID_KEY",
  "unknown name": () => "STREAM STATUS RESULT=INVALID_KEY",
  "no lease set": () => "STREAM STATUS RESULT=CANT_REACH_PEER",
  "unreachable": () => "STREAM STATUS RESULT=CANT_REACH_PEER",
  "myself": () => `STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="Can't connect to myself"`,
  "silent": () => "STREAM STATUS RESULT=CANT_REACH_PEER",
  "refused": () => "STREAM STATUS RESULT=CANT_REACH_PEER",
  "already accepting": () => sessionError("Already accepting"),
  "already forwarding": () => sessionError("Already accepting"),
  "no stream id": () => "STREAM STATUS RESULT=INVALID_ID",
  "bad port": () => "",
  "session over": () => "STREAM STATUS RESULT=INVALID_ID",
  "no port": () => sessionError("PORT is missing"),
  "not found": (name) => `NAMING REPLY RESULT=INVALID_KEY NAME=${name}`,
  "cannot generate": () => "DEST REPLY RESULT=I2P_ERROR",
  "too long": () => "",
};

/**
 * i2pd 2.58. Its grammar has no quotes, every error ends the socket, and `STREAM CONNECT` is answered as soon as the lease set
 * is known: a client must not take OK for an answer of the peer.
 */
export const i2pd258: Router = {
  kind: "i2pd",
  isStrictWithSessions: true,
  acceptsForTheGone: false,
  tunnelTimeout: Infinity,
  farewell: "",
  keepsControl: false,
  dropsOwnDatagrams: false,
  connectsBlindly: true,
  reachesItself: false,
  dropsElGamalCallers: true,
  sharesDestinations: true,
  readsWhileBuilding: false,
  keepsEarlyBytes: false,
  hasSharedDestination: true,
  acceptsBesideForward: true,

  pings(): boolean {
    return false;
  },

  hear(wire: Wire, first: boolean): Promise<Incoming | undefined> {
    return readSegment(wire, first);
  },

  greet(line: string): Greeting {
    const hello = splitPlain(line);
    if (hello?.domain !== "HELLO" || hello.opcode !== "VERSION") return {};
    return greeting(negotiate(digits(hello.pairs.get("MIN")), digits(hello.pairs.get("MAX"))));
  },

  parse(line: string): Command | Reply {
    const command = splitPlain(line.replace(/\r$/, ""));
    return command && COMMANDS.includes(`${command.domain} ${command.opcode}`) ? command : { close: true };
  },

  refuse(refusal: Refusal, about = ""): Reply {
    return { text: `${REFUSALS[refusal](about)}\n`, close: refusal !== "not found" };
  },

  isSilent(value: string | undefined): boolean {
    return value === "true";
  },

  silences(): boolean {
    return true;
  },

  /** A type that i2pd does not know becomes DSA without a word; the bridge makes DSA of all but Ed25519. */
  signatureType(value: string | undefined): SignatureType {
    return value === "7" || value === "EdDSA_SHA512_Ed25519" ? 7 : 0;
  },

  acceptsId(id: string): boolean {
    return !/[<>"'/]/.test(id);
  },

  /** i2pd decodes no base64 whose padding is lost, as it is where a client splits at every `=`. */
  async readKeys(blob: string): Promise<Keys | undefined> {
    return blob.length % 4 === 0 ? await readKeys(blob, false) : undefined;
  },

  bookName(name: string): string {
    return name;
  },

  /** Everything without `.i2p` is base64. Case matters, and the length of a base32 label is not checked. */
  async locate(text: string, names: ReadonlyMap<string, string>): Promise<Target | undefined> {
    const [label = "", suffix] = text.split(".b32.i2p");
    if (suffix !== undefined) return /^[a-z2-7]+$/.test(label) ? { b32: `${label}.b32.i2p` } : undefined;
    const destination = text.includes(".i2p") ? names.get(text) : text;
    return destination === undefined || destination.length % 4 !== 0 ? undefined : await targetOfKey(destination);
  },

  callerLine(call: Call): string {
    return `${call.from}\n`;
  },
};

/**
 * i2pd 2.45.1. It speaks no more than 3.1, takes the last of two equal keys, is not strict with sessions, and reaches
 * itself.
 */
export const i2pd2451: Router = {
  ...i2pd258,
  isStrictWithSessions: false,
  reachesItself: true,
  dropsElGamalCallers: false,

  greet(line: string): Greeting {
    const hello = splitPlain(line, "last");
    if (hello?.domain !== "HELLO" || hello.opcode !== "VERSION") return {};
    return greeting(negotiateOld(digits(hello.pairs.get("MIN")), digits(hello.pairs.get("MAX"))));
  },

  parse(line: string): Command | Reply {
    const command = splitPlain(line.replace(/\r$/, ""), "last");
    return command && COMMANDS.includes(`${command.domain} ${command.opcode}`) ? command : { close: true };
  },
};

function sessionError(message: string): string {
  return `SESSION STATUS RESULT=I2P_ERROR MESSAGE="${message}"`;
}

/** Reads a version as i2pd does: its digits in a row, so `3.1` is 31, but `3` is 3. */
function digits(version = ""): number {
  return Number(version.replaceAll(/\D/g, ""));
}

/** MAX if it is not too high (not even MIN is compared with it), else MIN, else nothing. */
function negotiate(min: number, max: number): string | undefined {
  const highest = 33;
  if (max > 0 && max <= highest) return dotted(max);
  if (min >= LOWEST && min <= highest) return dotted(min);
  return min === 0 && max === 0 ? dotted(LOWEST) : undefined;
}

/** MAX if it speaks that version, else MIN, and the highest one where nothing is asked for. */
function negotiateOld(min: number, max: number): string | undefined {
  const highest = 31;
  const known = [max, min].find((version) => version >= LOWEST && version <= highest);
  return known !== undefined ? dotted(known) : min === 0 && max === 0 ? dotted(highest) : undefined;
}

function greeting(version: string | undefined): Greeting {
  if (version === undefined) return { text: "HELLO REPLY RESULT=NOVERSION\n" };
  return { text: `HELLO REPLY RESULT=OK VERSION=${version}\n`, version };
}

function dotted(version: number): string {
  return `${Math.floor(version / 10)}.${version % 10}`;
}
