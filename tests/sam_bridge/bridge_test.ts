import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type Manners, startSamBridge } from "./bridge.ts";
import { until } from "../support/wait.ts";
import { Probe, withBridge } from "./probe.ts";

const BOTH: Manners[] = ["i2pd", "java"];

/** What a router answers; `null` is the end without a word. */
type Answer = string | RegExp | null;

const hello = (rest: string): string => `HELLO REPLY RESULT=${rest}`;

// [first line, answer of i2pd, answer of java]
const GREETINGS: [string, Answer, Answer][] = [
  ["HELLO VERSION", hello("OK VERSION=3.0"), hello("OK VERSION=3.3")],
  ["HELLO VERSION MIN=3.1 MAX=3.1", hello("OK VERSION=3.1"), hello("OK VERSION=3.1")],
  ["HELLO VERSION MIN=3.0 MAX=3.3", hello("OK VERSION=3.3"), hello("OK VERSION=3.3")],
  ["HELLO VERSION MIN=3.1 MAX=3.9", hello("OK VERSION=3.1"), hello("OK VERSION=3.3")],
  ["HELLO VERSION MAX=3.9", hello("NOVERSION"), hello("OK VERSION=3.3")],
  ["HELLO VERSION MAX=3", hello("OK VERSION=0.3"), hello("OK VERSION=3.0")],
  ["HELLO VERSION MIN=3.2 MAX=3.1", hello("OK VERSION=3.1"), hello("NOVERSION")],
  ["HELLO VERSION MIN=3.4 MAX=3.9", hello("NOVERSION"), hello("NOVERSION")],
  ["HELLO VERSION MIN=new", hello("OK VERSION=3.0"), hello("OK VERSION=3.3")],
  ["hello version MAX=3.1", null, hello("OK VERSION=3.1")],
  ["HELLO  VERSION MAX=3.1", null, hello("OK VERSION=3.1")],
  ["HELLO VERSION\r", null, hello("OK VERSION=3.3")],
  ['HELLO VERSION MIN="3.1" MAX="3.1"', hello("OK VERSION=3.1"), hello("OK VERSION=3.1")],
  [
    "HELLO VERSION MIN=3.1 MIN=3.2 MAX=3.2",
    hello("OK VERSION=3.2"),
    hello('I2P_ERROR MESSAGE="Duplicate parameter MIN"'),
  ],
  ["HELLO VERSION MAX=3.1 USER=a PASSWORD=b", hello("OK VERSION=3.1"), hello("OK VERSION=3.1")],
  ["SESSION CREATE", null, hello('I2P_ERROR MESSAGE="Must start with HELLO VERSION"')],
  ["GET / HTTP/1.1", null, hello('I2P_ERROR MESSAGE="Must start with HELLO VERSION"')],
];

// [what follows HELLO VERSION, answer of i2pd 2.45.1]
const OLD_GREETINGS: [string, string][] = [
  ["", "OK VERSION=3.1"],
  [" MIN=3.0 MAX=3.3", "OK VERSION=3.0"],
  [" MIN=3.1 MAX=3.3", "OK VERSION=3.1"],
  [" MIN=3.0 MAX=3.1", "OK VERSION=3.1"],
  [" MIN=3.1 MAX=3.1 MAX=3.0", "OK VERSION=3.0"],
  [" MIN=3.2 MAX=3.3", "NOVERSION"],
  [" MIN=3.3", "NOVERSION"],
  [" MIN=3 MAX=3", "NOVERSION"],
];

Deno.test("i2pd 2.45.1: it speaks 3.1 where nothing is asked for, and no more", () =>
  withBridge({ manners: "i2pd 2.45.1" }, async (bridge) => {
    for (const [rest, answer] of OLD_GREETINGS) {
      await (await Probe.open(bridge)).expect(`HELLO VERSION${rest}`, hello(answer));
    }
  }));

for (const [index, manners] of BOTH.entries()) {
  Deno.test(`${manners}: HELLO is answered as that router does`, () =>
    withBridge({ manners }, async (bridge) => {
      for (const [line, ...answers] of GREETINGS) {
        const probe = await Probe.open(bridge);
        const answer = answers[index] ?? null;
        await probe.expect(line, answer);
        if (typeof answer !== "string" || !answer.includes("=OK")) assertEquals(await probe.rest(), "", line);
      }
    }));
}

Deno.test("i2pd: HELLO must come in one read, which needs no line feed; what follows in it is lost", () =>
  withBridge({}, async (bridge) => {
    const split = await Probe.open(bridge);
    await split.say("HELLO VER");
    assertEquals(await split.rest(), "");

    const bare = await Probe.open(bridge);
    await bare.say("HELLO VERSION MAX=3.1");
    assertEquals(await bare.line(), hello("OK VERSION=3.1"));

    const ahead = await Probe.open(bridge);
    await ahead.expect("HELLO VERSION MAX=3.1\nNAMING LOOKUP NAME=ME", hello("OK VERSION=3.1"));
    assert(await ahead.isQuiet());
    await ahead.expect("NAMING LOOKUP NAME=ME", /^NAMING REPLY RESULT=OK /);
  }));

Deno.test("java: HELLO may come in pieces, and with a command behind it", () =>
  withBridge({ manners: "java" }, async (bridge) => {
    const probe = await Probe.open(bridge);
    await probe.say("\nHELLO VER");
    assert(await probe.isQuiet());
    await probe.expect("SION MAX=3.1\nNAMING LOOKUP NAME=nobody.i2p", hello("OK VERSION=3.1"));
    assertEquals(await probe.line(), "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=nobody.i2p");
  }));

Deno.test("java: with a login HELLO must carry it, in quotes if need be; i2pd does not care", async () => {
  const login = { user: "me", password: 'two "words"' };
  const cases: [string, string][] = [
    ["", 'I2P_ERROR MESSAGE="USER and PASSWORD required"'],
    [" USER=me PASSWORD=wrong", 'I2P_ERROR MESSAGE="Authorization failed"'],
    [' USER=me PASSWORD="two \\"words\\""', "OK VERSION=3.1"],
  ];
  await withBridge({ manners: "java", login }, async (bridge) => {
    for (const [rest, answer] of cases) {
      await (await Probe.open(bridge)).expect(`HELLO VERSION MAX=3.1${rest}`, hello(answer));
    }
  });
  await withBridge({ login }, async (bridge) => void await Probe.greet(bridge));
});

Deno.test("bridge: the hook sees every line first, and can answer, cut or keep silent", async () => {
  const intercept = (line: string, socket: { write(text: string): Promise<void>; close(): void }): boolean => {
    if (line.includes("cut.i2p")) void socket.write("NAMING REP").then(() => socket.close());
    if (line.includes("answer.i2p")) void socket.write("NAMING REPLY RESULT=WEIRD\n");
    return / NAME=(cut|answer|silence).i2p/.test(line);
  };
  await withBridge({ intercept }, async (bridge) => {
    const probe = await Probe.greet(bridge);
    await probe.expect("NAMING LOOKUP NAME=answer.i2p", "NAMING REPLY RESULT=WEIRD");
    await probe.say("NAMING LOOKUP NAME=silence.i2p\n");
    assert(await probe.isQuiet());
    await probe.expect("NAMING LOOKUP NAME=other.i2p", "NAMING REPLY RESULT=INVALID_KEY NAME=other.i2p");
    await probe.say("NAMING LOOKUP NAME=cut.i2p\n");
    assertEquals(await probe.rest(), "NAMING REP");
    assertEquals(bridge.lines, [
      "HELLO VERSION MIN=3.1 MAX=3.1",
      "NAMING LOOKUP NAME=answer.i2p",
      "NAMING LOOKUP NAME=silence.i2p",
      "NAMING LOOKUP NAME=other.i2p",
      "NAMING LOOKUP NAME=cut.i2p",
    ]);
  });
});

Deno.test("bridge: a hook may answer HELLO; a hook that fails, or never ends, does not keep close waiting", async () => {
  const failing = await startSamBridge({
    intercept: (line, socket) => {
      if (line.startsWith("HELLO")) return socket.write("HELLO REPLY RESULT=OK VERSION=3.1\n").then(() => true);
      if (line.startsWith("DEST")) return new Promise(() => {});
      throw new TypeError("Broken hook");
    },
  });
  const one = await Probe.greet(failing);
  const two = await Probe.greet(failing);
  await one.say("DEST GENERATE\n");
  await two.say("NAMING LOOKUP NAME=ME\n");
  assertEquals(await two.rest(), "");
  await assertRejects(() => failing.close(), TypeError, "Broken hook");
  await one.close();
  await two.close();
});

Deno.test("bridge: the hook for connections comes before every line, and may be changed at any time", async () => {
  await withBridge({}, async (bridge) => {
    const silent = new Set<{ close(): void }>();
    bridge.accept = (socket) => silent.add(socket).size > 0;
    const one = await Probe.open(bridge);
    await one.say("HELLO VERSION MIN=3.1 MAX=3.1\n");
    assert(await one.isQuiet());
    assertEquals([bridge.lines.length, bridge.openSockets, silent.size], [0, 1, 1]);
    silent.forEach((socket) => socket.close());
    assertEquals(await one.rest(), "");

    bridge.accept = async (socket) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await socket.write("late\n");
      return false;
    };
    const two = await Probe.open(bridge);
    await two.say("HELLO VERSION MIN=3.1 MAX=3.1\n");
    assertEquals([await two.line(), await two.line()], ["late", hello("OK VERSION=3.1")]);

    bridge.accept = () => true;
    const three = await Probe.open(bridge);
    await three.close();
    await until("a client that leaves is forgotten", () => bridge.openSockets === 1);
    bridge.accept = () => false;
    await Probe.greet(bridge);
  });
});

Deno.test("bridge: an answer may be spoken in another way", () =>
  withBridge({}, async (bridge) => {
    bridge.intercept = (_line, socket) => {
      socket.spoken = async function* (text): AsyncGenerator<string> {
        yield "A";
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield text.toLowerCase();
      };
      return false;
    };
    const probe = await Probe.open(bridge);
    await probe.expect("HELLO VERSION MIN=3.1 MAX=3.1", "Ahello reply result=ok version=3.1");
  }));

Deno.test("bridge: it can stop listening and begin again, and whoever is connected stays", () =>
  withBridge({}, async (bridge) => {
    const { port } = bridge;
    const { control } = await Probe.session(bridge, "one");
    for (let i = 0; i < 3; i++) {
      await bridge.stopListening();
      await bridge.stopListening();
      await assertRejects(() => Probe.open(bridge), Deno.errors.ConnectionRefused);
      bridge.listen();
      bridge.listen();
      await (await Probe.greet(bridge)).close();
    }
    assertEquals([bridge.port, bridge.sessions.length], [port, 1]);
    assert(await control.isQuiet());
    await bridge.close();
    bridge.listen();
    await assertRejects(() => Probe.open(bridge), Deno.errors.ConnectionRefused);
  }));

Deno.test("bridge: sessions can be dropped by their names, and without their streams", () =>
  withBridge({}, async (bridge) => {
    const one = await Probe.session(bridge, "mine-1");
    const other = await Probe.session(bridge, "other");
    const acceptor = await Probe.accepting(bridge, "mine-1");
    const caller = await Probe.greet(bridge);
    await caller.expect(`STREAM CONNECT ID=other DESTINATION=${one.b32}`, "STREAM STATUS RESULT=OK");
    await acceptor.line();
    bridge.dropSessions({ prefix: "mine-", keepStreams: true });
    assertEquals(await one.control.rest(), "");
    assertEquals(bridge.sessions.map(({ id }) => id), ["other"]);
    await caller.say("still");
    assertEquals(await acceptor.text(5), "still");
    bridge.dropSessions();
    assertEquals([await other.control.rest(), await caller.rest()], ["", ""]);
  }));

Deno.test("bridge: resets do not end the listener; sockets are counted; sessions can be dropped", async () => {
  for (const manners of BOTH) {
    await withBridge({ manners }, async (bridge) => {
      for (let i = 0; i < 20; i++) {
        // Closing with unread bytes resets.
        const rude = await Probe.open(bridge);
        await rude.say("HELLO VERSION MAX=3.1\n");
        if (i % 2) await new Promise((resolve) => setTimeout(resolve, 2));
        await rude.close();
      }
      await until("all are gone", () => bridge.openSockets === 0);
      const { control, b32 } = await Probe.session(bridge, "one");
      const other = await Probe.greet(bridge);
      assertEquals(bridge.openSockets, 2);
      bridge.dropSessions();
      assertEquals(bridge.sessions.length, 0);
      assertEquals(await control.rest(), "");
      const again = await Probe.session(bridge, "one");
      assertNotEquals(again.b32, b32);
      assert(await other.isQuiet());
    });
  }
});

Deno.test("bridge: closes on request, twice too, and its port is free again", async () => {
  const bridge = await startSamBridge();
  await bridge.close();
  await bridge.close();
  await using again = await startSamBridge({ port: bridge.port });
  await assertRejects(() => startSamBridge({ port: again.port }), Deno.errors.AddrInUse);
});
