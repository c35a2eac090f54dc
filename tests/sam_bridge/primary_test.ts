import { assertEquals } from "@std/assert";
import { Probe, withBridge } from "./probe.ts";

const PRIMARY = "SESSION CREATE STYLE=PRIMARY ID=main DESTINATION=TRANSIENT SIGNATURE_TYPE=7";
const OK = /^SESSION STATUS RESULT=OK DESTINATION=/;

/** What is wrong with a subsession, and what Java I2P says to it. */
const REFUSED: readonly [string, string, string][] = [
  ["STYLE=STREAM ID=s", "s", "Duplicate ID s"],
  ["STYLE=STREAM ID=main", "main", "Duplicate ID main"],
  ["STYLE=STREAM ID=t", "t", "Duplicate protocol 6 and port 0"],
  ["STYLE=DATAGRAM ID=d HOST=127.0.0.1 PORT=9 DESTINATION=TRANSIENT", "d", "SESSION ADD may not contain DESTINATION"],
  ["STYLE=DATAGRAM ID=d HOST=127.0.0.1", "d", "DATAGRAM subsession must specify PORT"],
  ["STYLE=DATAGRAM2 ID=d HOST=127.0.0.1 PORT=9", "d", "Unrecognized SESSION STYLE DATAGRAM2"],
];

Deno.test("java: a PRIMARY session takes subsessions, which have its destination and end with it", () =>
  withBridge({ manners: "java", udp: true }, async (bridge) => {
    const control = await Probe.greet(bridge, "3.3");
    await control.expect(PRIMARY, OK);
    await control.expect("SESSION ADD STYLE=STREAM ID=s", 'SESSION STATUS RESULT=OK ID="s" MESSAGE="ADD s"');
    for (const [pairs, id, message] of REFUSED) {
      await control.expect(`SESSION ADD ${pairs}`, `SESSION STATUS RESULT=I2P_ERROR ID="${id}" MESSAGE="${message}"`);
    }
    const added = 'SESSION STATUS RESULT=OK ID="d" MESSAGE="ADD d"';
    await control.expect("SESSION ADD STYLE=DATAGRAM ID=d HOST=127.0.0.1 PORT=9", added);
    assertEquals(bridge.sessions.map(({ id, style }) => [id, style]), [["main", "PRIMARY"]]);
    const caller = await Probe.session(bridge, "caller");
    const accepting = await Probe.accepting(bridge, "s");
    const main = await Probe.greet(bridge);
    await main.expect("STREAM ACCEPT ID=main", "STREAM STATUS RESULT=OK");
    assertEquals(await main.line(), 'STREAM STATUS RESULT=ALREADY_ACCEPTING MESSAGE="primary session"');
    const notOne = 'STREAM STATUS RESULT=I2P_ERROR MESSAGE="specified ID d is not a STREAM session"';
    await Probe.ask(bridge, "STREAM CONNECT ID=d DESTINATION=x.i2p", notOne);
    const calling = await Probe.greet(bridge);
    const b32 = bridge.sessions[0]?.b32 ?? "";
    await calling.expect(`STREAM CONNECT ID=caller DESTINATION=${b32}`, "STREAM STATUS RESULT=OK");
    assertEquals(await accepting.line(), caller.destination);
    await control.close();
    assertEquals(await accepting.rest(), "");
    const gone = 'STREAM STATUS RESULT=INVALID_ID MESSAGE="STREAM SESSION ID s does not exist"';
    await Probe.ask(bridge, "STREAM ACCEPT ID=s", gone);
  }));

Deno.test("java: a PRIMARY session has no ports of its own, and only such a one takes subsessions", () =>
  withBridge({ manners: "java", udp: true, laterStyles: ["DATAGRAM2"] }, async (bridge) => {
    const control = await Probe.greet(bridge, "3.3");
    for (const key of ["PORT", "HOST", "FROM_PORT", "TO_PORT", "PROTOCOL", "LISTEN_PORT", "LISTEN_PROTOCOL"]) {
      const refused = `SESSION STATUS RESULT=I2P_ERROR MESSAGE="PRIMARY session options may not contain ${key}"`;
      await control.expect(`${PRIMARY} ${key}=1`, refused);
    }
    await control.expect(PRIMARY, OK);
    for (const style of ["DATAGRAM", "DATAGRAM2"]) {
      const added = `SESSION STATUS RESULT=OK ID="${style}" MESSAGE="ADD ${style}"`;
      await control.expect(`SESSION ADD STYLE=${style} ID=${style} HOST=127.0.0.1 PORT=9`, added);
    }
    const { control: plain } = await Probe.session(bridge, "plain", "3.3");
    for (
      const [id, answer] of [["DATAGRAM", 'OK ID="DATAGRAM" MESSAGE="REMOVE DATAGRAM"'], [
        "x",
        'I2P_ERROR ID="x" MESSAGE="ID x not found"',
      ]]
    ) {
      await control.expect(`SESSION REMOVE ID=${id}`, `SESSION STATUS RESULT=${answer}`);
    }
    await control.expect("SESSION ADD STYLE=RAW ID=r", 'SESSION STATUS RESULT=OK ID="r" MESSAGE="ADD r"');
    await control.expect("SESSION ADD STYLE=STREAM", 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="ID not specified"');
    await control.expect("SESSION ADD ID=s", 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="No SESSION STYLE specified"');
    const none = 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="Not a PRIMARY session"';
    await plain.expect("SESSION ADD STYLE=STREAM ID=x", none);
  }));

Deno.test("i2pd: a PRIMARY session is refused, and the socket closed", () =>
  withBridge({ udp: true }, async (bridge) => {
    const control = await Probe.greet(bridge, "3.3");
    await control.expect(PRIMARY, 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="Unknown STYLE"');
    assertEquals(await control.rest(), "");
    assertEquals(bridge.sessions, []);
  }));
