import type { Random } from "../support/random.ts";
import type { SamSocket } from "../sam_bridge/bridge.ts";

/** What a fault needs. */
export interface FaultTools {
  /** Where chance comes from. */
  random: Random;
  /** Waits, in milliseconds; resolves to false once faults are to end. */
  pause: (milliseconds: number) => Promise<boolean>;
}

/** One thing that a bridge may do wrong in place of its answer. */
export interface Fault {
  /** SOCKS5 codes that its client may be told; {@linkcode AS_EVER} is the one that it would be told without the fault. */
  codes: readonly number[];
  /** Whether a stream that is open by then may end before its last byte. */
  cuts?: boolean;
  /** Does it. False: the bridge is to go on as if nothing had happened. */
  inject: (socket: SamSocket, tools: FaultTools) => boolean | Promise<boolean>;
}

/** In place of a code: none but the one without the fault. */
export const AS_EVER = -1;

/** Faults by name. */
export type FaultTable = Readonly<Record<string, Fault>>;

/** RESULT words and what they mean to a client of SOCKS5: those of the specification, those of routers, and none of them. */
const STREAM_WORDS: Readonly<Record<string, number>> = {
  CANT_REACH_PEER: 4,
  PEER_NOT_FOUND: 4,
  LEASESET_NOT_FOUND: 4,
  INVALID_KEY: 4,
  KEY_NOT_FOUND: 4,
  CONNECTION_REFUSED: 5,
  TIMEOUT: 6,
  I2P_ERROR: 1,
  NOVERSION: 1,
  DUPLICATED_ID: 1,
  DUPLICATED_DEST: 1,
  ALREADY_ACCEPTING: 1,
  FLUX_CAPACITOR: 1,
};

/** Milliseconds between the bytes of a drip, and the most bytes of one that has no end. */
const DRIP = 15;
const LONGEST_DRIP = 200;

/** What may happen to STREAM CONNECT. */
export const STREAM_FAULTS: FaultTable = {
  ...Object.fromEntries(
    Object.entries(STREAM_WORDS).map(([word, code]) => [word, says(`STREAM STATUS RESULT=${word}\n`, [code])]),
  ),
  ...broken("STREAM STATUS"),
  "OK, then close": { ...says("STREAM STATUS RESULT=OK\n", [0], "close"), cuts: true },
  "OK without LF": { ...says("STREAM STATUS RESULT=OK", [0], "close"), cuts: true },
  "OK, then reset": { codes: [0], cuts: true, inject: resetAfterOk },
  "cut in the middle": { codes: [AS_EVER, 1], cuts: true, inject: cutLater },
};

/** What may happen to STREAM CONNECT and costs a session: the router has forgotten it. */
export const FORGETFUL_FAULTS: FaultTable = {
  INVALID_ID: says("STREAM STATUS RESULT=INVALID_ID\n", []),
};

/** What may happen to SESSION CREATE. */
export const SESSION_FAULTS: FaultTable = {
  ...words("SESSION STATUS", ["DUPLICATED_DEST", "DUPLICATED_ID", "INVALID_ID", "INVALID_KEY", "I2P_ERROR", "WARP"]),
  ...broken("SESSION STATUS"),
  "OK without a key": says("SESSION STATUS RESULT=OK\n", []),
  "OK with half a key": says(`SESSION STATUS RESULT=OK DESTINATION=${"A".repeat(300)}\n`, []),
};

/** What may happen to HELLO. */
export const HELLO_FAULTS: FaultTable = {
  ...words("HELLO REPLY", ["NOVERSION", "I2P_ERROR", "WARP"]),
  ...broken("HELLO REPLY"),
  "OK without a version": says("HELLO REPLY RESULT=OK\n", []),
};

function words(topic: string, list: readonly string[]): FaultTable {
  return Object.fromEntries(list.map((word) => [word, says(`${topic} RESULT=${word}\n`, [])]));
}

/** Ways to answer that are no answers. Their codes are those at STREAM CONNECT. */
function broken(topic: string): FaultTable {
  return {
    "silence": { codes: [6], inject: () => true },
    // On a socket that had waited for a stream, this is how a dead one looks: a fresh one is tried.
    "close": says("", [AS_EVER, 1], "close"),
    "half a line": says(`${topic} RES`, [1], "close"),
    "no LF": says(`${topic} RESULT=I2P_ERROR`, [1], "close"),
    "no RESULT": says(`${topic}\n`, [1]),
    "garbage": { codes: [1], inject: (socket, { random }) => say(socket, `${random.latin1(random.below(300))}\n`) },
    "slow drip": {
      codes: [1],
      inject: (socket, tools) => drip(socket, tools, `${topic} RESULT=I2P_ERROR\n`),
    },
    "drip without end": {
      codes: [6],
      inject: (socket, tools) => drip(socket, tools, `${topic} ${"a".repeat(LONGEST_DRIP)}`),
    },
    "endless line": { codes: [1], inject: endlessLine },
    "late": { codes: [AS_EVER], inject: async (_socket, { random, pause }) => (await pause(random.below(800)), false) },
  };
}

/** An answer, behind which the socket stays open or is closed, as routers do both. */
function says(text: string, codes: readonly number[], then: "close" | "either" = "either"): Fault {
  return {
    codes,
    inject: async (socket, { random }) => {
      await say(socket, text);
      if (then === "close" || random.below(2) === 0) socket.close();
      return true;
    },
  };
}

async function say(socket: SamSocket, text: string): Promise<true> {
  if (text !== "") await socket.write(text);
  return true;
}

async function drip(socket: SamSocket, { pause }: FaultTools, text: string): Promise<true> {
  for (const character of text) {
    await socket.write(character);
    if (!await pause(DRIP)) break;
  }
  return true;
}

async function endlessLine(socket: SamSocket): Promise<true> {
  for (let i = 0; i < 64; i++) await socket.write("x".repeat(16_384));
  return true;
}

/** Closing with bytes unread makes a reset, and the client's first ones are likely to be there by then. */
async function resetAfterOk(socket: SamSocket, { random, pause }: FaultTools): Promise<true> {
  await socket.write("STREAM STATUS RESULT=OK\n");
  await pause(20 + random.below(80));
  socket.close();
  return true;
}

function cutLater(socket: SamSocket, { random, pause }: FaultTools): false {
  pause(random.below(150)).then(() => socket.close());
  return false;
}
