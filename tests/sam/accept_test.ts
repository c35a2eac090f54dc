import { assertEquals, assertRejects } from "@std/assert";
import { encodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { acceptStream, parseCallerLine } from "../../lib/sam/accept.ts";
import { SamError, type SamFailure } from "../../lib/sam/error.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { pureTest } from "../support/pure.ts";

/** A destination with an Ed25519 key: 384 bytes of keys, and a certificate of 7. */
const DESTINATION = Uint8Array.of(...new Uint8Array(384).map((_, i) => i), 5, 0, 4, 0, 7, 0, 0);
const BASE64 = encodeI2pBase64(DESTINATION);
const HASH = new Uint8Array(32).map((_, i) => 255 - i);

pureTest("the line in front of a stream names the caller, and the port where the router has it", async () => {
  const caller = await b32Address(DESTINATION);
  assertEquals(BASE64.length, 524);
  const lines: [string, string, number | undefined][] = [
    [BASE64, caller, undefined],
    [`${BASE64} FROM_PORT=0 TO_PORT=0`, caller, 0],
    [`${BASE64} FROM_PORT=7 TO_PORT=65535`, caller, 65_535],
    [`${BASE64} TO_PORT=80x`, caller, undefined],
    [encodeI2pBase64(HASH), `${encodeI2pBase32(HASH)}.b32.i2p`, undefined],
  ];
  for (const [line, b32, toPort] of lines) assertEquals(await parseCallerLine(line), { caller: b32, toPort }, line);
});

pureTest("what is no such line is an error", async () => {
  const lines: [string, SamFailure][] = [
    ["", "garbled"],
    ["nobody", "garbled"],
    [BASE64.slice(0, -4), "garbled"],
    ["STREAM STATUS RESULT=OK", "garbled"],
    ["STREAM STATUS RESULT=I2P_ERROR MESSAGE=no", "refused"],
    ['SESSION STATUS RESULT=I2P_ERROR MESSAGE="Already accepting"', "refused"],
  ];
  for (const [line, failure] of lines) {
    const error = await assertRejects(() => parseCallerLine(line), SamError);
    assertEquals([error.phase, error.failure], ["accept", failure], line);
  }
});

/** What follows STREAM ACCEPT, with what was read behind it. */
const ANSWERS: readonly [string, string, string][] = [
  ["in order", `STREAM STATUS RESULT=OK\n${BASE64}\nhello`, "hello"],
  ["i2pd, where somebody has waited already", `${BASE64}\nSTREAM STATUS RESULT=OK\nhello`, "hello"],
  ["with a PING between", `STREAM STATUS RESULT=OK\nPING 1\n${BASE64}\n`, ""],
];

for (const [what, answer, behind] of ANSWERS) {
  Deno.test(`an accepted stream: ${what}`, async () => {
    await using bridge = await startSamBridge({
      intercept: async (line, socket) => {
        if (!line.startsWith("STREAM ACCEPT")) return false;
        await socket.write(answer);
        return true;
      },
    });
    let told = 0;
    const { conn, early, caller } = await acceptStream(
      { hostname: "127.0.0.1", port: bridge.port },
      "id",
      new AbortController().signal,
      { onWaiting: () => told++ },
    );
    conn.close();
    assertEquals([caller, told], [await b32Address(DESTINATION), 1]);
    assertEquals(new TextDecoder().decode(early), behind);
    assertEquals(bridge.lines.filter((line) => /^(HELLO|STREAM)/.test(line)), [
      "HELLO VERSION MIN=3.1 MAX=3.2",
      "STREAM ACCEPT ID=id SILENT=false",
    ]);
  });
}

Deno.test("the wait ends with its signal, and SAM 3.2 is asked for where ports are wanted", async () => {
  await using bridge = await startSamBridge({
    intercept: (line, socket) =>
      line.startsWith("STREAM ACCEPT") && socket.write("STREAM STATUS RESULT=OK\n").then(() => true),
  });
  const stop = new AbortController();
  const reason = new Error("enough");
  const endpoint = { hostname: "127.0.0.1", port: bridge.port };
  const waiting = (): void => stop.abort(reason);
  const error = await assertRejects(
    () => acceptStream(endpoint, "id", stop.signal, { onWaiting: waiting }),
    Error,
    "enough",
  );
  assertEquals(error, reason);
  assertEquals(bridge.lines[0], "HELLO VERSION MIN=3.1 MAX=3.2");
});
