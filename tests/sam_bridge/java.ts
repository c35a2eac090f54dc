import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import type { Keys, SignatureType } from "./keys.ts";
import { readKeys } from "./keys.ts";
import type { Command, Incoming } from "./line.ts";
import { readLine, splitQuoted } from "./line.ts";
import type { Call } from "./network.ts";
import type { Greeting, Login, PrimaryManners, Refusal, Reply, Router, Target } from "./router.ts";
import { targetOfKey } from "./router.ts";
import type { Wire } from "./wire.ts";

/** Versions that Java I2P speaks, best first. */
const VERSIONS = ["3.3", "3.2", "3.1", "3.0", "2.0", "1.0"];

/** Characters from which on an address is a destination in base64: no shorter one exists. */
const KEY_CHARS = 516;

/** Bytes of the shortest private blob that is taken, one of DSA_SHA1. */
const BLOB_BYTES = 663;

const OPCODES: Record<string, string[]> = {
  SESSION: ["CREATE", "ADD", "REMOVE"],
  STREAM: ["CONNECT", "ACCEPT", "FORWARD"],
  NAMING: ["LOOKUP"],
  DEST: ["GENERATE"],
};

const REFUSALS: Record<Refusal, (about: string) => string> = {
  "session exists": () => session("I2P_ERROR", "Session already exists"),
  "no id": () => session("I2P_ERROR", "ID not specified"),
  "bad id": () => session("I2P_ERROR", "ID not specified"),
  "duplicated id": () => session("DUPLICATED_ID"),
  "duplicated destination": () => session("DUPLICATED_DEST"),
  "no style": () => session("I2P_ERROR", "No SESSION STYLE specified"),
  "bad style": (style) => session("I2P_ERROR", `Unrecognized SESSION STYLE: ${style}`),
  "no destination": () => session("I2P_ERROR", "DESTINATION not specified"),
  "bad keys": () => session("INVALID_KEY"),
  "bad signature type": (type) => session("I2P_ERROR", `SIGNATURE_TYPE ${type} unsupported`),
  "no subsessions": () => session("I2P_ERROR", "Not a PRIMARY session"),
  "control socket": () => stream("I2P_ERROR", "v3 control socket cannot be used for STREAM"),
  "unknown id": (id) => stream("INVALID_ID", `STREAM SESSION ID ${id} does not exist`),
  "not ready": () => stream("INVALID_ID", "specified ID is not a stream session"),
  "no target": () => stream("I2P_ERROR", "Destination not specified in STREAM CONNECT message"),
  "unknown name": (name) => stream("INVALID_KEY", `Host name not found: ${name}`),
  "no lease set": (b32) => stream("INVALID_KEY", `Lease set not found: ${b32}`),
  "unreachable": () => stream("CANT_REACH_PEER", "Connection timed out"),
  "myself": () => stream("CANT_REACH_PEER", "Connection refused"),
  "silent": () => stream("CANT_REACH_PEER", "Connection timed out"),
  "refused": () => stream("CANT_REACH_PEER", "Connection reset"),
  "already accepting": () => stream("ALREADY_ACCEPTING"),
  "no port": () => stream("I2P_ERROR", "PORT not specified"),
  "not found": (name) => `NAMING REPLY RESULT=KEY_NOT_FOUND NAME=${name}`,
  "cannot generate": (type) => `DEST REPLY RESULT=I2P_ERROR${quoted(`SIGNATURE_TYPE ${type} unsupported`)}`,
  "too long": (problem) => session("I2P_ERROR", problem),
};

/** The session itself carries nothing: its subsessions do. */
const primary: PrimaryManners = {
  forbidden: ["PORT", "HOST", "FROM_PORT", "TO_PORT", "PROTOCOL", "LISTEN_PORT", "LISTEN_PROTOCOL"],

  refuseOption(key: string): Reply {
    return { text: `${session("I2P_ERROR", `PRIMARY session options may not contain ${key}`)}\n` };
  },

  added(id: string, problem?: string): Reply {
    const result = problem === undefined ? "OK" : "I2P_ERROR";
    return { text: `SESSION STATUS RESULT=${result} ID="${id}"${quoted(problem ?? `ADD ${id}`)}\n` };
  },

  noStreams(style: string): Reply {
    const text = style === "PRIMARY" || style === "MASTER"
      ? stream("I2P_ERROR", "primary session")
      : stream("INVALID_ID", "specified ID is not a stream session");
    return { text: `${text}\n`, close: true };
  },
};

/** Java I2P. It honours quotes, explains its refusals, survives errors of SESSION, and sends PING from 3.2 on. */
export const java: Router = {
  connectsBlindly: false,
  reachesItself: true,
  sharesDestinations: false,
  readsWhileBuilding: true,
  keepsEarlyBytes: true,
  hasSharedDestination: false,
  acceptsBesideForward: false,
  primary,

  pings(version: string): boolean {
    return Number(version) >= 3.2;
  },

  hear(wire: Wire): Promise<Incoming | undefined> {
    return readLine(wire);
  },

  greet(line: string, login: Login | undefined): Greeting {
    const hello = tryParse(line);
    if (!("domain" in hello)) return { text: hello.text ?? "" };
    if (hello.domain !== "HELLO" || hello.opcode !== "VERSION") return helloError("Must start with HELLO VERSION");
    const { pairs } = hello;
    const version = VERSIONS.find((offered) =>
      compare(offered, pairs.get("MIN") ?? "1") >= 0 && compare(offered, pairs.get("MAX") ?? "99.99") <= 0
    );
    if (version === undefined) return { text: "HELLO REPLY RESULT=NOVERSION\n" };
    const [user, password] = [pairs.get("USER"), pairs.get("PASSWORD")];
    if (login && (user === undefined || password === undefined)) return helloError("USER and PASSWORD required");
    if (login && (user !== login.user || password !== login.password)) return helloError("Authorization failed");
    return { text: `HELLO REPLY RESULT=OK VERSION=${version}\n`, version };
  },

  parse(line: string): Command | Reply {
    if (/^ping( |$)/i.test(line)) return { text: `PONG${line.slice(4)}\n` };
    // A PONG to no PING of the bridge.
    if (/^pong( |$)/i.test(line)) return {};
    const command = tryParse(line);
    if (!("domain" in command)) return command;
    const { domain, opcode } = command;
    if (["QUIT", "STOP", "EXIT"].includes(domain)) {
      return { text: `${domain} STATUS RESULT=OK MESSAGE=bye\n`, close: true };
    }
    if (domain === "HELP") return { text: "HELP STATUS RESULT=OK MESSAGE=https://geti2p.net/en/docs/api/samv3\n" };
    const opcodes = OPCODES[domain];
    if (!opcodes) return failed(domain, "unsupported command, enter HELP for help");
    if (opcodes.includes(opcode)) return command;
    // The one reply of this router that lacks its line feed.
    if (domain === "DEST") return { text: 'DEST REPLY RESULT=I2P_ERROR MESSAGE="DEST GENERATE required"' };
    return { ...failed(domain, `Unrecognized ${domain} opcode ${opcode}`), close: domain === "STREAM" };
  },

  refuse(refusal: Refusal, about = ""): Reply {
    const text = REFUSALS[refusal](about);
    return { text: `${text}\n`, close: text.startsWith("STREAM") };
  },

  /** Everything but `false` silences. */
  isSilent(value = "false"): boolean {
    return value !== "false";
  },

  /** What is wrong with the session is said in any case. */
  silences(refusal: Refusal): boolean {
    return !["unknown id", "not ready", "control socket"].includes(refusal);
  },

  signatureType(value = "0"): SignatureType | undefined {
    const type = value.toLowerCase();
    if (type === "7" || type === "eddsa_sha512_ed25519") return 7;
    return type === "0" || type === "dsa_sha1" ? 0 : undefined;
  },

  acceptsId(id: string): boolean {
    return id !== "";
  },

  async readKeys(blob: string): Promise<Keys | undefined> {
    // It takes base64 that has lost its padding, as clients are wont to send it.
    const padded = blob.padEnd(Math.ceil(blob.length / 4) * 4, "=");
    const keys = await readKeys(padded, true);
    return keys && decodeI2pBase64(padded).length >= BLOB_BYTES ? keys : undefined;
  },

  bookName(name: string): string {
    return name.toLowerCase().replace(/\.i2p\.alt$/, ".i2p");
  },

  async locate(text: string, names: ReadonlyMap<string, string>): Promise<Target | undefined> {
    if (text.length >= KEY_CHARS) return await targetOfKey(text);
    const name = java.bookName(text);
    if (/^[a-z2-7]{52,}\.b32\.i2p$/.test(name)) return { b32: name };
    const destination = names.get(name) ?? names.get(name.replace(/^www\./, ""));
    return destination === undefined ? undefined : await targetOfKey(destination);
  },

  callerLine(call: Call, version: string): string {
    const ports = Number(version) >= 3.2 ? ` FROM_PORT=${call.fromPort} TO_PORT=${call.toPort}` : "";
    return `${call.from}${ports}\n`;
  },
};

function session(result: string, message?: string): string {
  return `SESSION STATUS RESULT=${result}${quoted(message)}`;
}

function stream(result: string, message?: string): string {
  return `STREAM STATUS RESULT=${result}${quoted(message)}`;
}

/** A MESSAGE as Java I2P writes it: in quotes only if it has spaces. */
function quoted(message?: string): string {
  if (message === undefined) return "";
  const plain = message.replaceAll(/["\r\n]/g, "");
  return / |\t/.test(plain) ? ` MESSAGE="${plain}"` : ` MESSAGE=${plain}`;
}

function failed(domain: string, message: string): Reply {
  return { text: `${domain} STATUS RESULT=I2P_ERROR${quoted(message)}\n` };
}

function helloError(message: string): Greeting {
  return { text: `HELLO REPLY RESULT=I2P_ERROR${quoted(message)}\n` };
}

function tryParse(line: string): Command | Reply {
  try {
    return splitQuoted(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const domain = line.split(" ")[0]?.toUpperCase() ?? "";
    const text = domain === "HELLO" ? helloError(error.message).text : failed(domain, error.message).text;
    return { text: text ?? "", close: true };
  }
}

/** Compares versions number by number; a missing one is zero. */
function compare(one: string, two: string): number {
  const [a, b] = [one.split(".").map(Number), two.split(".").map(Number)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
