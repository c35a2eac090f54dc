import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describeSnapshot, formatBytes, frameOf } from "../../lib/cli/status_table.ts";
import { headLength, parseRequestHead } from "../../lib/status/http_request.ts";
import { formatMetrics, METRICS, PROCESS_METRICS } from "../../lib/status/metrics.ts";
import { PAGE } from "../../lib/status/page.ts";
import { type ApplicationStatus, formatReady, isReady, type Snapshot } from "../../lib/status/snapshot.ts";
import { answerStatus, encodeAnswer, securityPolicy } from "../../lib/status/routes.ts";
import { encode as bytes } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";
import { parseAnswer } from "../clients/raw_http.ts";
import { anApplication, aServingApplication, aSnapshot } from "./snapshots.ts";

pureTest("formatReady() says ready, or names each application that is not, with the reason and what to do", () => {
  const advice = ["i2pd: start it", "i2p-socks check --sam 127.0.0.1:7656 looks for the cause"];
  const away = anApplication({ name: "web", ready: false, reason: "The router is gone", advice });
  const building = anApplication({ name: "git", ready: false, reason: "The router builds tunnels" });
  assertEquals(formatReady(aSnapshot(anApplication())), "ready\n");
  assertEquals(
    formatReady(aSnapshot(anApplication(), away, building)),
    "web: The router is gone\n  i2pd: start it\n  i2p-socks check --sam 127.0.0.1:7656 looks for the cause\n" +
      "git: The router builds tunnels\n",
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

/** What there is of an application with everything switched on, beyond what every application has. */
const SWITCHED: Readonly<Record<string, number>> = {
  "caller_streams": 2,
  "callers_total": 40,
  "callers_connected_total": 31,
  "callers_idle_total": 2,
  'callers_refused_total,reason="denied"': 6,
  'callers_refused_total,reason="service-down"': 1,
  "caller_sent_bytes_total": 1_234_567,
  "caller_received_bytes_total": 3_072,
  "accept_failures_total": 5,
  "bind_waiting": 1,
  "bind_waits_total": 4,
  "bind_connected_total": 2,
  "bind_denied_total": 3,
  "udp_associations": 3,
  "udp_associations_granted_total": 9,
  'datagrams_total,direction="sent"': 7,
  'datagrams_total,direction="received"': 5,
  'datagrams_dropped_total,reason="too-large"': 3,
};

/** The name of a series of the application "game". */
function seriesOf(key: string): string {
  const [name = "", ...labels] = key.split(",");
  return `i2p_socks_${name}{${['application="game"', ...labels].join(",")}}`;
}

pureTest("formatMetrics() has what an option switches on only for the applications that have it", () => {
  const series = parseMetrics(formatMetrics(aSnapshot(anApplication(), aServingApplication())));
  const found = [...series].filter(([key]) => /caller|accept|bind|udp|datagrams_/.test(key));
  assertEquals(found, Object.entries(SWITCHED).map(([key, value]) => [seriesOf(key), value]));
  const plain = formatMetrics(aSnapshot(anApplication()));
  assertEquals(/caller|accept|bind|udp|datagrams?[_"{]/.exec(plain)?.[0], undefined, plain);
  for (const [option, part] of [["--forward", "callers"], ["--bind", "bind"], ["--udp", "udp"]] as const) {
    const text = formatMetrics(aSnapshot(anApplication({ [part]: aServingApplication()[part] })));
    const named = [...text.matchAll(/^# HELP (\w+)/gm)].map(([, name]) => name);
    const expected = Object.entries(METRICS).filter(([, { needs = option }]) => needs === option);
    assertEquals(named, [...Object.keys(PROCESS_METRICS), ...expected.map(([name]) => name)]);
  }
});

pureTest("formatMetrics() has the identities for datagrams beside those of streams, with state and age", () => {
  const series = parseMetrics(formatMetrics(aSnapshot(aServingApplication())));
  const expected: Record<string, number> = {
    'identities,kind="base",state="ready"': 1,
    'identities,kind="datagrams",state="building"': 0,
    'identities,kind="datagrams",state="ready"': 2,
    'identities,kind="datagrams",state="lost"': 1,
    'identity_age_seconds,kind="base",state="ready"': 65.2,
    'identity_age_seconds,kind="group",state="lost"': 5,
    'identity_age_seconds,kind="datagrams",state="ready"': 99,
    'identity_age_seconds,kind="datagrams",state="lost"': 3,
    'identity_clients,kind="group"': 2,
    'identity_clients,kind="datagrams"': 3,
  };
  for (const [key, value] of Object.entries(expected)) assertEquals(series.get(seriesOf(key)), value, key);
  const ages = [...series.keys()].filter((key) => key.startsWith("i2p_socks_identity_age_seconds"));
  assertEquals(ages.length, 4, "no age of what there is none of");
});

pureTest("metrics are named as Prometheus has it: base units, _total for counters, no family with two types", () => {
  const all = { ...PROCESS_METRICS, ...METRICS };
  for (const [name, { type, help }] of Object.entries(all)) {
    assertMatch(name, /^i2p_socks_[a-z_]+$/);
    assertEquals(name.endsWith("_total"), type === "counter", name);
    assertMatch(help, /^[A-Z][^\\\n]*\.$/);
    assert(!/milli|kilo|minutes|_ms\b|_kb\b|(?:bytes|seconds)_(?!total)/.test(name), name);
    // OpenMetrics names a family of counters without the suffix.
    if (type === "counter") assert(!(name.replace(/_total$/, "") in all), name);
  }
});

pureTest("formatMetrics() tells applications of one name apart, and can have none", () => {
  const series = parseMetrics(formatMetrics(aSnapshot(anApplication(), anApplication({ connections: 9 }))));
  assertEquals(series.get('i2p_socks_connections{application="irc"}'), 3);
  assertEquals(series.get('i2p_socks_connections{application="irc 2"}'), 9);
  assertEquals(parseMetrics(formatMetrics(aSnapshot())).size, Object.keys(PROCESS_METRICS).length);
});

pureTest("metrics have the labels that the table of metrics names, and all of them are shown", () => {
  const text = formatMetrics(aSnapshot(aServingApplication()));
  const labelled: [string, readonly string[]][] = [
    ...Object.entries(PROCESS_METRICS).map(([name, { labels = [] }]): [string, readonly string[]] => [name, labels]),
    ...Object.entries(METRICS).map(([name, { labels = [] }]): [string, string[]] => [name, ["application", ...labels]]),
  ];
  for (const [name, labels] of labelled) {
    const found = [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? `, "gm"))];
    assert(found.length > 0, `${name} has no series`);
    for (const [line, pairs = ""] of found) {
      assertEquals([...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label), [...labels], line);
    }
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

pureTest("answerStatus() has four paths, to be got or looked at", () => {
  const types = ["/", "/ready", "/metrics", "/status.json"].map((path) => ask({ path })).map(({ status, type }) => [
    status,
    type.replace(/;.*/, ""),
  ]);
  assertEquals(types, [[200, "text/html"], [200, "text/plain"], [200, "text/plain"], [200, "application/json"]]);
  for (const path of ["/status", "/ready/", "/constructor", "/__proto__"]) {
    assertEquals(ask({ path }).status, 404, path);
  }
  for (const method of ["POST", "PUT", "OPTIONS", "DELETE", "head"]) {
    const { status, headers } = ask({ method });
    assertEquals([status, headers], [405, { allow: "GET, HEAD" }]);
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
  assert(!/\bon[a-z]+="|style="|src="|href="(?!\/)/.test(PAGE), "the policy would not let it");
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
  const lost = anApplication({
    name: "web",
    ready: false,
    reason: "The router is gone",
    advice: ["Start it"],
    samVersion: null,
    leaks: [],
  });
  const lines = describeSnapshot(aSnapshot(anApplication(), lost));
  assertMatch(lines[0] ?? "", /^i2p-socks 0\.1\.0, up 1 h 2 min \(since 2026-01-0\d \d\d:\d\d:05\)$/);
  assertEquals(lines.slice(2, 15), [
    "✓ irc: ready",
    "  3 clients; 2 streams open, 10 opened so far; 123 B sent, 456.8 kB received",
    "  SOCKS at 127.0.0.1:4447, [::1]:4447; SAM 3.1 at 127.0.0.1:7656",
    "  own identity  ready  for 1 min 5 s  1 client   seen by 3 sites  own.b32.i2p",
    "  login 1       lost   for 5 s        2 clients  seen by 1 site   It went",
    "  Not connected:",
    "    4 × clearnet: Not an I2P name",
    "    1 × ip: An IP address",
    "      Remote DNS",
    "  Leaks:",
    "    2 × http-user-agent: User-Agent names the system",
    "      Set another",
    "",
  ]);
  assertEquals(lines.slice(15, 19), [
    "✗ web: not ready: The router is gone",
    "    Start it",
    "  3 clients; 2 streams open, 10 opened so far; 123 B sent, 456.8 kB received",
    "  SOCKS at 127.0.0.1:4447, [::1]:4447; SAM at 127.0.0.1:7656",
  ]);
  assertStringIncludes(describeSnapshot(aSnapshot()).join(), "No application is served");
});

pureTest("describeSnapshot() says what is kept for readers that do not take it, where that is anything", () => {
  const text = describeSnapshot(aSnapshot(anApplication({ bytesKept: 70_000 }))).join("\n");
  assertStringIncludes(text, "456.8 kB received, 70.0 kB kept for slow readers\n");
});

pureTest("frameOf() fits any window: state and counters of all first, then details, advice where there is room", () => {
  const lost = anApplication({ name: "web", ready: false, reason: "The router is gone", advice: ["Start it"] });
  const watched = [{ snapshot: aSnapshot(aServingApplication(), lost) }];
  for (const columns of [1, 20, 40, 80, 200]) {
    for (const rows of [1, 2, 3, 10, 24, 60, 200]) {
      const lines = frameOf(watched, { columns, rows });
      assert(lines.length <= Math.max(rows - 1, 1), `${lines.length} lines of ${rows}`);
      assert(lines.every((line) => line.length <= columns), `${columns}: ${lines.join("|")}`);
    }
  }
  const large = frameOf(watched, { columns: 200, rows: 200 });
  assertEquals(large.slice(1, 6).map((line) => line.slice(0, 12)), [
    "✓ game: read",
    "  3 clients;",
    "✗ web: not r",
    "    Start it",
    "  3 clients;",
  ]);
  assertStringIncludes(large.join("\n"), "      Remote DNS");
  const small = frameOf(watched, { columns: 80, rows: 24 }).join("\n");
  assert(!small.includes("Start it"), small);
  assertMatch(small, /… \d+ more lines: i2p-socks status shows all$/);
});

pureTest("describeSnapshot() tells the rates since an earlier answer of the same program", () => {
  const traffic = (before: Snapshot): string => {
    const now = { ...aSnapshot(anApplication({ bytesSent: 3_000, bytesReceived: 5_000_000 })), uptimeSeconds: 104 };
    return describeSnapshot(now, before)[3]?.replace(/.*so far; /, "") ?? "";
  };
  const before = (parts: Partial<ApplicationStatus> = {}): Snapshot => ({
    ...aSnapshot(anApplication({ bytesSent: 1_000, bytesReceived: 1_000_000, ...parts })),
    uptimeSeconds: 100,
  });
  assertEquals(traffic(before()), "3.0 kB sent (500 B/s), 5.0 MB received (1.0 MB/s)");
  const none = "3.0 kB sent, 5.0 MB received";
  assertEquals(traffic({ ...before(), startedAt: "2026-01-01T00:00:00.000Z" }), none, "another run of the program");
  assertEquals(traffic({ ...before(), uptimeSeconds: 104 }), none, "the same moment");
  assertEquals(traffic(before({ name: "other" })), none, "another application");
  assertEquals(traffic(before({ bytesSent: 3_001, bytesReceived: 5_000_001 })), none, "it counts anew");
  const twins = (first: number, second: number, uptimeSeconds: number): Snapshot => ({
    ...aSnapshot(
      anApplication({ listen: ["127.0.0.1:9101"], bytesSent: first }),
      anApplication({ listen: ["127.0.0.1:9102"], bytesSent: second }),
    ),
    uptimeSeconds,
  });
  const rates = describeSnapshot(twins(5_000, 90_000, 104), twins(1_000, 50_000, 100)).join("\n").match(
    /\d+\.\d kB\/s/g,
  );
  assertEquals(rates, ["1.0 kB/s", "10.0 kB/s"], "two of one name");
});

pureTest("describeSnapshot() tells of callers, BIND and UDP where they are switched on, with advice", () => {
  assertEquals(describeSnapshot(aSnapshot(aServingApplication({ refusals: [], leaks: [] }))).slice(5), [
    "  --forward: 2 callers served, 31 of 40 so far have reached a service; 1.2 MB sent, 3.1 kB received",
    "  --forward: 2 callers closed for silence (--caller-idle-timeout)",
    "  --forward: the router would not wait for callers, 5 × so far; the log says more",
    "  --bind: 1 client waits for a caller, 4 so far; 2 callers came, 3 not wanted",
    "  --udp: 3 associations open, 9 granted so far; 7 datagrams sent, 5 received",
    "  own identity  ready  for 1 min 5 s   1 client   seen by 3 sites     own.b32.i2p",
    "  login 1       lost   for 5 s         2 clients  seen by 1 site      It went",
    "  datagrams 1   ready  for 12 s        2 clients  seen by 2 sites     udp.b32.i2p",
    "  datagrams 3   ready  for 1 min 39 s  0 clients  seen by 0 sites     one.b32.i2p",
    "  datagrams 4   lost   for 3 s         1 client   seen by 1000 sites  It went too",
    "  Callers turned away:",
    "    6 × denied: Not let in",
    "    1 × service-down: The service did not take it",
    "      Is it running?",
    "  Datagrams dropped:",
    "    3 × too-large: Larger than a datagram can be",
    "      At most 31744 bytes",
  ]);
  const quiet = describeSnapshot(aSnapshot(anApplication()));
  assertEquals(quiet.filter((line) => /--forward|--bind|--udp|[Cc]aller|[Dd]atagram/.test(line)), []);
  const { bind } = aServingApplication();
  const idle = { ...anApplication(), bind: { ...bind, waiting: 0, waited: 0, connected: 1, denied: 0 } };
  assertStringIncludes(
    describeSnapshot(aSnapshot(idle)).join("\n"),
    "  --bind: 0 clients wait for a caller, 0 so far; 1 caller came, 0 not wanted\n",
  );
});

pureTest("formatBytes() uses the largest unit of which there is one", () => {
  const cases = { 0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_000_000: "1.0 MB", 5_000_000_000: "5.0 GB" };
  for (const [count, text] of Object.entries(cases)) assertEquals(formatBytes(Number(count)), text);
  assertEquals(formatBytes(2 ** 52), "4503.6 TB");
});
