import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { SamError } from "../../lib/sam/error.ts";
import { generateKey } from "../../lib/sam/generate.ts";
import { lookupName } from "../../lib/sam/naming.ts";
import { MAX_SAM_LINE } from "../../lib/sam/line_reader.ts";
import { createSession } from "../../lib/sam/session.ts";
import { connectStream } from "../../lib/sam/stream.ts";
import { numberedKey } from "../keys/blob.ts";
import type { Target } from "./engine.ts";
import { FakeConn } from "./fake_conn.ts";
import { literal } from "./literal.ts";
import { fragments, mutateText } from "./mutate.ts";
import { concat } from "../support/bytes.ts";

/** What is asked of a bridge, as a number of {@linkcode CALLS}, and all that it says. */
interface Dialogue {
  call: number;
  said: string;
}

/** A conversation from its end: what came of it, what was sent, and whether the connection was closed. */
interface Outcome {
  result: string;
  sent: string[];
  isClosed: boolean;
}

const ENDPOINT = { hostname: "127.0.0.1", port: 7656 };
const NEVER = new AbortController().signal;

/** Requests; each tells what came of it in a text, and the connection that it left open, if any. */
const CALLS: readonly (() => Promise<{ result: string; open?: { close(): void } }>)[] = [
  async () => {
    const { conn, early } = await connectStream(ENDPOINT, "id", { host: "a.i2p", port: 80 }, NEVER);
    assertInstanceOf(conn, FakeConn);
    return { result: `stream ${literal(concat(early, conn.unread))}`, open: conn };
  },
  async () => ({ result: `name ${literal(await lookupName(ENDPOINT, "a.i2p", NEVER))}` }),
  async () => ({ result: `key ${literal((await generateKey(ENDPOINT, NEVER)).expose())}` }),
  async () => {
    const { address, version, lost } = await createSession(ENDPOINT, { options: { "inbound.length": "3" } }, NEVER);
    return { result: `session ${address} ${version}, lost: ${(await lost).fullMessage}` };
  },
];

const COMMANDS = [
  "STREAM CONNECT ID=id DESTINATION=a.i2p TO_PORT=80",
  "NAMING LOOKUP NAME=a.i2p",
  "DEST GENERATE SIGNATURE_TYPE=7",
  "SESSION CREATE STYLE=STREAM ID=? DESTINATION=TRANSIENT SIGNATURE_TYPE=7 inbound.length=3",
];

const HELLO = "HELLO REPLY RESULT=OK VERSION=3.1\n";
const KEY = encodeI2pBase64(numberedKey(1).expose());
const DESTINATION = encodeI2pBase64(numberedKey(1).destination);
const REPLIES = [
  "STREAM STATUS RESULT=OK\n",
  `NAMING REPLY RESULT=OK NAME=a.i2p VALUE=${DESTINATION}\n`,
  `DEST REPLY PUB=${DESTINATION} PRIV=${KEY}\n`,
  `SESSION STATUS RESULT=OK DESTINATION=${KEY}\n`,
];
const TOKENS = [
  HELLO,
  ...REPLIES,
  "PING\n",
  "PING \u00e9\ufffd 1\r\n",
  "PING 1 \n",
  "PINGS\n",
  "\n",
  "\r",
  " RESULT=OK",
  ' MESSAGE="',
  "RESULT=KEY_NOT_FOUND ",
  "SESSION STATUS RESULT=I2P_ERROR MESSAGE=gone\n",
];

/** Whatever a bridge says, each request ends in an answer or a SamError, and no connection is left behind. */
export const samDialogue: Target<Dialogue> = {
  name: "sam-dialogue",
  weight: 6,
  corpus: [
    ...CALLS.flatMap((_, call) => [
      { call, said: "" },
      { call, said: HELLO.trimEnd() },
      { call, said: HELLO },
      { call, said: `${HELLO}${REPLIES[call]}` },
      { call, said: `${HELLO}${REPLIES[call]}PING 1\nrest` },
      { call, said: `${HELLO}PING\nPING 1\r\n${REPLIES[call]?.trimEnd()}` },
      { call, said: `PING\n${HELLO}` },
    ]),
    { call: 1, said: "x".repeat(MAX_SAM_LINE + 1) },
    { call: 3, said: `${HELLO}${REPLIES[3]}${"x".repeat(MAX_SAM_LINE + 1)}` },
    { call: 2, said: `${HELLO}DEST REPLY PRIV=\n` },
    { call: 3, said: `${HELLO}SESSION STATUS RESULT=OK DESTINATION=====\n` },
  ],
  generate: (random) => {
    const call = random.below(CALLS.length);
    const likely = [HELLO, random.pick([REPLIES[call] ?? "", random.pick(TOKENS)]), random.pick(["", ...TOKENS])];
    return { call, said: mutateText(likely.join(""), random, { tokens: TOKENS, other: random.pick(TOKENS) }) };
  },
  check: async ({ call, said }, random) => {
    const bytes = new TextEncoder().encode(said);
    const outcome = await converse(call, [bytes]);
    const lines = new TextDecoder().decode(bytes).split("\n").map((line) => line.replace(/\r$/, ""));
    const [hello, command, ...pongs] = outcome.sent;
    assertEquals(hello, "HELLO VERSION MIN=3.1 MAX=3.1");
    if (command !== undefined) assertEquals(command, COMMANDS[call]);
    const pings = lines.slice(1).filter((line) => /^PING( |$)/.test(line)).map((line) => line.replace("PING", "PONG"));
    assertEquals(pongs, pings.slice(0, pongs.length));
    const isOk = lines.slice(1).some((line) => /RESULT="?(\\?O\\?K|OK)| PRIV/.test(line));
    assert(outcome.result.startsWith("SamError") || outcome.result === "name undefined" || isOk, outcome.result);
    assert(outcome.isClosed, "the connection was not closed");
    assertEquals(await converse(call, fragments(bytes, random)), outcome, "cut into fragments");
  },
};

async function converse(call: number, chunks: Uint8Array[]): Promise<Outcome> {
  const conn = new FakeConn(chunks);
  const real = Deno.connect;
  Reflect.set(Deno, "connect", () => Promise.resolve(conn));
  let result: string;
  try {
    const answer = await CALLS[call]?.();
    answer?.open?.close();
    result = answer?.result ?? "";
  } catch (error) {
    assertInstanceOf(error, SamError);
    result = `SamError ${error.phase} ${error.failure} ${error.fullMessage}`;
  } finally {
    Reflect.set(Deno, "connect", real);
  }
  return { result, sent: conn.sent, isClosed: conn.isClosed };
}
