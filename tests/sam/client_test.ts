import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { SamError, type SamFailure, type SamPhase } from "../../lib/sam/error.ts";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { lookupName } from "../../lib/sam/naming.ts";
import { createSession } from "../../lib/sam/session.ts";
import { MAX_SAM_LINE } from "../../lib/sam/line_reader.ts";
import type { SamEndpoint } from "../../lib/sam/socket.ts";
import { connectStream } from "../../lib/sam/stream.ts";
import { fillBacklog } from "./backlog.ts";
import { type Manners, publishService, type SamSocket, startSamBridge } from "../sam_bridge/bridge.ts";
import { delay, until } from "../support/wait.ts";

const NEVER = new AbortController().signal;
const MANNERS: readonly Manners[] = ["i2pd", "java"];

function at(port: number): SamEndpoint {
  return { hostname: "127.0.0.1", port };
}

async function failure(work: () => Promise<unknown>): Promise<[SamPhase, SamFailure, string | undefined]> {
  const error = await assertRejects(work, SamError);
  return [error.phase, error.failure, error.result];
}

for (const manners of MANNERS) {
  Deno.test(`createSession() makes a destination that other sessions reach, ${manners}`, async () => {
    await using bridge = await startSamBridge({ manners });
    const session = await createSession(at(bridge.port), { options: { "inbound.length": "0" } }, NEVER);
    assertMatch(session.address, /^[a-z2-7]{52}\.b32\.i2p$/);
    assertEquals(session.version, "3.1");
    assertEquals(bridge.sessions.map(({ id, b32 }) => [id, b32]), [[session.id, session.address]]);
    assertEquals(bridge.sessions[0]?.options["inbound.length"], "0");
    assertEquals(bridge.lines[0], "HELLO VERSION MIN=3.1 MAX=3.1");
    assertMatch(
      bridge.lines[1] ?? "",
      /^SESSION CREATE STYLE=STREAM ID=\S+ DESTINATION=TRANSIENT SIGNATURE_TYPE=7 inbound.length=0$/,
    );
    session.close();
    session.close();
    assertEquals((await session.lost).failure, "closed");
    await until("the bridge has seen it", () => bridge.openSockets === 0);
  });

  Deno.test(`lookupName() finds names and addresses, and undefined for the rest, ${manners}`, async () => {
    await using bridge = await startSamBridge({ manners });
    await using service = await publishService(bridge.port, 9);
    bridge.setName("known.i2p", service.destination);
    const destination = decodeI2pBase64(service.destination);
    assertEquals(await lookupName(at(bridge.port), "known.i2p", NEVER), destination);
    assertEquals(await lookupName(at(bridge.port), service.b32, NEVER), destination);
    assertEquals(await lookupName(at(bridge.port), "unknown.i2p", NEVER), undefined);
    assertEquals(await lookupName(at(bridge.port), `${"a".repeat(52)}.b32.i2p`, NEVER), undefined);
  });
}

Deno.test("A session is lost when the router ends it, by closing or by saying so", async () => {
  let control: SamSocket | undefined;
  await using bridge = await startSamBridge({
    intercept: (line, socket) => {
      if (line.startsWith("SESSION CREATE")) control = socket;
      return false;
    },
  });
  const first = await createSession(at(bridge.port), { options: {} }, NEVER);
  bridge.dropSessions();
  assertEquals((await first.lost).failure, "closed");
  const second = await createSession(at(bridge.port), { options: {} }, NEVER);
  await control?.write(
    'DATAGRAM NOISE x=y\nSESSION STATUS RESULT=OK\nSESSION STATUS RESULT=I2P_ERROR MESSAGE="Bye bye"\n',
  );
  const lost = await second.lost;
  assertEquals([lost.failure, lost.result], ["refused", "I2P_ERROR"]);
  assert(!lost.message.includes("Bye bye"));
  assert(lost.fullMessage.includes("(Bye bye)"));
  await until("the control socket is closed here", () => bridge.openSockets === 0);
});

Deno.test("PING is answered with its own text, while waiting for a reply and afterwards", async () => {
  let control: SamSocket | undefined;
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      if (line.startsWith("SESSION CREATE")) {
        control = socket;
        await socket.write("PING one two\n");
        await delay(30);
      }
      return line.startsWith("PONG");
    },
  });
  const session = await createSession(at(bridge.port), { options: {} }, NEVER);
  await control?.write("PING\n");
  await until("both are answered", () => bridge.lines.filter((line) => line.startsWith("PONG")).length === 2);
  assertEquals(bridge.lines.filter((line) => line.startsWith("PONG")), ["PONG one two", "PONG"]);
  session.close();
});

Deno.test("Replies may come in any pieces, with CR, and the last one without LF", async () => {
  const destination = new Uint8Array(387);
  const value = encodeI2pBase64(destination);
  const drip = async (socket: SamSocket, text: string): Promise<void> => {
    for (const character of text) {
      await socket.write(character);
      await delay(0);
    }
  };
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      if (line.startsWith("HELLO")) await drip(socket, "HELLO REPLY RESULT=OK VERSION=3.1\r\n");
      else if (line.includes("NAME=last")) {
        await drip(socket, `NAMING REPLY RESULT=OK NAME=last VALUE=${value}`);
        socket.close();
      } else await drip(socket, `NAMING REPLY RESULT=OK MESSAGE="a b=c" VALUE=${value}\n`);
      return true;
    },
  });
  assertEquals(await lookupName(at(bridge.port), "x.i2p", NEVER), destination);
  assertEquals(await lookupName(at(bridge.port), "last", NEVER), destination);
});

Deno.test("Bytes behind STREAM STATUS belong to the stream, however long the line before was", async () => {
  for (const padding of [0, 3000, 4040, 9000, MAX_SAM_LINE - 200]) {
    await using bridge = await startSamBridge({
      intercept: async (line, socket) => {
        if (!line.startsWith("STREAM CONNECT")) return false;
        await socket.write(`STREAM STATUS RESULT=OK MESSAGE=${"m".repeat(padding)}\nSTREAM STATUS\npayload`);
        socket.close();
        return true;
      },
    });
    const { conn, early } = await connectStream(at(bridge.port), "any", { host: "x.i2p", port: 0 }, NEVER);
    let text = new TextDecoder().decode(early);
    const buffer = new Uint8Array(100);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
    conn.close();
    assertEquals(text, "STREAM STATUS\npayload");
  }
});

Deno.test("A lookup that the router cannot do now, or answers with nonsense, is no answer about the name", async () => {
  let answer = "";
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      if (!line.startsWith("NAMING")) return false;
      await socket.write(answer);
      return true;
    },
  });
  const lookup = (): Promise<unknown> => lookupName(at(bridge.port), "x.i2p", NEVER);
  answer = "NAMING REPLY RESULT=I2P_ERROR NAME=x.i2p\n";
  assertEquals(await failure(lookup), ["naming", "refused", "I2P_ERROR"]);
  for (const value of ["", "!!!", "AAAA"]) {
    answer = `NAMING REPLY RESULT=OK NAME=x.i2p VALUE=${value}\n`;
    assertEquals(await failure(lookup), ["naming", "garbled", undefined]);
  }
  for (const word of ["KEY_NOT_FOUND", "INVALID_KEY", "LEASESET_NOT_FOUND"]) {
    answer = `NAMING REPLY RESULT=${word} NAME=x.i2p\n`;
    assertEquals(await lookup(), undefined);
  }
});

Deno.test("A bridge that does not accept connections is given up at the signal", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const conns = await fillBacklog(port);
  const abort = new AbortController();
  setTimeout(() => abort.abort(new RangeError("enough")), 100);
  await assertRejects(() => createSession(at(port), { options: {} }, abort.signal), RangeError, "enough");
  listener.close();
  conns.forEach((conn) => conn.close());
});

/** First answers of things that are no SAM bridge, or one that does not want us. */
const GREETINGS: readonly [string, string, [SamPhase, SamFailure, string | undefined]][] = [
  ["HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", ["hello", "garbled", undefined]],
  ["garbage", "\0\x01\x02\xff\n", ["hello", "garbled", undefined]],
  ["an empty line", "\n", ["hello", "garbled", undefined]],
  ["an endless line", "x".repeat(MAX_SAM_LINE + 10), ["hello", "garbled", undefined]],
  ["nothing but the end", "", ["hello", "closed", undefined]],
  ["half a line", "HELLO REP", ["hello", "garbled", undefined]],
  ["another topic", "SESSION STATUS RESULT=OK\n", ["hello", "garbled", undefined]],
  ["a forged version", 'HELLO REPLY RESULT=OK VERSION="3.1 listen=evil"\n', ["hello", "garbled", undefined]],
  ["no version", "HELLO REPLY RESULT=OK\n", ["hello", "garbled", undefined]],
  ["an old router", "HELLO REPLY RESULT=NOVERSION\n", ["hello", "refused", "NOVERSION"]],
  ["an unknown word", "HELLO REPLY RESULT=WHATEVER\n", ["hello", "refused", "WHATEVER"]],
];

Deno.test("What is no SAM bridge is told apart from one that refuses", async (t) => {
  for (const [name, answer, expected] of GREETINGS) {
    await t.step(name, async () => {
      await using bridge = await startSamBridge({
        intercept: async (_line, socket) => {
          await socket.write(answer);
          socket.close();
          return true;
        },
      });
      assertEquals(await failure(() => createSession(at(bridge.port), { options: {} }, NEVER)), expected);
      await until("its socket is closed", () => bridge.openSockets === 0);
    });
  }
  await t.step("nobody there", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    assertEquals(await failure(() => createSession(at(port), { options: {} }, NEVER)), [
      "connect",
      "unreachable",
      undefined,
    ]);
  });
});

Deno.test("SESSION CREATE that is refused, cut or garbled fails as such, and leaves no socket", async (t) => {
  const answers: readonly [string, [SamPhase, SamFailure, string | undefined]][] = [
    ...[
      "DUPLICATED_ID",
      "DUPLICATED_DEST",
      "DUPLICATE_DEST",
      "INVALID_KEY",
      "INVALID_ID",
      "I2P_ERROR",
      "TIMEOUT",
      "NEW_WORD",
    ]
      .map((word): [string, [SamPhase, SamFailure, string]] => [
        `SESSION STATUS RESULT=${word}\n`,
        ["session", "refused", word],
      ]),
    ["SESSION STATUS RESULT=DUPLICATE_ID", ["session", "refused", "DUPLICATE_ID"]],
    ["SESSION STATUS RESULT=OK\n", ["session", "garbled", undefined]],
    ["SESSION STATUS RESULT=OK DESTINATION=!!!\n", ["session", "garbled", undefined]],
    ["SESSION STATUS RESULT=OK DESTINATION=AAAA\n", ["session", "garbled", undefined]],
    ["", ["session", "closed", undefined]],
  ];
  for (const [answer, expected] of answers) {
    await t.step(JSON.stringify(answer), async () => {
      await using bridge = await startSamBridge({
        intercept: async (line, socket) => {
          if (!line.startsWith("SESSION CREATE")) return false;
          await socket.write(answer);
          socket.close();
          return true;
        },
      });
      assertEquals(await failure(() => createSession(at(bridge.port), { options: {} }, NEVER)), expected);
      await until("its socket is closed", () => bridge.openSockets === 0);
    });
  }
});

Deno.test("An abort ends any step with the signal's reason, and closes the socket", async (t) => {
  for (const silentAt of ["HELLO", "SESSION CREATE", "STREAM CONNECT", "NAMING LOOKUP"]) {
    await t.step(`silence after ${silentAt}`, async () => {
      await using bridge = await startSamBridge({ intercept: (line) => line.startsWith(silentAt) });
      const abort = new AbortController();
      setTimeout(() => abort.abort(new RangeError("enough")), 50);
      const endpoint = at(bridge.port);
      const work: Record<string, () => Promise<unknown>> = {
        "HELLO": () => createSession(endpoint, { options: {} }, abort.signal),
        "SESSION CREATE": () => createSession(endpoint, { options: {} }, abort.signal),
        "STREAM CONNECT": () => connectStream(endpoint, "id", { host: "x.i2p", port: 0 }, abort.signal),
        "NAMING LOOKUP": () => lookupName(endpoint, "x.i2p", abort.signal),
      };
      await assertRejects(() => work[silentAt]?.() ?? Promise.resolve(), RangeError, "enough");
      await until("its socket is closed", () => bridge.openSockets === 0);
      await assertRejects(() => createSession(endpoint, { options: {} }, abort.signal), RangeError, "enough");
    });
  }
});

Deno.test("A login is sent with HELLO, and a router that wants one says so", async () => {
  const login = { user: "me", password: 'pass "word"\\' };
  await using bridge = await startSamBridge({ manners: "java", login });
  const session = await createSession({ ...at(bridge.port), login }, { options: {} }, NEVER);
  session.close();
  assertEquals((await failure(() => createSession(at(bridge.port), { options: {} }, NEVER))).slice(0, 2), [
    "hello",
    "refused",
  ]);
  const wrong = { user: "me", password: "guess" };
  const error = await assertRejects(
    () => createSession({ ...at(bridge.port), login: wrong }, { options: {} }, NEVER),
    SamError,
  );
  assertEquals(error.failure, "refused");
  assert(!String(error.stack).includes("guess"));
});
