import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import type { Keys, SignatureType } from "./keys.ts";
import { readKeys } from "./keys.ts";
import type { Command, Incoming } from "./line.ts";
import { readLine, splitQuoted } from "./line.ts";
import type { Call } from "./network.ts";
import type { Greeting, Login, PrimaryManners, Refusal, Reply, Router, Target } from "./router.ts";
import { targetOfKey } from "./router.ts";
import type { Wire } from "./wire.ts";

/** Milliseconds after which a session without tunnels is refused. */
const TUNNEL_TIMEOUT = 300_000;

/** What stands in front of a failure of the session behind one of SAM. */
const NO_MANAGER = "Error creating I2PSocketManager: ";

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
  "taken destination": () =>
    session(
      "I2P_ERROR",
      `${NO_MANAGER}Failed to build tunnels - Disconnected from router while waiting for tunnels: duplicate destination`,
    ),
  "no tunnels": () => session("I2P_ERROR", `${NO_MANAGER}Failed to build tunnels`),
  "no style": () => session("I2P_ERROR", "No SESSION STYLE specified"),
  "bad style": () => session("I2P_ERROR", "Unrecognized SESSION STYLE"),
  "no destination": () => session("I2P_ERROR", "DESTINATION not specified"),
  "bad keys": () => session("INVALID_KEY"),
  "bad signature type": (type) => session("I2P_ERROR", `SIGNATURE_TYPE ${type} unsupported`),
  "no subsessions": () => session("I2P_ERROR", "Not a PRIMARY session"),
  "control socket": () => stream("I2P_ERROR", "v3 control socket cannot be used for STREAM"),
  "unknown id": (id) => stream("INVALID_ID", `STREAM SESSION ID ${id} does not exist`),
  "not ready": (id) => stream("I2P_ERROR", `specified ID ${id} is not a STREAM session`),
  "no target": () => stream("I2P_ERROR", "Destination not specified in STREAM CONNECT message"),
  "unknown name": (name) => stream("INVALID_KEY", `Host name not found: ${name}`),
  "no lease set": (b32) => stream("INVALID_KEY", `Lease set not found: ${b32}`),
  "unreachable": () => stream("CANT_REACH_PEER", "Connection timed out"),
  "myself": () =>
    stream(
      "CANT_REACH_PEER",
      "local loopback denied, set i2cp.disableLoopback=true to test sending to yourself through tunnels",
    ),
  "silent": () => stream("CANT_REACH_PEER", "Connection failed"),
  "refused": () => stream("CANT_REACH_PEER", "Connection reset"),
  "already accepting": () => stream("ALREADY_ACCEPTING"),
  "already forwarding": () =>
    stream("I2P_ERROR", "Forwarding failed : an accepting server is already defined for this destination"),
  "no stream id": () => stream("I2P_ERROR", "ID not specified"),
  "bad port": (port) => stream("I2P_ERROR", `Bad port ${port}`),
  "session over": () => stream("I2P_ERROR", "Session is closed"),
  "no port": () => stream("I2P_ERROR", "Forwarding failed : receiver port not specified"),
  "not found": (name) =>
    `NAMING REPLY RESULT=KEY_NOT_FOUND NAME=${name === "" ? '"" MESSAGE="Must specify NAME"' : name}`,
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

  removed(id: string, isThere: boolean): Reply {
    const result = isThere ? "OK" : "I2P_ERROR";
    return {
      text: `SESSION STATUS RESULT=${result} ID="${id}"${quoted(isThere ? `REMOVE ${id}` : `ID ${id} not found`)}\n`,
    };
  },

  noStreams({ id, style }: { id: string; style: string }, opcode: string): Reply {
    const isPrimary = style === "PRIMARY" || style === "MASTER";
    const text = isPrimary && opcode === "ACCEPT"
      ? `${stream("OK")}\n${stream("ALREADY_ACCEPTING", "primary session")}`
      : isPrimary
      ? stream("I2P_ERROR", "primary session")
      : stream("I2P_ERROR", `specified ID ${id} is not a STREAM session`);
    return { text: `${text}\n`, close: true };
  },
};

/** Java I2P 2.8. It honours quotes, explains its refusals, survives errors of SESSION, and sends PING from 3.2 on. */
export const java28: Router = {
  kind: "java",
  isStrictWithSessions: true,
  acceptsForTheGone: true,
  tunnelTimeout: TUNNEL_TIMEOUT,
  farewell: "SESSION STATUS RESULT=I2P_ERROR\n",
  keepsControl: false,
  dropsOwnDatagrams: true,
  connectsBlindly: false,
  reachesItself: false,
  dropsElGamalCallers: false,
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
      compare(offered, numbers(pairs.get("MIN")) ?? "1") >= 0 && compare(offered, pairs.get("MAX") ?? "99.99") <= 0
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
    return !["no stream id", "unknown id", "not ready", "session over", "control socket"].includes(refusal);
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
    const name = java28.bookName(text);
    if (/^[a-z2-7]{52,}\.b32\.i2p$/.test(name)) return { b32: name };
    const destination = names.get(name) ?? names.get(name.replace(/^www\./, ""));
    return destination === undefined ? undefined : await targetOfKey(destination);
  },

  callerLine(call: Call, version: string): string {
    const ports = Number(version) >= 3.2 ? ` FROM_PORT=${call.fromPort} TO_PORT=${call.toPort}` : "";
    return `${call.from}${ports}\n`;
  },
};

/** Java I2P 0.9.47: it reaches itself, says less of why a session failed, and keeps control sockets whose session is over. */
export const java0947: Router = {
  ...java28,
  keepsControl: true,
  dropsOwnDatagrams: false,

  refuse(refusal: Refusal, about = ""): Reply {
    const words: Partial<Record<Refusal, string>> = {
      "taken destination": session("I2P_ERROR", `${NO_MANAGER}Failed to build tunnels`),
      "myself": stream("CANT_REACH_PEER", "Connection reset"),
      "silent": stream("CANT_REACH_PEER", "Connection timed out"),
      "session over": stream("I2P_ERROR", "Session was closed"),
    };
    const text = words[refusal];
    return text === undefined ? java28.refuse(refusal, about) : { text: `${text}\n`, close: text.startsWith("STREAM") };
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
    const text = domain === "HELLO" ? helloError(error.message).text : `${session("I2P_ERROR", error.message)}\n`;
    return { text: text ?? "", close: true };
  }
}

/** A version, where it is one. */
function numbers(version: string | undefined): string | undefined {
  return version !== undefined && /^[\d.]+$/.test(version) ? version : undefined;
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
