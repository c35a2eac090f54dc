import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { Manners } from "./bridge.ts";
import { makeKeys } from "./keys.ts";
import { until } from "../support/wait.ts";
import { Probe, withBridge } from "./probe.ts";

const BOTH: Manners[] = ["i2pd", "java"];

/** What a router answers; `null` is the end without a word. */
type Answer = string | RegExp | null;

// Each on a fresh control socket. [line, answer of i2pd, i2pd stays, answer of java, java stays]
const ON_CONTROL: [string, Answer, boolean, Answer, boolean][] = [
  ["STREAM CONNECT ID=one DESTINATION=x.i2p", /^SESSION .*"Socket already in use"$/, false, /"v3 control s/, false],
  ["STREAM ACCEPT ID=one", /^SESSION .*"Socket already in use"$/, false, /^STREAM STATUS .*"v3 control s/, false],
  ["NAMING LOOKUP NAME=ME", /RESULT=OK NAME=ME VALUE=.{522}==$/, true, /RESULT=OK NAME=ME VALUE=.{522}==$/, true],
  ["DEST GENERATE SIGNATURE_TYPE=7", /^DEST REPLY PUB=.{524} PRIV=.{908}$/, true, /^DEST REPLY PUB=.{524} /, true],
  ["DEST GENERATE", /^DEST REPLY PUB=.{516} PRIV=.{884}$/, true, /^DEST REPLY PUB=.{516} PRIV=.{884}$/, true],
  ["DEST GENERATE SIGNATURE_TYPE=99", /^DEST REPLY PUB=.{516} /, true, /^DEST REPLY RESULT=I2P_ERROR /, true],
  ["PING hello  there", null, false, "PONG hello  there", true],
  ["PING", null, false, "PONG", true],
  ["QUIT", null, false, "QUIT STATUS RESULT=OK MESSAGE=bye", false],
  ["HELP", null, false, /^HELP STATUS RESULT=OK MESSAGE=https:/, true],
  ["HELLO VERSION MAX=3.1", null, false, /^HELLO STATUS RESULT=I2P_ERROR MESSAGE="unsupported command, /, true],
  ["NONSENSE", null, false, /^NONSENSE STATUS RESULT=I2P_ERROR MESSAGE="unsupported command, /, true],
  ["naming lookup NAME=x.i2p", null, false, "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=x.i2p", true],
  ["NAMING  LOOKUP NAME=x.i2p", null, false, "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=x.i2p", true],
  ["NAMING LOOKUP   NAME=x.i2p\r", /^NAMING REPLY RESULT=INVALID_KEY NAME=x.i2p$/, true, /NAME=x.i2p$/, true],
  ["NAMING LOOKUP NAME=x.i2p NAME=y.i2p", / NAME=x.i2p$/, true, /"Duplicate parameter NAME"$/, false],
  ['NAMING LOOKUP NAME="a b.i2p"', / NAME="a$/, true, / NAME=a b.i2p$/, true],
  ["NAMING LOOKUP NAME=a\\ b.i2p", / NAME=a\\$/, true, / NAME=a b.i2p$/, true],
  ["NAMING LOOKUP NAME=", "NAMING REPLY RESULT=INVALID_KEY NAME=", true, /^NAMING REPLY RESULT=KEY_NOT_FOUND/, true],
  ["\nNAMING LOOKUP NAME=x.i2p", null, false, / NAME=x.i2p$/, true],
];

for (const manners of BOTH) {
  Deno.test(`${manners}: commands on a control socket are answered as that router does`, () =>
    withBridge({ manners }, async (bridge) => {
      for (const [line, i2pd, i2pdStays, java, javaStays] of ON_CONTROL) {
        const { control } = await Probe.session(bridge, "one");
        await control.expect(line, manners === "i2pd" ? i2pd : java);
        if (manners === "i2pd" ? i2pdStays : javaStays) {
          await control.expect("NAMING LOOKUP NAME=ME", /^NAMING REPLY RESULT=OK /);
          await control.close();
          await until("the session ends", () => bridge.sessions.length === 0);
        } else {
          assertEquals(await control.rest(), "", line);
          assertEquals(bridge.sessions.length, 0, line);
        }
      }
    }));
}

Deno.test("java: one reply lacks its line feed", () =>
  withBridge({ manners: "java" }, async (bridge) => {
    const probe = await Probe.greet(bridge);
    await probe.say("DEST FOO\nQUIT\n");
    assertEquals(
      await probe.rest(),
      'DEST REPLY RESULT=I2P_ERROR MESSAGE="DEST GENERATE required"QUIT STATUS RESULT=OK MESSAGE=bye\n',
    );
  }));

Deno.test("both: ME without a session is i2pd's own destination, and the end with java", async () => {
  await withBridge({}, async (bridge) => {
    const probe = await Probe.greet(bridge);
    await probe.say("NAMING LOOKUP NAME=ME\n");
    const reply = await probe.line();
    assertMatch(reply ?? "", /^NAMING REPLY RESULT=OK NAME=ME VALUE=.{524}$/);
    await probe.expect("NAMING LOOKUP NAME=ME", reply);
  });
  await withBridge({ manners: "java" }, async (bridge) => {
    await (await Probe.greet(bridge)).expect("NAMING LOOKUP NAME=ME", null);
  });
});

Deno.test("both: names, addresses of live sessions and destinations can be looked up", async () => {
  const known = await makeKeys(7);
  for (const manners of BOTH) {
    await withBridge({ manners, names: { "site.i2p": known.destination } }, async (bridge) => {
      const live = await Probe.session(bridge, "one");
      bridge.setName("late.i2p", live.destination);
      const upper = manners === "i2pd" ? undefined : known.destination;
      const cases: [string, string | undefined][] = [
        ["site.i2p", known.destination],
        ["late.i2p", live.destination],
        [live.b32, live.destination],
        [known.b32, undefined],
        [known.destination, known.destination],
        ["other.i2p", undefined],
        ["example.com", undefined],
        ["SITE.i2p", upper],
        ["www.site.i2p", upper],
        ["site.i2p.alt", upper],
      ];
      const probe = await Probe.greet(bridge);
      const missing = manners === "i2pd" ? "INVALID_KEY" : "KEY_NOT_FOUND";
      for (const [name, value] of cases) {
        const result = value === undefined ? `${missing} NAME=${name}` : `OK NAME=${name} VALUE=${value}`;
        await probe.expect(`NAMING LOOKUP NAME=${name}`, `NAMING REPLY RESULT=${result}`);
      }
      assertThrows(() => bridge.setName("bad.i2p", "bad"), TypeError, 'Cannot put "bad.i2p"');
    });
  }
});

Deno.test("i2pd: one command a read; a command may come in pieces", () =>
  withBridge({}, async (bridge) => {
    const probe = await Probe.greet(bridge);
    await probe.expect("NAMING LOOKUP NAME=a.i2p\nNAMING LOOKUP NAME=b.i2p", /NAME=a.i2p$/);
    assert(await probe.isQuiet());
    await probe.say("NAMING LOO");
    assert(await probe.isQuiet());
    await probe.expect("KUP NAME=c.i2p", /NAME=c.i2p$/);
  }));

Deno.test("java: commands may come together", () =>
  withBridge({ manners: "java" }, async (bridge) => {
    const probe = await Probe.greet(bridge);
    await probe.expect("NAMING LOOKUP NAME=a.i2p\nNAMING LOOKUP NAME=b.i2p", /NAME=a.i2p$/);
    assertMatch(await probe.line() ?? "", /NAME=b.i2p$/);
  }));

Deno.test("both: a line that is too long hangs with i2pd, and ends java's conversation", async () => {
  const line = `NAMING LOOKUP NAME=${"a".repeat(8192)}`;
  await withBridge({}, async (bridge) => {
    const probe = await Probe.greet(bridge);
    await probe.say(`${line}\n`);
    assert(await probe.isQuiet());
    await probe.say("NAMING LOOKUP NAME=ME\n");
    assert(await probe.isQuiet());
  });
  await withBridge({ manners: "java" }, async (bridge) => {
    const { control } = await Probe.session(bridge, "one");
    await control.expect(line, /^SESSION STATUS RESULT=I2P_ERROR MESSAGE="Line too long/);
    assertEquals(await control.rest(), "");
    assertEquals(bridge.sessions.length, 0);
  });
});

Deno.test("java: a silent socket of 3.2 gets PING, and ends without PONG; others do not", () =>
  withBridge({ manners: "java", pingInterval: 300 }, async (bridge) => {
    const { control } = await Probe.session(bridge, "one", "3.2");
    const older = await Probe.session(bridge, "two", "3.1");
    const first = await control.line() ?? "";
    assertMatch(first, /^PING \d+$/);
    await control.say(`${first.replace("PING", "PONG")}\n`);
    assertMatch(await control.line() ?? "", /^PING \d+$/);
    await control.say("PONG something else\n");
    assertEquals(await control.rest(), 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="PONG timeout"\n');
    assert(await older.control.isQuiet());
    assertEquals(bridge.sessions.map((session) => session.id), ["two"]);
  }));

Deno.test("i2pd: never sends PING", () =>
  withBridge({ pingInterval: 20 }, async (bridge) => {
    assert(await (await Probe.greet(bridge, "3.3")).isQuiet());
  }));
