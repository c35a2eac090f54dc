import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import type { Manners } from "./bridge.ts";
import { makeKeys } from "./keys.ts";
import { until } from "../support/wait.ts";
import { Probe, withBridge } from "./probe.ts";

const BOTH: Manners[] = ["i2pd", "java"];

/** What a router answers; `null` is the end without a word. */
type Answer = string | RegExp | null;

const CREATE = "SESSION CREATE STYLE=STREAM";

// [command, answer of i2pd (which closes each time), answer of java (which goes on)]
const FAILED_SESSIONS: [string, Answer, Answer][] = [
  [`${CREATE} ID=taken DESTINATION=TRANSIENT`, "DUPLICATED_ID", "DUPLICATED_ID"],
  [`${CREATE} ID=a/b DESTINATION=TRANSIENT`, "INVALID_ID", /^OK /],
  [`${CREATE} DESTINATION=TRANSIENT`, "INVALID_ID", 'I2P_ERROR MESSAGE="ID not specified"'],
  [`${CREATE} ID=x`, "INVALID_KEY", 'I2P_ERROR MESSAGE="DESTINATION not specified"'],
  [`${CREATE} ID=x DESTINATION=AAAA`, "INVALID_KEY", "INVALID_KEY"],
  [
    "SESSION CREATE STYLE=FUTURE ID=x DESTINATION=TRANSIENT",
    'I2P_ERROR MESSAGE="Unknown STYLE"',
    'I2P_ERROR MESSAGE="Unrecognized SESSION STYLE"',
  ],
  [
    "SESSION CREATE ID=x DESTINATION=TRANSIENT",
    'I2P_ERROR MESSAGE="Unknown STYLE"',
    'I2P_ERROR MESSAGE="No SESSION STYLE specified"',
  ],
  [
    "SESSION ADD STYLE=STREAM ID=x",
    'I2P_ERROR MESSAGE="Wrong session type"',
    'I2P_ERROR MESSAGE="Not a PRIMARY session"',
  ],
];

for (const [index, manners] of BOTH.entries()) {
  Deno.test(`${manners}: a session that fails says why, and ${index === 0 ? "closes" : "goes on"}`, () =>
    withBridge({ manners }, async (bridge) => {
      await Probe.session(bridge, "taken");
      for (const [line, ...answers] of FAILED_SESSIONS) {
        const probe = await Probe.greet(bridge);
        const answer = answers[index];
        const status = "SESSION STATUS RESULT=";
        await probe.expect(line, answer instanceof RegExp ? new RegExp(`^${status}OK `) : `${status}${answer}`);
        if (manners === "i2pd") assertEquals(await probe.rest(), "", line);
        else await probe.expect("PING still here", "PONG still here");
      }
      assertEquals(bridge.sessions.filter((session) => session.id !== "a/b").map((session) => session.id), ["taken"]);
    }));

  Deno.test(`${manners}: a session's keys are well formed, and bring its destination back`, () =>
    withBridge({ manners }, async (bridge) => {
      const { control, blob, destination, b32 } = await Probe.session(bridge, "one", "3.1", " inbound.quantity=3");
      const bytes = decodeI2pBase64(blob);
      assertEquals(bytes.length, 679);
      assertEquals([...bytes.subarray(384, 391)], [5, 0, 4, 0, 7, 0, 0]);
      assertEquals(destination.length, 524);
      assertEquals(b32, await b32Address(publicPart(bytes)));
      assertEquals(bridge.sessions[0]?.options, { SIGNATURE_TYPE: "7", "inbound.quantity": "3" });

      await control.close();
      await until("the session ends with its control socket", () => bridge.sessions.length === 0);
      const again = await Probe.greet(bridge);
      await again.expect(`${CREATE} ID=one DESTINATION=${blob}`, `SESSION STATUS RESULT=OK DESTINATION=${blob}`);
      assertEquals(bridge.sessions[0]?.b32, b32);

      const publicOnly = await Probe.greet(bridge);
      await publicOnly.expect(`${CREATE} ID=p DESTINATION=${destination}`, "SESSION STATUS RESULT=INVALID_KEY");
    }));

  Deno.test(
    `${manners}: a blob with a short encryption key, or with bytes behind it, is ${index === 0 ? "taken" : "refused"}`,
    () =>
      withBridge({ manners }, async (bridge) => {
        const plain = decodeI2pBase64((await makeKeys(7)).blob);
        const short = plain.slice(0, 455);
        short[390] = 4;
        const longer = new Uint8Array(682);
        longer.set(plain);
        for (const [id, blob, taken] of [["short", short, short], ["longer", longer, plain]] as const) {
          await (await Probe.greet(bridge)).expect(
            `${CREATE} ID=${id} DESTINATION=${encodeI2pBase64(blob)}`,
            `SESSION STATUS RESULT=${manners === "i2pd" ? `OK DESTINATION=${encodeI2pBase64(taken)}` : "INVALID_KEY"}`,
          );
        }
      }),
  );

  Deno.test(`${manners}: base64 that lost its padding is ${index === 0 ? "refused" : "taken"}`, () =>
    withBridge({ manners }, async (bridge) => {
      const { blob } = await makeKeys(7);
      const probe = await Probe.greet(bridge);
      await probe.expect(
        `${CREATE} ID=x DESTINATION=${blob.replaceAll("=", "")}`,
        manners === "i2pd" ? "SESSION STATUS RESULT=INVALID_KEY" : `SESSION STATUS RESULT=OK DESTINATION=${blob}`,
      );
    }));
}

Deno.test("i2pd: a second session with the same keys shares the destination, and dies with it", () =>
  withBridge({}, async (bridge) => {
    const one = await Probe.session(bridge, "one");
    const two = await Probe.greet(bridge);
    await two.expect(`${CREATE} ID=two DESTINATION=${one.blob}`, /^SESSION STATUS RESULT=OK /);
    assertEquals(bridge.sessions.map((session) => session.b32), [one.b32, one.b32]);
    await one.control.close();
    assertEquals(await two.line(), null);
    assertEquals(bridge.sessions.length, 0);
  }));

Deno.test("java: a second session with the same text of keys is refused by SAM", () =>
  withBridge({ manners: "java" }, async (bridge) => {
    const { blob } = await makeKeys(7);
    const one = await Probe.greet(bridge);
    await one.expect(`${CREATE} ID=one DESTINATION=${blob}`, /^SESSION STATUS RESULT=OK /);
    const two = await Probe.greet(bridge);
    await two.expect(`${CREATE} ID=two DESTINATION=${blob}`, "SESSION STATUS RESULT=DUPLICATED_DEST");
    await two.expect(`${CREATE} ID=two DESTINATION=TRANSIENT SIGNATURE_TYPE=99`, /MESSAGE="SIGNATURE_TYPE 99 unsuppo/);
    await two.expect(`${CREATE} ID=two DESTINATION=TRANSIENT`, /^SESSION STATUS RESULT=OK DESTINATION=.{884}$/);
    await two.expect(`${CREATE} ID=three DESTINATION=TRANSIENT`, /MESSAGE="Session already exists"$/);
  }));

Deno.test("java: of keys that somebody else has it only hears; with 0.9.47 that one is off the air from then on", async () => {
  const failed = 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="Error creating I2PSocketManager: Failed to build tunnels';
  const cause = " - Disconnected from router while waiting for tunnels: duplicate destination";
  for (const [manners, words, isThere] of [["java 2.8", cause, true], ["java 0.9.47", "", false]] as const) {
    await withBridge({ manners }, async (bridge) => {
      const { blob, b32 } = await Probe.session(bridge, "one");
      await (await Probe.greet(bridge)).expect(`${CREATE} ID=two DESTINATION=${blob}`, `${failed}${words}"`);
      const found = isThere ? /^NAMING REPLY RESULT=OK/ : /^NAMING REPLY RESULT=KEY_NOT_FOUND/;
      await (await Probe.greet(bridge)).expect(`NAMING LOOKUP NAME=${b32}`, found);
    });
  }
});

Deno.test("java: a session that is over is so in that version's words, and 0.9.47 keeps its control socket", async () => {
  for (const [manners, words] of [["java 2.8", "Session is closed"], ["java 0.9.47", "Session was closed"]] as const) {
    await withBridge({ manners }, async (bridge) => {
      const { control } = await Probe.session(bridge, "one");
      bridge.stopSessions();
      const over = `STREAM STATUS RESULT=I2P_ERROR MESSAGE="${words}"`;
      for (const command of ["CONNECT ID=one DESTINATION=x.i2p", "ACCEPT ID=one"]) {
        await (await Probe.greet(bridge)).expect(`STREAM ${command}`, over);
        if (manners === "java 2.8") break;
      }
      if (manners === "java 0.9.47") assert(await control.isQuiet());
      else assertEquals(await control.rest(), `SESSION STATUS RESULT=I2P_ERROR MESSAGE="${words}"\n`);
    });
  }
});

Deno.test("i2pd 2.45.1: a session needs no ID, and a socket takes another one", () =>
  withBridge({ manners: "i2pd 2.45.1" }, async (bridge) => {
    const control = await Probe.greet(bridge);
    await control.expect(`${CREATE} DESTINATION=TRANSIENT`, /^SESSION STATUS RESULT=OK /);
    await control.expect(`${CREATE} ID=one ID=two DESTINATION=TRANSIENT`, /^SESSION STATUS RESULT=OK /);
    assertEquals(bridge.sessions.at(-1)?.id, "two");
    const plain = await Probe.greet(bridge);
    await plain.say("SESSION ADD STYLE=STREAM ID=x\n");
    assert(await plain.isQuiet());
  }));

Deno.test("both: a session takes its time; its ID is taken, and it cannot be used before", async () => {
  for (const manners of BOTH) {
    await withBridge({ manners, sessionDelay: 400 }, async (bridge) => {
      const control = await Probe.greet(bridge);
      const start = Date.now();
      await control.say(`${CREATE} ID=slow DESTINATION=TRANSIENT\n`);
      await until("the command arrives", () => bridge.lines.some((line) => line.includes("ID=slow")));
      await (await Probe.greet(bridge)).expect(
        `${CREATE} ID=slow DESTINATION=TRANSIENT`,
        "SESSION STATUS RESULT=DUPLICATED_ID",
      );
      await (await Probe.greet(bridge)).expect(
        "STREAM CONNECT ID=slow DESTINATION=x.i2p",
        manners === "i2pd"
          ? "STREAM STATUS RESULT=CANT_REACH_PEER"
          : /^STREAM STATUS RESULT=I2P_ERROR MESSAGE="specified/,
      );
      assertEquals(bridge.sessions.length, 0);
      assertMatch(await control.line() ?? "", /^SESSION STATUS RESULT=OK /);
      assert(Date.now() - start >= 390);
      assertEquals(bridge.sessions.length, 1);
    });
  }
});

Deno.test("java: a command while tunnels are built is refused; a client that leaves frees its ID", () =>
  withBridge({ manners: "java", sessionDelay: 500 }, async (bridge) => {
    const control = await Probe.greet(bridge);
    await control.say(`${CREATE} ID=slow DESTINATION=TRANSIENT\n`);
    await control.expect("NAMING LOOKUP NAME=ME", 'NAMING STATUS RESULT=I2P_ERROR MESSAGE="invalid state"');
    await control.close();
    await until("the bridge notices", () => bridge.openSockets === 0);
    const next = await Probe.greet(bridge);
    await next.expect(`${CREATE} ID=slow DESTINATION=TRANSIENT`, /^SESSION STATUS RESULT=OK /);
  }));

Deno.test("i2pd: a client that leaves while tunnels are built keeps its ID until they are", () =>
  withBridge({ sessionDelay: 500 }, async (bridge) => {
    const control = await Probe.greet(bridge);
    await control.say(`${CREATE} ID=slow DESTINATION=TRANSIENT\n`);
    await control.close();
    const command = `${CREATE} ID=slow DESTINATION=TRANSIENT`;
    await Probe.ask(bridge, command, "SESSION STATUS RESULT=DUPLICATED_ID");
    await until("the bridge notices", () => bridge.openSockets === 0);
    await (await Probe.greet(bridge)).expect(command, /^SESSION STATUS RESULT=OK /);
  }));

Deno.test("i2pd 2.58: a destination ends after its session, and with it another session that is not told", () =>
  withBridge({ manners: "i2pd 2.58", releaseDelay: 300 }, async (bridge) => {
    const { b32 } = await Probe.session(bridge, "server");
    await Probe.accepting(bridge, "server");
    const keys = (await makeKeys(7)).blob;
    const create = (id: string): string => `${CREATE} ID=${id} DESTINATION=${keys}`;
    const first = await Probe.greet(bridge);
    await first.expect(create("first"), /RESULT=OK/);
    await first.close();
    const second = await Probe.greet(bridge);
    await second.expect(create("second"), /RESULT=OK/);
    const call = `STREAM CONNECT ID=second DESTINATION=${b32}`;
    await (await Probe.greet(bridge)).expect(call, "STREAM STATUS RESULT=OK");
    await until("the destination has ended", () => bridge.releases === 0);
    await Probe.accepting(bridge, "server");
    await (await Probe.greet(bridge)).expect(call, /CANT_REACH_PEER/);
    assert(await second.isQuiet(), "the session is told");
  }));
