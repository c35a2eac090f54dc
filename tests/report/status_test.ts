import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describeSnapshot, formatBytes } from "../../lib/cli/status_table.ts";
import { headLength, parseRequestHead } from "../../lib/report/http_request.ts";
import { formatMetrics, METRICS, PROCESS_METRICS } from "../../lib/report/metrics.ts";
import { PAGE } from "../../lib/report/page.ts";
import { formatReady, isReady } from "../../lib/report/status.ts";
import { answerStatus, encodeAnswer, securityPolicy } from "../../lib/report/status_answer.ts";
import { pureTest } from "../support/pure.ts";
import { parseAnswer } from "../support/raw_http.ts";
import { README, tableUnder } from "../support/readme.ts";
import { anApplication, aSnapshot } from "../support/snapshots.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

pureTest("formatReady() says ready, or names each application that is not, with the reason", () => {
  const away = anApplication({ name: "web", ready: false, reason: "The router is gone" });
  const building = anApplication({ name: "git", ready: false, reason: "The router builds tunnels" });
  assertEquals(formatReady(aSnapshot(anApplication())), "ready\n");
  assertEquals(
    formatReady(aSnapshot(anApplication(), away, building)),
    "web: The router is gone\ngit: The router builds tunnels\n",
  );
  assertEquals(formatReady(aSnapshot()), "No application is served\n");
  assertEquals([aSnapshot(anApplication()), aSnapshot(anApplication(), away), aSnapshot()].map(isReady), [
    true,
    false,
    false,
  ]);
});

/** What a line of the text format may be, a sample with labels or without among them. */
const LABEL = String.raw`[a-z]+="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(String.raw`^(i2p_socks_[a-z_]+)(?:\{(${LABEL}(?:,${LABEL})*)\})? (-?\d+(?:\.\d+)?)$`);

/** Parses the text format strictly: HELP and TYPE once, in front of all samples of a metric, and no series twice. */
function parseMetrics(text: string): Map<string, number> {
  const series = new Map<string, number>();
  let [name, isTyped] = ["", false];
  const seen = new Set<string>();
  assert(text.endsWith("\n"));
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, of] = /^# (HELP|TYPE) (\w+) (?:gauge|counter|\S.*)$/.exec(line) ?? [];
    if (kind === "HELP") {
      assert(!seen.has(of ?? ""), line);
      seen.add(of ?? "");
      [name, isTyped] = [of ?? "", false];
    } else if (kind === "TYPE") {
      assertMatch(line, / (gauge|counter)$/);
      assertEquals(line.endsWith(" counter"), name.endsWith("_total"), line);
      assertEquals([of, isTyped], [name, false]);
      isTyped = true;
    } else {
      const [, sample = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      assertEquals([sample, isTyped], [name, true], line);
      const key = `${sample}{${labels}}`;
      assert(!series.has(key), `twice: ${key}`);
      series.set(key, Number(value));
    }
  }
  return series;
}

pureTest("formatMetrics() writes the text format of Prometheus, each series once", () => {
  const series = parseMetrics(
    formatMetrics(aSnapshot(anApplication(), anApplication({ name: 'a"\\b', ready: false }))),
  );
  const expected: Record<string, number> = {
    'i2p_socks_info{version="0.1.0"}': 1,
    "i2p_socks_start_time_seconds{}": 1_767_323_045,
    "i2p_socks_all_ready{}": 0,
    'i2p_socks_ready{application="irc"}': 1,
    [String.raw`i2p_socks_ready{application="a\"\\b"}`]: 0,
    'i2p_socks_connections{application="irc"}': 3,
    'i2p_socks_streams{application="irc"}': 2,
    'i2p_socks_streams_opened_total{application="irc"}': 10,
    'i2p_socks_sent_bytes_total{application="irc"}': 123,
    'i2p_socks_received_bytes_total{application="irc"}': 456_789,
    'i2p_socks_identities{application="irc",kind="base",state="ready"}': 1,
    'i2p_socks_identities{application="irc",kind="base",state="lost"}': 0,
    'i2p_socks_identities{application="irc",kind="group",state="lost"}': 1,
    'i2p_socks_identity_clients{application="irc",kind="group"}': 2,
    'i2p_socks_refusals_total{application="irc",reason="clearnet"}': 4,
    'i2p_socks_leaks_total{application="irc",leak="http-user-agent"}': 2,
  };
  for (const [key, value] of Object.entries(expected)) assertEquals(series.get(key), value, key);
});

const UDP = {
  associations: 2,
  sent: 7,
  received: 5,
  dropped: [{ reason: "fragment", count: 3, message: "A fragment", hint: null }],
};

pureTest("formatMetrics() has UDP only where it is switched on", () => {
  const series = parseMetrics(formatMetrics(aSnapshot(anApplication(), anApplication({ name: "game", udp: UDP }))));
  assertEquals([...series].filter(([key]) => /udp|datagrams/.test(key)), [
    ['i2p_socks_udp_associations{application="game"}', 2],
    ['i2p_socks_datagrams_total{application="game",direction="sent"}', 7],
    ['i2p_socks_datagrams_total{application="game",direction="received"}', 5],
    ['i2p_socks_datagrams_dropped_total{application="game",reason="fragment"}', 3],
  ]);
  assertEquals(/udp|datagrams/.test(formatMetrics(aSnapshot(anApplication()))), false);
});

pureTest("formatMetrics() tells applications of one name apart, and can have none", () => {
  const series = parseMetrics(formatMetrics(aSnapshot(anApplication(), anApplication({ connections: 9 }))));
  assertEquals(series.get('i2p_socks_connections{application="irc"}'), 3);
  assertEquals(series.get('i2p_socks_connections{application="irc 2"}'), 9);
  assertEquals(parseMetrics(formatMetrics(aSnapshot())).size, Object.keys(PROCESS_METRICS).length);
});

Deno.test("the README names every metric, with its type and what it is", async () => {
  const rows = tableUnder(await Deno.readTextFile(README), "Status");
  const all = { ...PROCESS_METRICS, ...METRICS };
  const expected = Object.entries(all).map(([name, { type, help }]) => [`\`${name}\``, type, help]);
  assertEquals(rows.map(([name, type, _labels, help]) => [name, type, help]), expected);
  const text = formatMetrics(aSnapshot(anApplication({ udp: UDP })));
  for (const [name = "", _type, labels = ""] of rows) {
    const found = new RegExp(`^${name.replaceAll("`", "")}(?:\\{(.*)\\})? `, "m").exec(text)?.[1] ?? "";
    assertEquals([...found.matchAll(/(\w+)=/g)].map(([, label]) => label).join(", "), labels, name);
  }
});

const PORT = 4448;

const OWN_HOSTS = ["127.0.0.1:4448", "127.0.0.1", "localhost:4448", "LocalHost", "[::1]", "[::1]:4448"];

const FOREIGN_HOSTS: readonly (string | undefined)[] = [
  ...["evil.example:4448", "127.0.0.1.evil.example", "evil.example", "localhost.", "::1", "127.0.0.2:4448", "127.1"],
  ...["127.0.0.1:80", "127.0.0.1:", "127.0.0.1:4448@evil", "localhost:4448:4448", "user@localhost", "", "0.0.0.0:4448"],
  undefined,
];

const ask = (parts: Partial<Parameters<typeof answerStatus>[0]>): ReturnType<typeof answerStatus> =>
  answerStatus(
    { method: "GET", path: "/status.json", host: "127.0.0.1:4448", origin: undefined, ...parts },
    PORT,
    () => aSnapshot(anApplication()),
  );

pureTest("answerStatus() answers hosts that mean this machine, and nobody else, whatever is asked for", () => {
  for (const host of OWN_HOSTS) assertEquals(ask({ host }).status, 200, host);
  for (const host of FOREIGN_HOSTS) {
    for (const path of ["/", "/ready", "/metrics", "/status.json", "/else"]) {
      const { status, body } = ask({ host, path });
      assertEquals(status, 403, `${host}`);
      assert(!body.includes("irc"));
    }
  }
});

pureTest("answerStatus() answers no page but its own", () => {
  for (const origin of ["http://127.0.0.1:4448", "HTTP://127.0.0.1:4448"]) assertEquals(ask({ origin }).status, 200);
  const others = ["null", "", "127.0.0.1:4448", "https://127.0.0.1:4448", "http://127.0.0.1", "http://localhost:4448"];
  for (const origin of [...others, "http://127.0.0.1:8000", "http://127.0.0.1:4448.evil.example", "http://evil.i2p"]) {
    assertEquals(ask({ origin }).status, 403, origin);
  }
});

pureTest("answerStatus() has four paths, and one method", () => {
  const types = ["/", "/ready", "/metrics", "/status.json"].map((path) => ask({ path })).map(({ status, type }) => [
    status,
    type.replace(/;.*/, ""),
  ]);
  assertEquals(types, [[200, "text/html"], [200, "text/plain"], [200, "text/plain"], [200, "application/json"]]);
  for (const path of ["/status", "/ready/", "/constructor", "/__proto__"]) {
    assertEquals(ask({ path }).status, 404, path);
  }
  for (const method of ["POST", "HEAD", "PUT", "OPTIONS", "DELETE"]) {
    const { status, headers } = ask({ method });
    assertEquals([status, headers], [405, { allow: "GET" }]);
  }
  const { status, body } = answerStatus(
    { method: "GET", path: "/ready", host: "localhost", origin: undefined },
    PORT,
    () => aSnapshot(anApplication({ ready: false, reason: "Gone" })),
  );
  assertEquals([status, body], [503, "irc: Gone\n"]);
});

Deno.test("encodeAnswer() sends what keeps answers from other pages, with every status", async () => {
  for (const [path, host] of [["/", "localhost"], ["/else", "localhost"], ["/", "evil"], ["/metrics", "localhost"]]) {
    const answer = ask({ path: path ?? "", host });
    const { status, headers, body } = parseAnswer(new TextDecoder().decode(await encodeAnswer(answer)));
    assertEquals([status, body], [answer.status, answer.body]);
    const { "content-security-policy": policy = "", "content-length": length, "content-type": _type, ...rest } =
      headers;
    assertEquals(length, `${bytes(body).length}`);
    assertMatch(policy, /^default-src 'none'; connect-src 'self'; style-src .*; frame-ancestors 'none'; /);
    assertEquals(rest, {
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "cross-origin-resource-policy": "same-origin",
      "connection": "close",
    });
  }
});

Deno.test("securityPolicy() lets in the styles and scripts of the page alone, by their hashes", async () => {
  // printf 'a{}' | openssl sha256 -binary | base64
  const policy = await securityPolicy("<style>a{}</style><SCRIPT type=module>go()</SCRIPT><script>\n</script>");
  assertStringIncludes(policy, "style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; script-src 'sha256-");
  assertEquals(policy.match(/'sha256-[^']{43}='/g)?.length, 3);
  assertEquals(new Set(policy.match(/'sha256-[^']*'/g)).size, 3);
  assertEquals(await securityPolicy(""), await securityPolicy("<p>nothing</p>"));
  assertStringIncludes(await securityPolicy(""), "style-src 'none'; script-src 'none'; base-uri 'none';");
  const own = await securityPolicy(PAGE);
  assert(!/unsafe|http|data:|\*/.test(own), own);
  assert(!/\bon[a-z]+="|style="|src="|href="(?!#)/.test(PAGE), "the policy would not let it");
});

pureTest("headLength() finds the empty line, in every fragment and with bare line feeds", () => {
  for (const head of ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n"]) {
    const all = bytes(head);
    for (let length = 0; length < all.length; length++) assertEquals(headLength(all.subarray(0, length)), undefined);
    assertEquals(headLength(all), all.length);
    assertEquals(headLength(bytes(`${head}body\r\n\r\n`)), all.length);
  }
});

pureTest("parseRequestHead() refuses a bare CR in a header, however long the header, and at once", () => {
  const head = `GET / HTTP/1.1\r\nHost: a\r\na:${" ".repeat(8_000)}\rb\r\n\r\n`;
  assertEquals(parseRequestHead(bytes(head)), undefined);
});

pureTest("parseRequestHead() takes what browsers and scrapers send, and the path without its query", () => {
  const parse = (text: string): ReturnType<typeof parseRequestHead> => parseRequestHead(bytes(text));
  assertEquals(parse("GET /a?b=c HTTP/1.1\r\nhOsT:  localhost \r\nX: \xfc\r\nOrigin: null\r\n\r\n"), {
    method: "GET",
    path: "/a",
    host: "localhost",
    origin: "null",
  });
  assertEquals(parse("GET / HTTP/1.0\n\n"), { method: "GET", path: "/", host: undefined, origin: undefined });
  const refused = [
    "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
    "GET / HTTP/1.1\r\nOrigin: http://localhost\r\nORIGIN: evil\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nnonsense\r\n\r\n",
    "GET http://evil/ HTTP/1.1\r\n\r\n",
    "GET / HTTP/2.0\r\n\r\n",
    "get / HTTP/1.1\r\n\r\n",
    "GET /\r\n\r\n",
    "\x05\x01\x00\n\n",
    "",
  ];
  for (const text of refused) assertEquals(parse(text), undefined, text);
});

pureTest("describeSnapshot() writes the same facts for people", () => {
  const lost = anApplication({ name: "web", ready: false, reason: "The router is gone", samVersion: null, leaks: [] });
  const lines = describeSnapshot(aSnapshot(anApplication(), lost));
  assertEquals(lines[0], "i2p-socks 0.1.0, for 1 h 2 min (since 2026-01-02T03:04:05.000Z)");
  assertEquals(lines.slice(2, 15), [
    "✓ irc: ready",
    "  SOCKS at 127.0.0.1:4447, [::1]:4447; SAM 3.1 at 127.0.0.1:7656",
    "  3 clients; 2 streams open, 10 opened so far; 123 B sent, 446.1 KiB received",
    "  own identity  ready  for 1 min 5 s  1 client   own.b32.i2p",
    "  group 1       lost   for 5 s        2 clients  It went",
    "  Refused:",
    "    4 × clearnet: Not an I2P name",
    "    1 × ip: An IP address",
    "      Remote DNS",
    "  Given away:",
    "    2 × http-user-agent: User-Agent names the system",
    "      Set another",
    "",
  ]);
  assertEquals(lines.slice(15, 17), [
    "✗ web: not ready: The router is gone",
    "  SOCKS at 127.0.0.1:4447, [::1]:4447; SAM at 127.0.0.1:7656",
  ]);
  assertStringIncludes(describeSnapshot(aSnapshot()).join(), "No application is served");
});

pureTest("formatBytes() uses the largest unit of which there is one", () => {
  const cases = { 0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1_048_576: "1.0 MiB", 5_000_000_000: "4.7 GiB" };
  for (const [count, text] of Object.entries(cases)) assertEquals(formatBytes(Number(count)), text);
  assertEquals(formatBytes(2 ** 52), "4096.0 TiB");
});
