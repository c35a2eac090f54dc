import type { Reason } from "../../lib/proxy/answers.ts";
import { MAX_SAM_LINE } from "../../lib/sam/line_reader.ts";
import type { SamBridge, SamSocket } from "./sam_bridge.ts";
import { pattern } from "./site.ts";

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

/** What an act makes of a socket: it is dealt with, it hangs, or the bridge goes on with it. */
type Left = "done" | "hanging" | "pass";

/** What a bridge does with a socket. */
type Act = (socket: SamSocket, bridge: SamBridge) => Left | Promise<Left>;

/** A row of the table: what happens, what it is to the client, and what else there is to say. */
type Row = readonly [name: string, act: Act, reason: Fault["reason"], more?: Partial<Fault>];

/** Milliseconds between the bytes of an answer that comes in time, and how many of them come alone. */
const [DRIP, DRIPS] = [10, 60];

/** The same of an answer that never comes to its end; after so many it hangs. */
const [SLOW_DRIP, SLOW_DRIPS] = [100, 150];

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const hangs: Act = () => "hanging";

const passes: Act = () => "pass";

const closes: Act = (socket) => {
  socket.close();
  return "done";
};

/** Closes with bytes unread, for which the kernel sends a reset. */
const resets: Act = async (socket, bridge) => {
  await socket.conn.read(new Uint8Array(1));
  return await closes(socket, bridge);
};

function says(text: string | Uint8Array, then: Act = hangs): Act {
  return async (socket, bridge) => {
    if (typeof text === "string") await socket.write(text);
    else for (let sent = 0; sent < text.length;) sent += await socket.conn.write(text.subarray(sent));
    return await then(socket, bridge);
  };
}

/** Answers with a line, and closes, as i2pd does after each refusal. */
function answers(line: string): Act {
  return says(`${line}\n`, closes);
}

function waits(milliseconds: number, then: Act): Act {
  return async (socket, bridge) => {
    await pause(milliseconds);
    return await then(socket, bridge);
  };
}

/** Has the bridge say its own answers in another way. */
function speaks(spoken: (text: string) => AsyncIterable<string>): Act {
  return (socket) => {
    socket.spoken = spoken;
    return "pass";
  };
}

/** Sends a byte now and then, which would put off every clock that counts from the last one. */
function dripsWithoutEnd(text: string): Act {
  return async (socket, bridge) => {
    for (let i = 0; i < SLOW_DRIPS && socket.open; i++) {
      await socket.write(text.charAt(i) || "x");
      await pause(SLOW_DRIP);
    }
    return await hangs(socket, bridge);
  };
}

/** Asks for a sign of life in the midst of a request, and goes on when it has come. */
const pings: Act = async (socket, bridge) => {
  await socket.write("PING 17 and 4\n");
  const buffer = new Uint8Array(100);
  const pong = new TextDecoder().decode(buffer.subarray(0, await socket.conn.read(buffer) ?? 0));
  if (pong !== "PONG 17 and 4\n") throw new Error(`PING was answered ${JSON.stringify(pong)}`);
  return await passes(socket, bridge);
};

/** Exchanges HELLO, whatever the socket is for. */
function greets(then: Act): Act {
  return async (socket, bridge) => {
    await socket.conn.read(new Uint8Array(1000));
    return await says("HELLO REPLY RESULT=OK VERSION=3.1\n", then)(socket, bridge);
  };
}

/** Ends the session, but leaves its streams open. */
const dropsTheSession: Act = (_socket, bridge) => {
  bridge.dropSessions({ prefix: "i2p-socks-", keepStreams: true });
  return "hanging";
};

async function* drip(text: string): AsyncIterable<string> {
  for (const character of text.slice(0, DRIPS)) {
    yield character;
    await pause(DRIP);
  }
  yield text.slice(DRIPS);
}

/** A manner that changes the text. */
function rewrite(change: (text: string) => string): (text: string) => AsyncIterable<string> {
  return async function* (text): AsyncIterable<string> {
    yield await Promise.resolve(change(text));
  };
}

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

/** Answers with each of some RESULT words. */
function refusals(topic: "SESSION" | "STREAM", words: Readonly<Record<string, Reason>>): readonly Row[] {
  return Object.entries(words).map(([word, reason]) => [
    `refuses with ${word}`,
    answers(`${topic} STATUS RESULT=${word}`),
    reason,
  ]);
}

/** Faults of one step: they hit a command, or a connection before its first line. */
function at(phase: FaultPhase, hit: string | "connection", rows: readonly Row[]): readonly Fault[] {
  return rows.map(([name, act, reason, more]) => ({
    name,
    phase,
    reason,
    ...more,
    inflict: (bridge) => {
      const hanging = new Set<SamSocket>();
      const acting: Promise<unknown>[] = [];
      const perform = async (socket: SamSocket): Promise<boolean> => {
        hanging.add(socket);
        const left = await act(socket, bridge);
        if (left !== "hanging") hanging.delete(socket);
        return left !== "pass";
      };
      const hook = (socket: SamSocket): Promise<boolean> => {
        const performing = perform(socket);
        acting.push(performing);
        return performing;
      };
      if (hit === "connection") bridge.accept = hook;
      else bridge.intercept = (line, socket) => line.startsWith(hit) && hook(socket);
      return Promise.resolve(async () => {
        bridge.accept = bridge.intercept = () => false;
        hanging.forEach((socket) => socket.close());
        await Promise.allSettled(acting);
      });
    },
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

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

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
    ["says OK without a destination", answers("SESSION STATUS RESULT=OK"), "session-refused"],
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
    ["says OK to another command", answers("SESSION STATUS RESULT=OK"), "router-error"],
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
