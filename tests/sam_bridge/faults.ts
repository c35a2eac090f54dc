import type { Reason } from "../../lib/reasons/reasons.ts";
import { MAX_SAM_LINE } from "../../lib/sam/line_reader.ts";
import {
  type Act,
  answers,
  closes,
  drip,
  dripsWithoutEnd,
  dropsTheSession,
  greets,
  hangs,
  type Hit,
  passes,
  perform,
  pings,
  resets,
  rewrite,
  says,
  speaks,
  waits,
} from "./acts.ts";
import type { SamBridge } from "./bridge.ts";
import { encode as bytes } from "../support/bytes.ts";
import { pattern } from "../support/site.ts";

/** The step of the dialogue that goes wrong. */
export type FaultPhase = "connect" | "hello" | "session" | "stream" | "data";

/** One way in which a router fails a proxy, or tries its patience. */
export interface Fault {
  /** What the bridge does, in words. */
  readonly name: string;
  /** In which step. */
  readonly phase: FaultPhase;
  /**
   * Begins it, for connections that come from now on. What is returned ends it, closes those that it left hanging, and
   * resolves when nothing of it is left.
   */
  readonly inflict: (bridge: SamBridge) => Promise<() => Promise<void>>;
  /** Why a client is refused; `connected` where it is not. */
  readonly reason: Reason | "connected";
  /** The same for a client that is held while the session is built anew, where it is another. */
  readonly held?: Reason;
  /** Whether the client learns of it only when its connect timeout is over. */
  readonly silent?: boolean;
  /** Whether it is about the key of a lasting identity, when its session is built anew. */
  readonly lasting?: boolean;
  /** What the client receives before its stream ends; undefined where the stream is sound. */
  readonly arrives?: Uint8Array;
}

/** A row of the table: what happens, what it is to the client, and what else there is to say. */
type Row = readonly [name: string, act: Act, reason: Fault["reason"], more?: Partial<Fault>];

/** Manners in which an answer is still an answer. */
const MANNERS: readonly Row[] = [
  ["drips its answer, in time", speaks(drip), "connected"],
  ["ends its lines with CR LF", speaks(rewrite((text) => text.replace(/\n$/, "\r\n"))), "connected"],
  ["puts spaces where none is needed", speaks(rewrite((text) => text.replaceAll(/[ \n]/g, "  $&"))), "connected"],
  [
    "adds keys that nobody knows",
    speaks(rewrite((text) => text.replace(" RESULT", ' NEW=1 ALSO="x = y" FLAG RESULT'))),
    "connected",
  ],
  ["quotes its values", speaks(rewrite((text) => text.replaceAll(/=(\S+)/g, '="$1"'))), "connected"],
];

/** Answers to any command that are not SAM. */
function notSam(reason: Reason): readonly Row[] {
  return [
    ["answers with an empty line", answers(""), reason],
    ["answers with garbage", says(Uint8Array.of(0, 0xff, 0xfe, 0x80, 0x0a, 0, 0x0a), closes), reason],
    ["answers with HTTP", answers("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r"), reason],
    ["answers with a line that has no end", says("x".repeat(MAX_SAM_LINE + 1)), reason],
  ];
}

/** Answers with each of some RESULT words, and leaves it to the proxy to close, as Java I2P does. */
function refusals(topic: "SESSION" | "STREAM", words: Readonly<Record<string, Reason>>): readonly Row[] {
  return Object.entries(words).map(([word, reason]) => [
    `refuses with ${word}`,
    says(`${topic} STATUS RESULT=${word}\n`),
    reason,
  ]);
}

/** Faults of one step. */
function at(phase: FaultPhase, hit: Hit, rows: readonly Row[]): readonly Fault[] {
  return rows.map(([name, act, reason, more]) => ({
    name,
    phase,
    reason,
    ...more,
    inflict: (bridge) => Promise.resolve(perform(bridge, hit, act)),
  }));
}

const REFUSES_CONNECTIONS: Fault = {
  name: "does not listen",
  phase: "connect",
  reason: "router-down",
  inflict: async (bridge) => {
    await bridge.stopListening();
    return () => Promise.resolve(bridge.listen());
  },
};

const SILENT: Partial<Fault> = { silent: true };

/** A client that is held for less than the time of a HELLO learns what became of the session before. */
const SILENT_HELLO: Partial<Fault> = { silent: true, held: "router-down" };

const LASTING: Partial<Fault> = { lasting: true };

/** Words that refuse a session: of SAM, of some router only, of another command, of nobody. */
const SESSION_WORDS: Readonly<Record<string, Reason>> = {
  "I2P_ERROR": "session-refused",
  'I2P_ERROR MESSAGE="session limit exceeded"': "session-refused",
  "DUPLICATED_ID": "session-refused",
  "DUPLICATE_ID": "session-refused",
  "DUPLICATED_DEST": "identity-in-use",
  "DUPLICATE_DEST": "identity-in-use",
  "INVALID_KEY": "key-refused",
  "INVALID_ID": "session-refused",
  "TIMEOUT": "not-ready",
  "CANT_REACH_PEER": "session-refused",
  "FLUX_CAPACITOR": "session-refused",
};

/** Words that refuse a stream, and what they mean; what stands behind one is what its router adds. */
const STREAM_WORDS: Readonly<Record<string, Reason>> = {
  "CANT_REACH_PEER": "peer-unreachable",
  'CANT_REACH_PEER MESSAGE="LeaseSet not found"': "lease-set-not-found",
  'CANT_REACH_PEER MESSAGE="Incompatible crypto"': "incompatible-encryption",
  'CANT_REACH_PEER MESSAGE="Can\'t connect to myself"': "own-address",
  'CANT_REACH_PEER MESSAGE="Connection timed out"': "peer-silent",
  'CANT_REACH_PEER MESSAGE="Timeout waiting for ack"': "peer-silent",
  'CANT_REACH_PEER MESSAGE="Connection reset"': "peer-refused",
  'CANT_REACH_PEER MESSAGE="Keine Verbindung"': "peer-unreachable",
  "PEER_NOT_FOUND": "peer-unreachable",
  "LEASESET_NOT_FOUND": "lease-set-not-found",
  "CONNECTION_REFUSED": "peer-refused",
  "INVALID_KEY": "name-unknown",
  'INVALID_KEY MESSAGE="Lease set not found: x"': "lease-set-not-found",
  "KEY_NOT_FOUND": "name-unknown",
  "TIMEOUT": "timed-out",
  "I2P_ERROR": "router-error",
  'I2P_ERROR MESSAGE="Too many streams, max 5"': "router-busy",
  "DUPLICATED_DEST": "router-error",
  "ALREADY_ACCEPTING": "router-error",
  "NOVERSION": "router-error",
  "FLUX_CAPACITOR": "router-error",
};

const OK = "STREAM STATUS RESULT=OK\n";

/** A row of the data phase: the stream opens, carries something, and ends. */
function carries(name: string, text: string | Uint8Array, act: Act): Row {
  return [name, act, "connected", { arrives: typeof text === "string" ? bytes(text) : text }];
}

/** Every fault, in the order of the steps. */
export const FAULTS: readonly Fault[] = [
  REFUSES_CONNECTIONS,
  ...at("connect", "connection", [
    ["accepts, and closes", closes, "router-silent"],
    ["accepts, and resets when something comes", resets, "router-silent"],
    ["accepts, and stays silent", hangs, "router-silent", SILENT_HELLO],
    ["accepts, and looks up late", waits(300, passes), "connected"],
  ]),

  ...at("hello", "HELLO", [
    ["closes", closes, "router-silent"],
    ["stays silent", hangs, "router-silent", SILENT_HELLO],
    ["says half a line, then nothing", says("HELLO REPLY RESULT=OK VERS"), "router-silent", SILENT_HELLO],
    ["says a line without LF, then nothing", says("HELLO REPLY RESULT=OK VERSION=3.1"), "router-silent", SILENT_HELLO],
    ["drips an answer without end", dripsWithoutEnd("HELLO REPLY RESULT=OK"), "router-silent", SILENT_HELLO],
    ["says half a line, then closes", says("HELLO REP", closes), "not-sam"],
    ...notSam("not-sam"),
    ["introduces itself as SSH", says("SSH-2.0-OpenSSH_9.2\r\n"), "not-sam"],
    ["answers another command", answers("STREAM STATUS RESULT=OK"), "not-sam"],
    ["names no version", answers("HELLO REPLY RESULT=OK"), "not-sam"],
    ["names what is no version", answers("HELLO REPLY RESULT=OK VERSION=new"), "not-sam"],
    ["gives no RESULT", answers("HELLO REPLY VERSION=3.1"), "not-sam"],
    ["is too old", answers("HELLO REPLY RESULT=NOVERSION"), "sam-version"],
    ["is too old, said without LF", says("HELLO REPLY RESULT=NOVERSION", closes), "sam-version"],
    ["wants a login", answers('HELLO REPLY RESULT=I2P_ERROR MESSAGE="USER and PASSWORD required"'), "sam-login"],
    ["wants another login", answers('HELLO REPLY RESULT=I2P_ERROR MESSAGE="Authorization failed"'), "sam-login"],
    ["refuses with I2P_ERROR", answers('HELLO REPLY RESULT=I2P_ERROR MESSAGE="Not today"'), "sam-refused"],
    ["refuses with FLUX_CAPACITOR", answers("HELLO REPLY RESULT=FLUX_CAPACITOR"), "sam-refused"],
    ["speaks a later version", says("HELLO REPLY RESULT=OK VERSION=3.3\n", () => "done"), "connected"],
    ...MANNERS,
  ]),

  ...at("session", "connection", [["resets when asked", greets(resets), "router-down"]]),
  ...at("session", "SESSION CREATE", [
    ["closes", closes, "router-down"],
    ["stays silent", hangs, "not-ready", SILENT],
    ["says half a line, then nothing", says("SESSION STATUS RESULT=OK DESTIN"), "not-ready", SILENT],
    ["drips an answer without end", dripsWithoutEnd("SESSION STATUS RESULT="), "not-ready", SILENT],
    ["says half a line, then closes", says("SESSION STAT", closes), "session-refused"],
    ...notSam("session-refused"),
    ["greets again", answers("HELLO REPLY RESULT=OK VERSION=3.1"), "session-refused"],
    ["gives no RESULT", answers("SESSION STATUS"), "session-refused"],
    ["says OK without a destination", says("SESSION STATUS RESULT=OK\n"), "session-refused"],
    ["says OK with what is no destination", answers("SESSION STATUS RESULT=OK DESTINATION=AA=A"), "session-refused"],
    ["refuses without LF", says("SESSION STATUS RESULT=DUPLICATE_ID", closes), "session-refused"],
    ...refusals("SESSION", SESSION_WORDS),
    ["refuses the key with INVALID_KEY", answers("SESSION STATUS RESULT=INVALID_KEY"), "key-refused", LASTING],
    [
      "refuses the key with DUPLICATED_DEST",
      answers("SESSION STATUS RESULT=DUPLICATED_DEST"),
      "identity-in-use",
      LASTING,
    ],
    [
      "refuses the key with DUPLICATE_DEST",
      answers("SESSION STATUS RESULT=DUPLICATE_DEST"),
      "identity-in-use",
      LASTING,
    ],
    [
      "says OK with the destination of somebody else",
      answers(`SESSION STATUS RESULT=OK DESTINATION=${"A".repeat(524)}`),
      "session-refused",
      LASTING,
    ],
    ["sends PING first", pings, "connected"],
    ...MANNERS,
  ]),

  ...at("stream", "connection", [["resets when asked", greets(resets), "router-error"]]),
  ...at("stream", "STREAM CONNECT", [
    ["closes", closes, "router-error"],
    ["stays silent", hangs, "timed-out", SILENT],
    ["says half a line, then nothing", says("STREAM STATUS RESULT=OK"), "timed-out", SILENT],
    ["drips an answer without end", dripsWithoutEnd("STREAM STATUS RESULT=OK "), "timed-out", SILENT],
    ["says half a line, then closes", says("STREAM STAT", closes), "router-error"],
    ...notSam("router-error"),
    ["says OK to another command", says("SESSION STATUS RESULT=OK\n"), "router-error"],
    ["gives no RESULT", answers("STREAM STATUS"), "router-error"],
    ["refuses as if asked for a session", answers("SESSION STATUS RESULT=I2P_ERROR"), "router-error"],
    ["refuses without LF", says("STREAM STATUS RESULT=CANT_REACH_PEER", closes), "peer-unreachable"],
    ["does not know the session any more", answers("STREAM STATUS RESULT=INVALID_ID"), "not-ready"],
    ...refusals("STREAM", STREAM_WORDS),
    ["sends PING first", pings, "connected"],
    ...MANNERS,
  ]),

  ...at("data", "STREAM CONNECT", [
    carries("says OK, and closes", "", says(OK, closes)),
    carries("says OK without LF, and closes", "", says(OK.trim(), closes)),
    carries("sends payload along with OK, and closes", "payload", says(`${OK}payload`, closes)),
    carries("sends what looks like SAM, and closes", `${OK}PING\n`, says(`${OK}${OK}PING\n`, closes)),
    carries("sends payload, and closes later", "payload", says(OK, says("payload", waits(50, closes)))),
    carries("sends half a megabyte, and closes", pattern(500_000), says(OK, says(pattern(500_000), closes))),
    carries("says OK, and resets", "", says(OK, resets)),
    carries("sends payload, and resets", "payload", says(`${OK}payload`, waits(50, resets))),
    carries("loses the session, and forgets the stream", "payload", says(`${OK}payload`, dropsTheSession)),
  ]),
];
