import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { encode } from "../support/bytes.ts";
import { proxyCommand, runCommand } from "../support/command.ts";
import { e2eTest, findI2pd } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { type PrivateNet, startPrivateNet } from "./private_net.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import {
  type Continuation,
  converse,
  greeting,
  login,
  type Message,
  raw,
  request4,
  request5,
  together,
} from "../clients/socks_exchange.ts";

/** The version whose answers the tables hold. */
const VERSION = "2.45.1";

/** Milliseconds for a handshake, as i2p-socks is told here; i2pd has no such limit. */
const HANDSHAKE_TIMEOUT = 10_000;

/** Milliseconds without a byte: for an answer, and where none is expected. i2pd looks for a lease set for 5 s. */
const PATIENCE = { answer: 60_000, silence: 9_000 };

/** Its answer takes a second, so a client that ends its side behind it has done so long before the answer is whole. */
const PAYLOAD = encode("GET /slow/10 HTTP/1.1\r\nHost: site.i2p\r\nConnection: close\r\n\r\n");

/** A request, and what is answered to it: see `converse()`. */
interface Row {
  name: string;
  messages: readonly Message[];
  i2pd: string;
  ours: string;
  /** Why ours is right, where the answers differ. */
  because?: string;
}

const CLEARNET = "names are a supported type; what is outside I2P is not allowed, for which RFC 1928 §6 has 02";
const CASE = "host names do not depend on case (RFC 4343), and address books are in lower case";
const DOT = "a name with its trailing dot is the same name (RFC 1034 §3.1)";
const ALT = ".i2p.alt is how .i2p is written outside I2P (RFC 9476)";
const COMMAND = "RFC 1928 §6 has a code for it: 07, command not supported";
const TYPE = "RFC 1928 §6 has a code for it: 08, address type not supported";
const TIME = "a client that does not go on is let go of after --handshake-timeout, or it would hold its place for ever";
const LOGIN = "a login is an identity (RFC 1929, --isolate auth); i2pd 2.45.1 knows no login";
const HTTP = "who gave a browser this port as its HTTP proxy is told so";
const ANSWER = "a failure is answered (RFC 1928 §6), whatever the name is; i2pd reads on or trips over short names";
const HALF_CLOSED = "a client that ends its side behind its request still reads the answer";

Deno.test("each listed difference from i2pd's SOCKS is one, and nothing is listed twice", () => {
  const b32 = `${"a".repeat(52)}.b32.i2p`;
  const rows = tableOf({ siteB32: b32, siteName: "site.i2p" });
  assertEquals(new Set(rows.map(({ name }) => name)).size, rows.length);
  for (const { name, i2pd, ours, because } of rows) {
    if (because === undefined) assertEquals(i2pd, ours, name);
    else assertNotEquals(i2pd, ours, name);
    // What nobody answers would be alike in any two programs that do not work.
    assert(ours !== "" && !ours.includes("silent") && !ours.includes("reset"), name);
  }
});

e2eTest("the same requests to i2pd's SOCKS and to i2p-socks on the same router", ["i2pd"], async (t) => {
  await using net = await startPrivateNet();
  const port = freePort();
  await using proxy = spawnProxy(proxyCommand([
    ...["--listen", `127.0.0.1:${port}`, "--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions],
    ...["--handshake-timeout", `${HANDSHAKE_TIMEOUT}ms`],
  ]));
  // It listens before it has a session, so the answers come while the router builds tunnels.
  await proxy.waitFor("stderr", /Asking the router/);
  const rows = tableOf(net);
  const [theirs, ours] = await Promise.all([
    askAll(net.socksPort, rows, "i2pd"),
    askAll(port, rows, "ours"),
  ]);

  const version = await i2pdVersion();
  for (const [i, row] of rows.entries()) {
    await t.step(row.name, () => {
      assertEquals(ours[i], row.ours, "i2p-socks");
      if (version === VERSION) assertEquals(theirs[i], row.i2pd, `i2pd; ${row.because ?? "both answered alike"}`);
    });
  }
  await t.step({
    name: `i2pd ${version}` + (version === VERSION ? "" : ` [its answers ignored: the table has those of ${VERSION}]`),
    ignore: version !== VERSION,
    fn: () => {},
  });
  assertEquals(await proxy.stop(), 143);
});

/** Every request, its answer where both answer alike, both answers and a reason where they do not. */
function tableOf(net: Pick<PrivateNet, "siteB32" | "siteName">): Row[] {
  return [...requests5(net), ...handshakes5(net), ...requests4(net), ...others(net)];
}

/** SOCKS5 without a login, all through the same greeting. */
function requests5({ siteB32, siteName }: Pick<PrivateNet, "siteB32" | "siteName">): Row[] {
  const [page, unreachable] = ["method 00, reply 00, page", "method 00, reply 04, closed"];
  const [noType, noCommand] = ["method 00, reply 08, closed", "method 00, reply 07, closed"];
  const [notAllowed, failure] = ["method 00, reply 02, closed", "method 00, reply 01, closed"];
  const ask = (host: string, more: { port?: number; command?: number } = {}): Message[] => [
    greeting(0),
    request5({ host, port: 80, as: "name", ...more }),
  ];
  const ip = (host: string, command = 1): Message[] => [greeting(0), request5({ host, port: 0, command })];
  const bytes = (...request: number[]): Message[] => [greeting(0), raw(request, "reply5")];
  return [
    alike("5: base32", ask(siteB32), page),
    alike("5: name", ask(siteName), page),
    alike("5: port 0", ask(siteB32, { port: 0 }), page),
    alike("5: port 65535", ask(siteB32, { port: 65535 }), page),
    alike("5: unknown name", ask("no-such-name.i2p"), unreachable),
    alike("5: base32 of nobody", ask(`${"a".repeat(52)}.b32.i2p`), unreachable),
    alike("5: base32 with a digit that it has not", ask(`${"1".repeat(52)}.b32.i2p`), unreachable),
    alike("5: base32 of 3 characters", ask("abc.b32.i2p"), unreachable),
    alike("5: base32 of 53 characters", ask(`${"a".repeat(53)}.b32.i2p`), unreachable),
    alike("5: base32 of an encrypted lease set, damaged", ask(`${"a".repeat(56)}.b32.i2p`), unreachable),
    alike("5: base32 of 0 characters", ask(".b32.i2p"), unreachable),
    alike("5: subdomain of base32", ask(`www.${siteB32}`), unreachable),
    alike("5: .i2p alone", ask(".i2p"), unreachable),
    alike("5: name of 255 characters", ask(`${"a".repeat(251)}.i2p`), unreachable),
    alike("5: name with a space", ask("si te.i2p"), unreachable),
    alike("5: name with NUL", ask("site\0.i2p"), unreachable),
    alike("5: name in UTF-8", ask("\xc3\xa4.i2p"), unreachable),
    differ("5: name in upper case", ask("SITE.i2p"), unreachable, page, CASE),
    differ("5: name and .I2P in upper case", ask(siteName.toUpperCase()), noType, page, CASE),
    differ("5: base32 in upper case", ask(siteB32.replace(/^\w+/, upperCase)), unreachable, page, CASE),
    differ("5: base32 and .B32.I2P in upper case", ask(siteB32.toUpperCase()), noType, page, CASE),
    differ("5: trailing dot", ask(`${siteName}.`), noType, page, DOT),
    differ("5: .i2p.alt", ask(`${siteName}.alt`), noType, page, ALT),
    differ("5: clearnet name", ask("example.com"), noType, notAllowed, CLEARNET),
    differ("5: clearnet name of 255 characters", ask(`${"a".repeat(251)}.com`), noType, notAllowed, CLEARNET),
    differ("5: localhost", ask("localhost"), noType, notAllowed, CLEARNET),
    differ("5: name with a port in it", ask(`${siteName}:80`), noType, notAllowed, CLEARNET),
    differ("5: name of 3 characters", ask("abc"), "method 00, silent", notAllowed, ANSWER),
    differ("5: name of 1 character", ask("a"), "method 00, silent", notAllowed, ANSWER),
    differ("5: name of 0 characters", ask(""), "method 00, silent", unreachable, ANSWER),
    alike("5: IPv4", ip("93.184.216.34"), noType),
    alike("5: IPv4 of this machine", ip("127.0.0.1"), noType),
    alike("5: IPv6", ip("2001:db8::1"), noType),
    alike("5: IPv4 as a name", ask("93.184.216.34"), noType),
    alike("5: IPv6 as a name", ask("2001:db8::1"), noType),
    alike("5: BIND", ask(siteB32, { command: 2 }), noCommand),
    alike("5: UDP ASSOCIATE", ip("0.0.0.0", 3), noCommand),
    alike("5: UDP ASSOCIATE with a name", ask(siteB32, { command: 3 }), noCommand),
    differ("5: command 0", ask(siteB32, { command: 0 }), failure, noCommand, COMMAND),
    differ("5: command 9", ask(siteB32, { command: 9 }), failure, noCommand, COMMAND),
    differ("5: Tor's RESOLVE", ask(siteB32, { command: 0xf0 }), failure, noCommand, COMMAND),
    differ("5: address type 0", bytes(5, 1, 0, 0, 1, 2, 3, 4, 0, 80), failure, noType, TYPE),
    differ("5: address type 9", bytes(5, 1, 0, 9, 1, 2, 3, 4, 0, 80), failure, noType, TYPE),
    alike("5: version 4 in the request", bytes(4, 1, 0, 3, 1, 97, 0, 80), failure),
    differ(
      "5: reserved byte 1",
      bytes(5, 1, 1, 3, siteB32.length, ...encode(siteB32), 0, 80),
      failure,
      page,
      "RFC 1928 §4 tells clients to send 0, not servers to look at it; Tor and Java I2P do not",
    ),
  ];
}

/** SOCKS5: methods, logins, and how the bytes come. */
function handshakes5({ siteB32: host }: Pick<PrivateNet, "siteB32">): Row[] {
  const request = request5({ host, port: 80 });
  const page = "method 00, reply 00, page";
  const withLogin = "method 02, login 00, reply 00, page";
  return [
    alike("5: payload behind the request", [greeting(0), withPayload(request)], page),
    alike("5: greeting, request and payload at once", [withPayload(greeting(0), request)], page),
    alike("5: byte by byte", [{ ...greeting(0), slowly: true }, { ...request, slowly: true }], page),
    alike("5: methods 00 and 01", [greeting(0, 1), request], page),
    alike("5: methods 01 and 00", [greeting(1, 0), request], page),
    alike("5: 255 times method 00", [greeting(...Array(255).fill(0)), request], page),
    alike("5: method 01 alone", [greeting(1)], "method ff, closed"),
    alike("5: methods 03 and 80", [greeting(3, 0x80)], "method ff, closed"),
    differ(
      "5: no method",
      [greeting()],
      "silent",
      "method ff, closed",
      "nothing is acceptable, so it is FF (RFC 1928 §3)",
    ),
    differ("5: method 02 alone", [greeting(2), login("u", "p"), request], "method ff, closed", withLogin, LOGIN),
    differ("5: an empty login", [greeting(2), login("", ""), request], "method ff, closed", withLogin, LOGIN),
    differ("5: methods 00 and 02", [greeting(0, 2), login("v", "p"), request], page, withLogin, LOGIN),
    differ("5: methods 02 and 00", [greeting(2, 0), login("w", "p"), request], page, withLogin, LOGIN),
    differ(
      "5: login of version 5",
      [greeting(2), raw([5, 1, 97, 1, 97], "login")],
      "method ff, closed",
      "method 02, closed",
      LOGIN,
    ),
    alike("5: end behind the greeting", [{ ...greeting(0), last: true }], "method 00, closed"),
    differ("5: greeting and no more", [greeting(0), raw([], "reply5")], "method 00, silent", "method 00, closed", TIME),
    differ(
      "5: half a request",
      [greeting(0), raw([5, 1, 0, 3, 9, 97], "reply5")],
      "method 00, silent",
      "method 00, closed",
      TIME,
    ),
    differ(
      "5: end behind the payload",
      [greeting(0), { ...withPayload(request), last: true }],
      "method 00, reply 00, closed",
      page,
      HALF_CLOSED,
    ),
  ];
}

/** SOCKS 4 and 4a. */
function requests4({ siteB32, siteName }: Pick<PrivateNet, "siteB32" | "siteName">): Row[] {
  const [page, rejected] = ["reply 5a, page", "reply 5b, closed"];
  const ask = (host: string, more: { port?: number; command?: number; userId?: string } = {}): Message[] => [
    request4({ host, port: 80, as: "name", ...more }),
  ];
  const early = withPayload(request4({ host: siteB32, port: 80 }));
  return [
    alike("4a: base32", ask(siteB32), page),
    alike("4a: name", ask(siteName), page),
    alike("4a: port 0", ask(siteB32, { port: 0 }), page),
    alike("4a: user id", ask(siteB32, { userId: "x" }), page),
    alike("4a: user id of 255 characters", ask(siteB32, { userId: "x".repeat(255) }), page),
    differ(
      "4a: user id of 256 characters",
      ask(siteB32, { userId: "x".repeat(256) }),
      page,
      rejected,
      "what has no end is refused; a login of SOCKS5 has as many at most",
    ),
    alike("4a: payload behind the request", [early], page),
    differ("4a: end behind the payload", [{ ...early, last: true }], "reply 5a, closed", page, HALF_CLOSED),
    alike("4a: byte by byte", ask(siteB32).map((message) => ({ ...message, slowly: true })), page),
    alike("4a: unknown name", ask("no-such-name.i2p"), rejected),
    alike("4a: base32 of nobody", ask(`${"a".repeat(52)}.b32.i2p`), rejected),
    alike("4a: damaged base32", ask(`${"1".repeat(52)}.b32.i2p`), rejected),
    alike("4a: clearnet name", ask("example.com"), rejected),
    alike("4a: name of 256 characters", ask(`${"a".repeat(252)}.i2p`), rejected),
    alike("4a: name of 3 characters", ask("abc"), rejected),
    alike("4a: name of 0 characters", ask(""), rejected),
    differ("4a: name in upper case", ask(siteName.toUpperCase()), rejected, page, CASE),
    differ("4a: trailing dot", ask(`${siteName}.`), rejected, page, DOT),
    alike("4a: BIND", ask(siteB32, { command: 2 }), rejected),
    alike("4a: command 9", ask(siteB32, { command: 9 }), rejected),
    alike("4: IPv4", [request4({ host: "93.184.216.34", port: 80 })], rejected),
    alike("4: 0.0.0.0", [request4({ host: "0.0.0.0", port: 80 })], rejected),
    differ("4: user id without an end", [raw([4, 1, 0, 80, 0, 0, 0, 1, 97], "reply4")], "silent", "closed", TIME),
    differ("4a: name without an end", [raw([4, 1, 0, 80, 0, 0, 0, 1, 0, 97], "reply4")], "silent", "closed", TIME),
  ];
}

/** What is no SOCKS. */
function others({ siteName }: Pick<PrivateNet, "siteName">): Row[] {
  const say = (text: Iterable<number>): Message[] => [raw(text, "method")];
  const http = (method: string, target: string): Message[] =>
    say(encode(`${method} ${target} HTTP/1.1\r\nHost: ${siteName}\r\n\r\n`));
  return [
    alike("version 0", say([0, 0]), "closed"),
    alike("version 6", say([6, 1, 0]), "closed"),
    alike("TLS", say([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), "closed"),
    differ("HTTP GET", http("GET", `http://${siteName}/`), "closed", "HTTP 400, closed", HTTP),
    differ("HTTP CONNECT", http("CONNECT", `${siteName}:80`), "closed", "HTTP 400, closed", HTTP),
    differ("one byte", say([5]), "silent", "closed", TIME),
    differ("no byte", say([]), "silent", "closed", TIME),
  ];
}

function alike(name: string, messages: readonly Message[], answer: string): Row {
  return { name, messages, i2pd: answer, ours: answer };
}

function differ(name: string, messages: readonly Message[], i2pd: string, ours: string, because: string): Row {
  return { name, messages, i2pd, ours, because };
}

async function askAll(port: number, rows: readonly Row[], who: "i2pd" | "ours"): Promise<string[]> {
  const then: Continuation = { payload: PAYLOAD, token: "line 10 of 10", patience: PATIENCE.answer };
  return await Promise.all(rows.map((row) => {
    const patience = row[who].includes("silent") ? PATIENCE.silence : PATIENCE.answer;
    return converse(port, row.messages, { ...then, patience });
  }));
}

/** Messages and the payload in one segment. */
function withPayload(...messages: readonly Message[]): Message {
  return { ...together(...messages, raw(PAYLOAD)), hasPayload: true };
}

function upperCase(text: string): string {
  return text.toUpperCase();
}

async function i2pdVersion(): Promise<string> {
  const { stdout } = await runCommand(findI2pd() ?? "i2pd", ["--version"]);
  return /version (\S+)/.exec(stdout)?.[1] ?? stdout;
}
