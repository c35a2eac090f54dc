import { assert, assertEquals } from "@std/assert";
import { type Manners, ROUTERS } from "./bridge.ts";
import { makeKeys } from "./keys.ts";
import { until } from "../support/wait.ts";
import { Probe, withBridge } from "./probe.ts";

const BOTH: Manners[] = ["i2pd", "java"];
const OK = "STREAM STATUS RESULT=OK";

Deno.test("both: STREAM CONNECT to what cannot be reached says so in that router's words, and closes", async () => {
  const dead = await makeKeys(7);
  for (const [index, manners] of BOTH.entries()) {
    await withBridge({ manners, names: { "dead.i2p": dead.destination } }, async (bridge) => {
      await Probe.session(bridge, "me");
      const b33 = `${"a".repeat(56)}.b32.i2p`;
      const unknown = (name: string): string => `INVALID_KEY MESSAGE="Host name not found: ${name}"`;
      const missing = (name: string): string => `INVALID_KEY MESSAGE="Lease set not found: ${name}"`;
      const cases: [string, string, string][] = [
        ["nobody.i2p", "INVALID_KEY", unknown("nobody.i2p")],
        ["DEAD.I2P", "INVALID_KEY", 'CANT_REACH_PEER MESSAGE="Connection timed out"'],
        ["dead.i2p", "CANT_REACH_PEER", 'CANT_REACH_PEER MESSAGE="Connection timed out"'],
        [dead.destination, "CANT_REACH_PEER", 'CANT_REACH_PEER MESSAGE="Connection timed out"'],
        [dead.b32, "CANT_REACH_PEER", missing(dead.b32)],
        [dead.b32.toUpperCase(), "INVALID_KEY", missing(dead.b32.toUpperCase())],
        [b33, "CANT_REACH_PEER", missing(b33)],
        ["abc.b32.i2p", "CANT_REACH_PEER", unknown("abc.b32.i2p")],
        ["example.com", "INVALID_KEY", unknown("example.com")],
      ];
      for (const [given, ...results] of cases) {
        const probe = await Probe.greet(bridge);
        await probe.expect(`STREAM CONNECT ID=me DESTINATION=${given}`, `STREAM STATUS RESULT=${results[index]}`);
        assertEquals(await probe.rest(), "", given);
      }
      const stranger = await Probe.greet(bridge);
      await stranger.expect(
        `STREAM CONNECT ID=nobody DESTINATION=${dead.b32}`,
        `STREAM STATUS RESULT=INVALID_ID${index === 0 ? "" : ' MESSAGE="STREAM SESSION ID nobody does not exist"'}`,
      );
      assertEquals(await stranger.rest(), "");
    });
  }
});

Deno.test("both: SILENT=true silences failures too; only java takes TRUE for it, and names bad IDs anyway", async () => {
  const answers: [string, string, RegExp | null, RegExp | null][] = [
    ["me", "true", null, null],
    ["me", "TRUE", /^STREAM STATUS RESULT=INVALID_KEY$/, null],
    ["nobody", "true", null, /^STREAM STATUS RESULT=INVALID_ID /],
  ];
  for (const manners of BOTH) {
    await withBridge({ manners }, async (bridge) => {
      await Probe.session(bridge, "me");
      for (const [id, silent, i2pd, java] of answers) {
        const line = `STREAM CONNECT ID=${id} DESTINATION=x.i2p SILENT=${silent}`;
        await (await Probe.greet(bridge)).expect(line, manners === "i2pd" ? i2pd : java);
      }
    });
  }
});

for (const manners of BOTH) {
  Deno.test(`${manners}: streams reach a session by address, name and key, through several acceptors`, () =>
    withBridge({ manners }, async (bridge) => {
      const server = await Probe.session(bridge, "server");
      const client = await Probe.session(bridge, "client");
      bridge.setName("site.i2p", server.destination);
      const acceptors = [];
      for (let i = 0; i < 3; i++) acceptors.push(await Probe.accepting(bridge, "server"));
      for (const [i, target] of [server.b32, "site.i2p", server.destination].entries()) {
        const caller = await Probe.greet(bridge);
        await caller.expect(`STREAM CONNECT ID=client DESTINATION=${target}`, OK);
        const acceptor = acceptors[i];
        assertEquals(await acceptor?.line(), client.destination);
        await caller.say("question");
        assertEquals(await acceptor?.text(8), "question");
        await acceptor?.say("answer");
        assertEquals(await caller.text(6), "answer");
      }
    }));

  Deno.test(`${manners}: SILENT=true means nothing but the stream, at both ends`, () =>
    withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const acceptor = await Probe.greet(bridge);
      await acceptor.say("STREAM ACCEPT ID=server SILENT=true\n");
      assert(await acceptor.isQuiet());
      const caller = await Probe.greet(bridge);
      await caller.say(`STREAM CONNECT ID=client DESTINATION=${b32} SILENT=true\n`);
      assert(await caller.isQuiet());
      await acceptor.say("first");
      assertEquals(await caller.text(5), "first");
      await caller.say("second");
      assertEquals(await acceptor.text(6), "second");
    }));

  Deno.test(`${manners}: the end of one direction ends the other; what was said before arrives`, () =>
    withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const acceptor = await Probe.accepting(bridge, "server");
      const caller = await Probe.greet(bridge);
      await caller.expect(`STREAM CONNECT ID=client DESTINATION=${b32}`, OK);
      await acceptor.line();
      await caller.say("request");
      await caller.endSaying();
      assertEquals(await acceptor.text(7), "request");
      await acceptor.say("response");
      assertEquals(await acceptor.rest(), "");
      assertEquals(await caller.rest(), "", "no half-close");
    }));

  Deno.test(`${manners}: an answer arrives whole while the question is still being sent`, () =>
    withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const acceptor = await Probe.accepting(bridge, "server");
      const caller = await Probe.greet(bridge);
      await caller.expect(`STREAM CONNECT ID=client DESTINATION=${b32}`, OK);
      await acceptor.line();
      const question = caller.say(new Uint8Array(16 << 20)).catch(() => {});
      await acceptor.say(new Uint8Array(1 << 20).fill(120));
      await acceptor.endSaying();
      // A close with the question unread would be a reset, and throw away what the caller has not read yet.
      await new Promise((resolve) => setTimeout(resolve, 50));
      assertEquals((await caller.rest()).length, 1 << 20);
      await question;
    }));

  Deno.test(`${manners}: a whole megabyte arrives before the end, in both directions`, () =>
    withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const bulk = new Uint8Array(1 << 20).fill(120);
      for (const callerSpeaks of [true, false]) {
        const acceptor = await Probe.accepting(bridge, "server");
        const caller = await Probe.greet(bridge);
        await caller.expect(`STREAM CONNECT ID=client DESTINATION=${b32}`, OK);
        await acceptor.line();
        const [speaker, listener] = callerSpeaks ? [caller, acceptor] : [acceptor, caller];
        const heard = listener.rest();
        await speaker.say(bulk);
        await speaker.close();
        assertEquals((await heard).length, bulk.length);
      }
      await until("only control sockets are left", () => bridge.openSockets === 4 - 2);
    }));

  Deno.test(`${manners}: streams, acceptors and forwards die with the control socket, at either end`, () =>
    withBridge({ manners }, async (bridge) => {
      for (const victim of ["client", "server"]) {
        const server = await Probe.session(bridge, "server");
        const client = await Probe.session(bridge, "client");
        const acceptor = await Probe.accepting(bridge, "server");
        const pending = await Probe.accepting(bridge, "server");
        const caller = await Probe.greet(bridge);
        await caller.expect(`STREAM CONNECT ID=client DESTINATION=${server.b32}`, OK);
        await acceptor.line();
        await (victim === "client" ? client : server).control.close();
        assertEquals(await caller.rest(), "");
        assertEquals(await acceptor.rest(), "");
        await until("the session is gone", () => bridge.sessions.every(({ id }) => id !== victim));
        if (victim === "server") assertEquals(await pending.rest(), "");
        else assert(await pending.isQuiet());
        bridge.dropSessions();
        await until("all sockets are gone", () => bridge.openSockets === 0);
      }
    }));
}

Deno.test("i2pd: OK comes before anybody accepts, then the end; whoever accepts meanwhile hears the caller first", () =>
  withBridge({ silentPeerTimeout: 600 }, async (bridge) => {
    const { b32 } = await Probe.session(bridge, "server");
    const client = await Probe.session(bridge, "client");
    const connect = `STREAM CONNECT ID=client DESTINATION=${b32}`;
    const lonely = await Probe.greet(bridge);
    await lonely.expect(connect, OK);
    assert(await lonely.isQuiet());
    assertEquals(await lonely.rest(), "");

    const caller = await Probe.greet(bridge);
    await caller.expect(connect, OK);
    await caller.say("early");
    const acceptor = await Probe.greet(bridge);
    await acceptor.say("STREAM ACCEPT ID=server\n");
    assertEquals(await acceptor.line(), client.destination);
    assertEquals(await acceptor.line(), OK);
    assertEquals(await acceptor.text(5), "early");
  }));

Deno.test("java: OK comes only when somebody accepts; else CANT_REACH_PEER", () =>
  withBridge({ manners: "java", silentPeerTimeout: 600 }, async (bridge) => {
    const { b32 } = await Probe.session(bridge, "server");
    const client = await Probe.session(bridge, "client");
    const connect = `STREAM CONNECT ID=client DESTINATION=${b32}`;
    const lonely = await Probe.greet(bridge);
    await lonely.say(`${connect}\n`);
    assert(await lonely.isQuiet());
    assertEquals(await lonely.rest(), 'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="Connection failed"\n');

    const caller = await Probe.greet(bridge);
    await caller.say(`${connect}\n`);
    assert(await caller.isQuiet());
    const acceptor = await Probe.accepting(bridge, "server");
    assertEquals(await acceptor.line(), client.destination);
    assertEquals(await caller.line(), OK);
  }));

Deno.test("both: a caller that leaves while it waits is forgotten", async () => {
  for (const manners of BOTH) {
    await withBridge({ manners, silentPeerTimeout: 60_000 }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const caller = await Probe.greet(bridge);
      await caller.say(`STREAM CONNECT ID=client DESTINATION=${b32}\n`);
      await until("it calls", () => bridge.lines.some((line) => line.startsWith("STREAM CONNECT")));
      await caller.close();
      await until("it is gone", () => bridge.openSockets === 2);
      const acceptor = await Probe.accepting(bridge, "server");
      assert(await acceptor.isQuiet());
      await acceptor.close();
      if (manners === "java") {
        const swallowed = await Probe.greet(bridge);
        await swallowed.say(`STREAM CONNECT ID=client DESTINATION=${b32}\n`);
        assertEquals(await swallowed.rest(), `${OK}\n`, "who left still accepts, once");
      }
      await until("the acceptor is gone", () => bridge.openSockets === 2);
      const waits = await Probe.greet(bridge);
      await waits.say(`STREAM CONNECT ID=client DESTINATION=${b32}\n`);
      assert(manners === "i2pd" ? await waits.line() === OK : await waits.isQuiet());
      assert(await waits.isQuiet(), "the acceptor that left does not answer");
    });
  }
});

Deno.test("a session's own destination is reached with i2pd 2.45.1 only", async () => {
  const refused = "STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE=";
  const answers: Record<typeof ROUTERS[number], RegExp | string> = {
    "i2pd 2.45.1": OK,
    "i2pd 2.58": `${refused}"Can't connect to myself"`,
    "java 0.9.47": `${refused}"Connection reset"`,
    "java 2.8": /"local loopback denied, /,
  };
  for (const manners of ROUTERS) {
    await withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "me");
      await Probe.accepting(bridge, "me");
      await (await Probe.greet(bridge)).expect(`STREAM CONNECT ID=me DESTINATION=${b32}`, answers[manners]);
    });
  }
});

Deno.test("i2pd 2.58: who is called with ElGamal and prefers another type gets callers whose streams end at once", async () => {
  const types = "i2cp.leaseSetEncType=";
  for (
    const [manners, called, caller, arrives] of [
      ["i2pd 2.58", ` ${types}4,0`, "", false],
      ["i2pd 2.58", ` ${types}4,0`, ` ${types}4,0`, true],
      ["i2pd 2.58", ` ${types}4`, "", true],
      ["i2pd 2.58", ` ${types}0`, "", true],
      ["i2pd 2.58", "", "", true],
      ["i2pd 2.45.1", ` ${types}4,0`, "", true],
    ] as const
  ) {
    await withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server", "3.1", called);
      await Probe.session(bridge, "client", "3.1", caller);
      const acceptor = await Probe.accepting(bridge, "server");
      const calling = await Probe.greet(bridge);
      await calling.expect(`STREAM CONNECT ID=client DESTINATION=${b32}`, OK);
      await calling.say("payload");
      await acceptor.line();
      if (arrives) return assertEquals(await acceptor.text(7), "payload");
      assertEquals(await acceptor.rest(), "");
      assert(await calling.isQuiet(), "the caller is told of it");
    });
  }
});

Deno.test("java: commands of streams are refused in its words", () =>
  withBridge({ manners: "java" }, async (bridge) => {
    const { control } = await Probe.session(bridge, "me");
    const error = "STREAM STATUS RESULT=I2P_ERROR MESSAGE=";
    await Probe.ask(bridge, "STREAM ACCEPT", `${error}"ID not specified"`);
    await Probe.ask(bridge, "STREAM CONNECT ID=me DESTINATION=x.i2p TO_PORT=http", `${error}"Bad port http"`);
    await Probe.accepting(bridge, "me");
    const defined = "Forwarding failed : an accepting server is already defined for this destination";
    await Probe.ask(bridge, "STREAM FORWARD ID=me PORT=9", `${error}"${defined}"`);
    await Probe.ask(bridge, "HELLO VERSION", null);
    await control.expect(
      "NAMING LOOKUP NAME=",
      'NAMING REPLY RESULT=KEY_NOT_FOUND NAME="" MESSAGE="Must specify NAME"',
    );
    const left = await Probe.greet(bridge);
    await left.endSaying();
    assertEquals(await left.rest(), "SESSION STATUS RESULT=I2P_ERROR\n");
  }));

Deno.test("both: ports are passed on by java, to acceptors of 3.2 and up; never by i2pd", async () => {
  const answers: [Manners, string, string][] = [
    ["java", "3.2", " FROM_PORT=7 TO_PORT=80"],
    ["java", "3.1", ""],
    ["i2pd", "3.2", ""],
  ];
  for (const [manners, version, ports] of answers) {
    await withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      const client = await Probe.session(bridge, "client", "3.1", " FROM_PORT=7");
      const acceptor = await Probe.accepting(bridge, "server", version);
      await (await Probe.greet(bridge)).expect(`STREAM CONNECT ID=client DESTINATION=${b32} TO_PORT=80`, OK);
      assertEquals(await acceptor.line(), `${client.destination}${ports}`);
    });
  }
});

Deno.test("both: bytes sent right behind STREAM CONNECT arrive with java; i2pd sends as many others", async () => {
  for (const [manners, arrives] of [["java", "payload"], ["i2pd", "\0".repeat(7)]] as const) {
    await withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const acceptor = await Probe.accepting(bridge, "server");
      const caller = await Probe.greet(bridge);
      await caller.say(`STREAM CONNECT ID=client DESTINATION=${b32}\npayload`);
      assertEquals(await caller.line(), OK);
      await caller.say(" later");
      await acceptor.line();
      assertEquals(await acceptor.text(13), `${arrives} later`);
    });
  }
});

Deno.test("both: bytes sent behind STREAM ACCEPT, before a caller, close with i2pd and wait with java", async () => {
  for (const manners of BOTH) {
    await withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const acceptor = await Probe.accepting(bridge, "server");
      await acceptor.say("banner");
      if (manners === "i2pd") return assertEquals(await acceptor.rest(), "");
      const caller = await Probe.greet(bridge);
      await caller.expect(`STREAM CONNECT ID=client DESTINATION=${b32}`, OK);
      assertEquals(await caller.text(6), "banner");
    });
  }
});

Deno.test("bridge: closes in the midst of a stalled stream, a waiting caller and a waiting acceptor", async () => {
  for (const manners of BOTH) {
    await withBridge({ manners, silentPeerTimeout: 60_000, sessionDelay: 1 }, async (bridge) => {
      const server = await Probe.session(bridge, "server");
      const client = await Probe.session(bridge, "client");
      await Probe.accepting(bridge, "server");
      const caller = await Probe.greet(bridge);
      await caller.expect(`STREAM CONNECT ID=client DESTINATION=${server.b32}`, OK);
      await Probe.accepting(bridge, "server");
      const waiting = await Probe.greet(bridge);
      await waiting.say(`STREAM CONNECT ID=server DESTINATION=${client.b32}\n`);
      // Nobody reads at the other end: the bridge is stuck in a write.
      const stuck = caller.say(new Uint8Array(16 << 20)).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
      await bridge.close();
      await stuck;
    });
  }
});
