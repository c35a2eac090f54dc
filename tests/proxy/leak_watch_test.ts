import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { LeakMode, ScrubProtocol } from "../../lib/config/choices.ts";
import { concat, encode as bytes } from "../support/bytes.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { until } from "../support/wait.ts";

const text = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

const GET = "GET / HTTP/1.1\r\nHost: service.i2p\r\n";
const LEAKY = `${GET}User-Agent: Mozilla/5.0 (X11; Ubuntu; Linux x86_64)\r\n\r\n`;
const CLEAN = `${GET}User-Agent: curl/8.5.0\r\n\r\n`;

/** A harness whose service keeps all that it gets, and answers each chunk with a dot. */
async function startGuarded(
  mode: LeakMode,
  scrub: readonly ScrubProtocol[] = [],
  greeting = "",
): Promise<Harness & { got: () => string }> {
  let got = "";
  const harness = await startHarness({
    leaks: {
      mode,
      scrub,
      identifiers: { addresses: ["10.1.2.3"], hostName: "wobbegong", userName: "alicia", secrets: ["hunter2"] },
    },
    service: async (conn) => {
      if (greeting !== "") await writeAll(conn, bytes(greeting));
      const buffer = new Uint8Array(65_536);
      for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
        got += text(buffer.subarray(0, count));
        await conn.write(bytes("."));
      }
    },
  });
  return Object.assign(harness, { got: () => got });
}

/** Sends chunks, each after the service has answered the one before; returns whether the stream was still open. */
async function send(harness: Harness, chunks: readonly string[]): Promise<boolean> {
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80);
  assertEquals(reply.code, 0);
  const buffer = new Uint8Array(1024);
  try {
    for (const chunk of chunks) {
      await writeAll(conn, bytes(chunk));
      if (await conn.read(buffer) === null) return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    conn.close();
  }
}

const warnings = (harness: Harness): string[] => harness.log.filter((line) => line.includes(" warn "));

Deno.test("warn lets everything pass, and tells of each kind of leak once, without the leaked words", async () => {
  await using harness = await startGuarded("warn");
  for (const chunk of [LEAKY, CLEAN, LEAKY, "my name is Alicia on wobbegong at 10.1.2.3, hunter2\n"]) {
    assert(await send(harness, [chunk]));
  }
  assertEquals(harness.got(), `${LEAKY}${CLEAN}${LEAKY}my name is Alicia on wobbegong at 10.1.2.3, hunter2\n`);
  const kinds = warnings(harness).map((line) => /leak=(\S+)/.exec(line)?.[1]);
  assertEquals(kinds.toSorted(), ["http-user-agent", "own-address", "own-host-name", "own-user-name", "secret"]);
  assertEquals(harness.counters.get("leak-http-user-agent"), 2);
  const told = harness.log.join("\n");
  for (const word of ["Ubuntu", "alicia", "Alicia", "wobbegong", "10.1.2.3", "hunter2"]) {
    assert(!told.includes(word), word);
  }
});

Deno.test("block ends the stream before the bytes that complete a leak, and tells why each time", async () => {
  await using harness = await startGuarded("block");
  assert(await send(harness, [CLEAN]));
  assertEquals(await send(harness, [LEAKY]), false);
  assertEquals(await send(harness, ["all is well\n", "the secret is hun", "ter2\n"]), false);
  assertEquals(harness.got(), `${CLEAN}all is well\nthe secret is hun`);
  assertEquals(warnings(harness).filter((line) => line.includes("Ended a stream")).length, 2);
  await send(harness, [LEAKY]);
  assertEquals(warnings(harness).filter((line) => line.includes("leak=http-user-agent")).length, 2);
});

Deno.test("block refuses a client whose early data gives something away, with a reply", async () => {
  await using harness = await startGuarded("block");
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80, { early: bytes(LEAKY) });
  assertEquals(reply.code, 2);
  assertEquals((await readToEnd(conn)).length, 0);
  conn.close();
  assertEquals([harness.got(), harness.counters.get("refused-leak")], ["", 1]);
});

Deno.test("off looks at nothing", async () => {
  await using harness = await startGuarded("off");
  assert(await send(harness, [LEAKY, "hunter2"]));
  assertEquals(warnings(harness), []);
  assertEquals(harness.got(), `${LEAKY}hunter2`);
});

Deno.test("scrub rewrites what gives something away, whatever the mode, and then nothing is left to tell", async () => {
  for (const mode of ["off", "warn", "block"] as const) {
    await using harness = await startGuarded(mode, ["irc", "http"]);
    assert(await send(harness, [LEAKY]));
    assertStringIncludes(harness.got(), "User-Agent: MYOB/6.66 (AN/ON)\r\n");
    assert(!harness.got().includes("Ubuntu"));
    assert(
      await send(harness, [
        "NICK kim\r\nUSER bob 0 * :Bob Miller\r\n",
        "NOTICE x :\x01VERSION irssi\x01\r\nPING 1\r\n",
      ]),
    );
    assert(!/Miller|VERSION/.test(harness.got()), harness.got());
    assertStringIncludes(harness.got(), "NICK kim\r\n");
    assertStringIncludes(harness.got(), "PING 1\r\n");
    assertEquals(warnings(harness), []);
  }
});

Deno.test("A protocol of lines is looked at for as long as it lasts, other streams at their beginning only", async () => {
  await using harness = await startGuarded("warn");
  const filler = `PRIVMSG #x :${"a".repeat(400)}\r\n`;
  const lines = ["NICK kim\r\nUSER kim 0 * :kim\r\n", ...Array<string>(100).fill(filler)];
  assert(await send(harness, [...lines, "NOTICE x :\x01VERSION irssi 1.4 on Linux\x01\r\n"]));
  assertEquals(harness.counters.get("leak-irc-ctcp"), 1);
  assert(await send(harness, ["\x00\x01binary ".repeat(4_000), "hunter2"]));
  assertEquals(harness.counters.get("leak-secret"), 0);
});

Deno.test("Where the server speaks first, its greeting tells the protocol", async () => {
  await using harness = await startGuarded("warn", [], "220 mail.i2p ESMTP\r\n");
  const { conn } = await socksConnect(harness.port, harness.name, 25);
  await conn.read(new Uint8Array(100));
  await writeAll(conn, bytes("EHLO wobbegong.example.com\r\n"));
  await until("it is seen", () => harness.counters.get("leak-mail-hello") === 1);
  conn.close();
});

Deno.test("The same cookie on two sites is told, on one site it is not", async () => {
  await using harness = await startGuarded("warn");
  const cookie = `${GET}Cookie: session=0123456789abcdef\r\n\r\n`;
  assert(await send(harness, [cookie]));
  assert(await send(harness, [cookie]));
  assertEquals(harness.counters.get("leak-http-cookie"), 0);
  const { reply, conn } = await socksConnect(harness.port, harness.b32, 80);
  assertEquals(reply.code, 0);
  await writeAll(conn, bytes(cookie));
  await until("it is seen", () => harness.counters.get("leak-http-cookie") === 1);
  conn.close();
});

Deno.test("At the door, IP addresses and clearnet names are explained once for each kind", async () => {
  await using harness = await startGuarded("warn");
  for (const host of ["93.184.216.34", "example.com", "93.184.216.34", "example.com", "2001:db8::1"]) {
    const { conn } = await socksConnect(harness.port, host, 80);
    conn.close();
  }
  await until("all are refused", () => harness.counters.get("refused-ip") === 3);
  const told = warnings(harness);
  assertEquals(told.length, 2);
  assertMatch(told.join("\n"), /leak=dns fix=.*--socks5-hostname/);
  assertMatch(told.join("\n"), /leak=clearnet/);
});

Deno.test("One question for an IP address is written to the log as what it is, and not as a leak", async () => {
  await using harness = await startGuarded("warn");
  const { conn } = await socksConnect(harness.port, "93.184.216.34", 80);
  conn.close();
  await until("it is refused", () => harness.log.some((line) => line.includes("Blocked: ")));
  assertEquals([warnings(harness), harness.counters.get("sign-dns")], [[], 0]);
  assertMatch(harness.log.join("\n"), / info +The application asked for an IP address: .* fix=/);
});

Deno.test("block holds back the end of a word until what follows decides about it", async () => {
  await using harness = await startGuarded("block");
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80);
  assertEquals(reply.code, 0);
  await writeAll(conn, bytes("name: alicia"));
  await until("the words before have come", () => harness.got() === "name: ");
  await writeAll(conn, bytes("ns\n"));
  await until("the rest has come", () => harness.got() === "name: alicians\n");
  await writeAll(conn, bytes("name: alicia"));
  await conn.closeWrite();
  await until("it is ended", () => harness.counters.get("leak-own-user-name") === 1);
  await until("what came before it has come", () => harness.got().length > "name: alicians\n".length);
  assertEquals(harness.got(), "name: alicians\nname: ");
  conn.close();
});

Deno.test("scrub ends a stream that it cannot understand, in any mode, and says why", async () => {
  for (const mode of ["off", "warn", "block"] as const) {
    await using harness = await startGuarded(mode, ["http"]);
    const head = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assertEquals(await send(harness, [CLEAN, head]), false);
    assert(!harness.got().includes("POST"), harness.got());
    assertEquals(harness.counters.get("leak-http-unreadable"), 1);
    assertMatch(warnings(harness).join("\n"), /cannot be looked at: .* leak=http-unreadable/);
  }
});

Deno.test("scrub reaches a head that a site has made long", async () => {
  await using harness = await startGuarded("block", ["http"]);
  const long = LEAKY.replace("GET /", `GET /${"x".repeat(17_000)}`);
  assert(await send(harness, [long]));
  const { conn } = await socksConnect(harness.port, harness.name, 80);
  for (const piece of [CLEAN, long.slice(0, 10_000), long.slice(10_000), LEAKY]) await writeAll(conn, bytes(piece));
  await until("all has come", () => harness.got().split("\r\n\r\n").length === 5);
  conn.close();
  assert(!harness.got().includes("Ubuntu"));
  assertEquals(harness.got().split("MYOB").length - 1, 4);
});

Deno.test("Bulk goes byte for byte through a guard that rewrites", async () => {
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const all = concat(...Array<Uint8Array>(40).fill(sent));
  await using harness = await startHarness({ leaks: { mode: "block", scrub: ["irc", "http"] } });
  const { conn } = await socksConnect(harness.port, harness.name, 80);
  const writing = writeAll(conn, all);
  const received = new Uint8Array(all.length);
  for (let at = 0; at < received.length;) {
    const count = await conn.read(received.subarray(at));
    assert(count !== null, `it ended after ${at} bytes`);
    at += count;
  }
  await writing;
  conn.close();
  assertEquals(received, all);
});

Deno.test("A body in a write of its own is looked at, however long it says it is", async () => {
  await using harness = await startGuarded("block");
  const post = `POST / HTTP/1.1\r\nHost: service.i2p\r\nContent-Length: 20000\r\n\r\n`;
  assertEquals(await send(harness, [post, "the secret is hunter2"]), false);
  assertEquals(harness.got(), post);
});

Deno.test("IRC is known by its client, whatever the server says first", async () => {
  await using harness = await startGuarded("block", [], ":irc.x.i2p 020 * :Please wait\r\n");
  const { conn } = await socksConnect(harness.port, harness.name, 6667);
  await conn.read(new Uint8Array(100));
  for (const line of ["PASS secret\r\n", "NICK bob\r\n", "USER alice myhost x :Alice Real Name\r\n"]) {
    await writeAll(conn, bytes(line));
    await conn.read(new Uint8Array(1)).catch(() => null);
  }
  await until("it is seen", () => harness.counters.get("leak-irc-user") === 1);
  assert(!harness.got().includes("Real Name"));
  conn.close();
});

Deno.test("A site asked for by its GarliCat address is no other site", async () => {
  await using harness = await startGuarded("block");
  const guard = `GET / HTTP/1.1\r\nHost: [fd60:db4d:ddb5::1]\r\n\r\n`;
  assert(await send(harness, [guard]));
});

Deno.test("requests for one and the same IP address are no DNS leak, and those for another one are", async () => {
  await using harness = await startGuarded("warn");
  const ask = async (host: string): Promise<void> => {
    const { reply, conn } = await socksConnect(harness.port, host, 80);
    assertEquals(reply.code, 8);
    conn.close();
  };
  for (let i = 0; i < 3; i++) await ask("192.0.2.1");
  assertEquals(harness.counters.get("sign-dns"), 0);
  await ask("192.0.2.2");
  assertEquals(harness.counters.get("sign-dns"), 1);
});
