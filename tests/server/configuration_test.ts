import { assertEquals, assertRejects } from "@std/assert";
import { parseArguments } from "../../lib/command/arguments.ts";
import { type Configuration, readConfiguration } from "../../lib/server/configuration.ts";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import { formatListen } from "../../lib/config/endpoint.ts";
import { type ApplicationSettings, ConfigError } from "../../lib/config/settings.ts";

type Env = Readonly<Record<string, string>>;

Deno.test("readConfiguration() without a file is one application", async () => {
  const { log, applications, file } = await read(["--listen", "9050", "--log-level", "debug", "--isolate=none"]);
  assertEquals([log.logLevel, log.logFormat, file], ["debug", "text", undefined]);
  assertEquals(applications.map((a) => [...listens(a), a.isolation]), [["127.0.0.1:9050", []]]);
});

Deno.test("readConfiguration() reads the applications of a file, and what they have in common", async () => {
  const text = `
sam: 127.0.0.1:17656
length: 1
log-format: json
applications:
  - name: browser
    listen: [9050, "[::1]:9050"]
    isolate: auth,client
    options: { i2p.streaming.profile: 2 }
  - name: irc
    listen: 9051
    length: 2
    identity: irc
    allow: ["irc.*:6667"]
`;
  const { log, applications, file } = await readText(text);
  assertEquals([log.logFormat, file?.endsWith(".yaml")], ["json", true]);
  assertEquals(
    applications.map((
      a,
    ) => [a.name, a.sam.port, listens(a), a.isolation, a.identity, a.policy.allow.map((rule) => rule.text)]),
    [
      ["browser", 17656, ["127.0.0.1:9050", "[::1]:9050"], ["auth", "client"], undefined, []],
      ["irc", 17656, ["127.0.0.1:9051"], ["auth"], "irc", ["irc.*:6667"]],
    ],
  );
  const options = applications.map(({ sessionOptions }) => sessionOptions);
  assertEquals(options.map((o) => [o["inbound.nickname"], o["inbound.length"], o["i2p.streaming.profile"]]), [
    ["browser", "1", "2"],
    ["irc", "2", undefined],
  ]);
});

Deno.test("readConfiguration() reads a file without applications as one", async () => {
  const { applications } = await readText("listen: 9050\nname: me\n");
  assertEquals(applications.map((a) => [a.name, listens(a), a.listenGiven]), [["me", ["127.0.0.1:9050"], true]]);
});

Deno.test("readConfiguration() prefers flags to environment, application, common values and defaults", async () => {
  const layers: readonly (readonly [string, readonly string[], Env])[] = [
    ["127.0.0.1:7656", [], {}],
    ["127.0.0.1:1", [], {}],
    ["127.0.0.1:2", [], {}],
    ["127.0.0.1:3", [], { I2P_SOCKS_SAM: "3" }],
    ["127.0.0.1:4", ["--sam", "4"], { I2P_SOCKS_SAM: "3" }],
  ];
  for (const [i, [sam, args, env]] of layers.entries()) {
    const common = i >= 1 ? "sam: 1\n" : "";
    const text = `${common}applications:\n  - name: x\n${i >= 2 ? "    sam: 2\n" : ""}`;
    const { applications } = await readText(text, args, env);
    assertEquals(applications.map((a) => formatListen(a.sam)), [sam], `layer ${i}`);
  }
});

Deno.test("readConfiguration() lets each layer win over every one below it alone", async () => {
  const cases: readonly (readonly [string, readonly string[], Env, string])[] = [
    ["keys-dir: /common\n", [], {}, "/common"],
    ["applications: [{keys-dir: /application}]\n", [], {}, "/application"],
    ["keys-dir: /common\n", [], { I2P_SOCKS_KEYS_DIR: "/env" }, "/env"],
    ["applications: [{keys-dir: /application}]\n", [], { I2P_SOCKS_KEYS_DIR: "/env" }, "/env"],
    ["keys-dir: /common\n", ["--keys-dir=/flag"], {}, "/flag"],
    ["applications: [{keys-dir: /application}]\n", ["--keys-dir=/flag"], {}, "/flag"],
    ["keys-dir: /common\napplications: [{keys-dir: /application}]\n", [], {}, "/application"],
  ];
  for (const [text, args, env, keysDir] of cases) {
    const { applications } = await readText(text, args, env);
    assertEquals(applications.map((a) => a.keysDir), [keysDir], text);
  }
});

Deno.test("readConfiguration() prefers flags to the file for the log too", async () => {
  const { log } = await readText("log-level: warn\nlog-format: json\n", ["--log-level", "debug", "--log-destinations"]);
  assertEquals(log, { logLevel: "debug", logFormat: "json", logDestinations: true, color: "auto" });
});

Deno.test("readConfiguration() adds up what is denied, and takes other lists from one layer", async () => {
  const text =
    "deny: [a.i2p, b.i2p]\nallow: ['*']\napplications:\n  - listen: 1\n    deny: c.i2p\n    allow: x.i2p\n  - listen: 2\n";
  const texts = async (which: "allow" | "deny", ...args: string[]): Promise<string[][]> =>
    (await readText(text, args)).applications.map((settings) => settings.policy[which].map((rule) => rule.text));
  assertEquals(await texts("deny"), [["a.i2p", "b.i2p", "c.i2p"], ["a.i2p", "b.i2p"]]);
  assertEquals(await texts("deny", "--deny", "d.i2p"), [["a.i2p", "b.i2p", "c.i2p", "d.i2p"], [
    "a.i2p",
    "b.i2p",
    "d.i2p",
  ]]);
  assertEquals(await texts("allow"), [["x.i2p"], ["*"]]);
  assertEquals(await texts("allow", "--allow", "y.i2p"), [["y.i2p"], ["y.i2p"]]);
});

Deno.test("readConfiguration() finds the file by the environment, and by the flag first", async () => {
  await withFile("name: one\n", async (one) => {
    await withFile("name: other\n", async (other) => {
      const env = { I2P_SOCKS_CONFIG: one };
      const first = await read([], env);
      assertEquals([first.file, first.applications[0]?.name], [one, "one"]);
      const second = await read(["--config", other], env);
      assertEquals([second.file, second.applications[0]?.name], [other, "other"]);
    });
  });
});

Deno.test("readConfiguration() refuses two applications on one address", async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["[{listen: 9050}, {listen: '127.0.0.1:9050'}]", ["Two applications listen on 127.0.0.1:9050"]],
    ["[{listen: 9050}, {listen: 'localhost:9050'}]", ["Two applications listen on 127.0.0.1:9050"]],
    ["[{listen: [1, 2, 3]}, {listen: [3, 4, 1]}]", [
      "Two applications listen on 127.0.0.1:3",
      "Two applications listen on 127.0.0.1:1",
    ]],
    // Each problem once, however many applications have it.
    ["[{listen: 9050}, {listen: 9050}, {listen: 9050}]", ["Two applications listen on 127.0.0.1:9050"]],
    // The default is an address too.
    ["[{name: a}, {name: b}]", ["Two applications listen on 127.0.0.1:4447"]],
    ["[{name: a}, {listen: 4447}]", ["Two applications listen on 127.0.0.1:4447"]],
    // Other addresses, and ports that the system picks.
    ["[{listen: 9050}, {listen: '[::1]:9050'}]", []],
    ["[{listen: 0}, {listen: 0}]", []],
    // One application that says an address twice is one application.
    ["[{listen: [9050, 9050]}]", []],
    ["[{listen: 9050}, {name: b}]", []],
  ];
  for (const [applications, problems] of cases) {
    await assertProblems(`applications: ${applications}\n`, problems);
  }
  await assertProblems("listen: 9050\napplications: [{name: a}, {name: b}]\n", [
    "Two applications listen on 127.0.0.1:9050",
  ]);
});

Deno.test("readConfiguration() gives all applications of an identity the encryption types of the one that is called", async () => {
  const web = "identity: web, forward: '127.0.0.1:80'";
  const cases: [file: string, types: string[]][] = [
    // Whichever starts first makes the session.
    [`[{name: a, listen: 1, identity: web}, {name: b, listen: 2, ${web}}]`, ["4", "4"]],
    [`[{name: a, listen: 1, ${web}}, {name: b, listen: 2, identity: web}]`, ["4", "4"]],
    [`[{name: a, listen: 1, identity: web, lease-set-encryption: '0'}, {name: b, listen: 2, ${web}}]`, ["0", "4"]],
    [`[{name: a, listen: 1, identity: mail}, {name: b, listen: 2, ${web}}]`, ["4,0", "4"]],
    [`[{name: a, listen: 1, identity: web, keys-dir: /k}, {name: b, listen: 2, ${web}}]`, ["4,0", "4"]],
    [`[{name: a, listen: 1}, {name: b, listen: 2, forward: '127.0.0.1:80'}]`, ["4,0", "4"]],
  ];
  for (const [file, types] of cases) {
    const { applications } = await readText(`applications: ${file}\n`);
    assertEquals(applications.map(({ sessionOptions }) => sessionOptions["i2cp.leaseSetEncType"]), types, file);
  }
});

Deno.test("readConfiguration() lets one application alone wait for the callers of an identity", async () => {
  const web = "identity: web, forward: '127.0.0.1:80'";
  const both = '"a" and "b" share the identity "web", and both wait for its callers: only one may';
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [`[{name: a, listen: 1, ${web}}, {name: b, listen: 2, ${web}}]`, [both]],
    [`[{name: a, listen: 1, ${web}}, {name: b, listen: 2, identity: web, bind: true}]`, [both]],
    [`[{name: a, listen: 1, ${web}}, {name: a, listen: 2, ${web}}]`, [both.replace('"b"', '"a"')]],
    [`[{name: a, listen: 1, ${web}}, {name: b, listen: 2, identity: web}]`, []],
    [`[{name: a, listen: 1, ${web}}, {name: b, listen: 2, identity: mail, forward: '127.0.0.1:25'}]`, []],
    ["[{name: a, listen: 1, forward: '127.0.0.1:80'}, {name: b, listen: 2, forward: '127.0.0.1:80'}]", []],
  ];
  for (const [applications, problems] of cases) {
    await assertProblems(`applications: ${applications}\n`, problems);
  }
});

Deno.test("readConfiguration() knows one folder of identities in every spelling, the default one included", async () => {
  const waiting = (name: string, listen: number, folder: string | undefined): string =>
    `{name: ${name}, listen: ${listen}, identity: web, forward: '127.0.0.1:80'${
      folder ? `, keys-dir: ${folder}` : ""
    }}`;
  const folders: readonly (readonly [a: string | undefined, b: string | undefined, same: boolean])[] = [
    ["/home/me/keys", "/home/me/keys/", true],
    ["/home/me/keys", "/home//me/./keys/.", true],
    ["keys", "./keys/", true],
    [undefined, "/home/me/keys", true],
    ["/home/me/keys///", undefined, true],
    [undefined, undefined, true],
    [undefined, "/home/me/other", false],
    ["/home/me/keys", "/home/me/keys2", false],
    ["keys", "/keys", false],
    ["/", "/keys", false],
    [".keys", "keys", false],
  ];
  for (const [a, b, same] of folders) {
    await withFile(`applications: [${waiting("a", 1, a)}, ${waiting("b", 2, b)}]\n`, async (path) => {
      const { given } = parseArguments(["--config", path], () => undefined);
      const problems = await readConfiguration(given, () => "/home/me/keys/").then(
        () => [],
        ({ problems }) => problems,
      );
      assertEquals(problems.length, same ? 1 : 0, `${a} and ${b}: ${problems}`);
    });
  }
});

Deno.test("readConfiguration() takes --listen for one application only", async () => {
  const { applications } = await readText("applications: [{listen: 9050}]\n", ["--listen", "9051"]);
  assertEquals(applications.map(listens), [["127.0.0.1:9051"]]);
  for (const listen of ["9051", "0"]) {
    const { problems } = await refusal("applications: [{listen: 1}, {listen: 2}]\n", ["--listen", listen]);
    assertEquals(
      problems.some((p) => p.endsWith("--listen cannot be given together with a file of several applications")),
      true,
      problems.join(),
    );
  }
});

Deno.test("readConfiguration() says that the file cannot be read", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const missing = await assertRejects(() => read(["--config", `${directory}/none.yaml`]), CliError);
    assertEquals([missing.code, missing.message], [
      ExitCode.usage,
      `Cannot read --config "${directory}/none.yaml": there is no such file`,
    ]);
    const folder = await assertRejects(() => read([], { I2P_SOCKS_CONFIG: directory }), CliError);
    assertEquals([folder.code, folder.message.startsWith(`Cannot read --config "${directory}": `)], [
      ExitCode.usage,
      true,
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test({
  name: "readConfiguration() says that a permission is missing for the file",
  permissions: { read: false },
  fn: async () => {
    const { code, message } = await assertRejects(() => read(["--config", "/x.yaml"]), CliError);
    assertEquals([code, message], [
      ExitCode.noPermission,
      'Missing permission: read access to "/x.yaml", needed for --config',
    ]);
  },
});

Deno.test("readConfiguration() reports every problem at once, with the file, and each of them once", async () => {
  const text = `sam: 0.0.0.0:7656
lisen: 1
log-level: loud
applications:
  - name: two words
    listen: 9050
    log-level: debug
  - isolate: auth,none
    deny: ["a.i2p:80", "*:99999", "a b"]
    listen: 9050
    identity: "../x"
    max-identities: 65
    sam-user: me
`;
  await assertProblems(text, [
    'Unknown option "lisen" (line 2). Did you mean "listen"?',
    "applications[0].log-level (line 7) applies to all applications: put it at the top of the file",
    'Cannot use applications[0].name (line 5) "two words": SAM takes no spaces, quotes or backslashes in a name',
    'Cannot use sam (line 1) "0.0.0.0:7656": "0.0.0.0" is not a loopback address, and only 127.0.0.1, [::1] and localhost are permitted',
    'Cannot use applications[1].identity (line 11) "../x": the name of an identity has letters, digits, "-" and "_", 64 at most',
    'Cannot use applications[1].isolate (line 8) "auth,none": "none" stands alone',
    'Cannot use applications[1].max-identities (line 12) "65": a whole number from 1 to 64 is needed',
    'Cannot use applications[1].deny (line 9) "*:99999": ports go from 0 to 65535, the lower one first',
    'Cannot use applications[1].deny (line 9) "a b": a rule is HOST, HOST:PORT or HOST:LOW-HIGH, with * for any characters',
    "--sam-user and --sam-password-file go together: one of them is missing",
    "Two applications listen on 127.0.0.1:9050",
    'Cannot use log-level (line 3) "loud": it must be one of debug, info, warn, error',
  ]);
});

Deno.test("readConfiguration() reports what is wrong with the files that a file names along with the rest", async () => {
  await withFile("no login\n", async (broken) => {
    const text =
      `listne: 1\nauth-file: ${broken}\napplications: [{hosts: /no/such/file}, {secrets-file: ${broken}.none}]\n`;
    const { problems } = await refusal(text);
    assertEquals(problems.map((problem) => problem.replace(/^\/\S+: /, "").replace(/\/\S+"/, 'FILE"')), [
      'Unknown option "listne" (line 1). Did you mean "listen"?',
      "Two applications listen on 127.0.0.1:4447",
      'Cannot use --auth-file "FILE": Line 1 is not USER:PASSWORD',
      'Cannot read --hosts "FILE": there is no such file',
      'Cannot read --secrets-file "FILE": there is no such file',
    ]);
  });
});

Deno.test("readConfiguration() reports problems of flags without a file as they are", async () => {
  const { problems, message } = await assertRejects(() => read(["--sam", "x", "--log-level=loud"]), ConfigError);
  assertEquals(problems, [
    'Cannot use --sam "x": the port is missing or is not a number',
    'Cannot use --log-level "loud": it must be one of debug, info, warn, error',
  ]);
  assertEquals(message, problems.join("\n"));
});

Deno.test("readConfiguration() says that a file is no YAML, is empty, or has no applications", async () => {
  await assertProblems("", [
    'The file is empty: it needs options, one a line as "listen: 127.0.0.1:9101", or a list "applications"',
  ]);
  await assertProblems("applications: []\n", [
    '"applications" is empty: name an application, or leave "applications" out',
  ]);
  const { problems } = await refusal("name: 'x\n");
  assertEquals(problems.length, 1);
  assertEquals(problems[0]?.includes(".yaml: The file is not valid YAML: "), true, problems[0]);
});

Deno.test("readConfiguration() takes no option in a file that is for the command line only", async () => {
  for (const key of ["config", "check-config", "help", "version", "yes"]) {
    const { problems } = await refusal(`${key}: true\n`);
    assertEquals(
      [problems.length, problems[0]?.includes(`Unknown option "${key}" (line 1)`)],
      [1, true],
      problems.join(),
    );
  }
});

Deno.test("readConfiguration() takes every other option of serve in a file", async () => {
  const text = `
listen: 9050
sam: 127.0.0.1:1
sam-user: me
sam-password-file: /p
listen-mode: 640
name: n
identity: i
keys-dir: /k
isolate: stream
max-identities: 3
spare-identities: 2
identity-idle: 0
auth-file: /a
allow: "*"
deny: "*:25"
length: 1
inbound-length: 0
outbound-length: 2
quantity: 3
inbound-quantity: 4
outbound-quantity: 5
backup: 1
inbound-backup: 2
outbound-backup: 3
variance: -1
inbound-variance: 0
outbound-variance: 1
lease-set-encryption: 6,4
options: [x.y=1]
connect-timeout: 1s
handshake-timeout: 2s
idle-timeout: 3s
max-connections: 5
max-per-client: 4
extended-errors: true
udp: true
sam-udp: 17655
udp-style: datagram3
hosts: /h
map-names: 10.192.0.0/10
leaks: block
scrub: [http, irc]
secrets-file: /s
wait: 10m
log-level: warn
log-format: json
log-destinations: true
`;
  const { log, applications: [app] } = await readText(text);
  assertEquals(log, { logLevel: "warn", logFormat: "json", logDestinations: true, color: "auto" });
  const { allow = [], deny = [], callers } = app?.policy ?? {};
  assertEquals({ ...app, policy: { allow: allow.map((r) => r.text), deny: deny.map((r) => r.text), callers } }, {
    name: "n",
    listen: [{ hostname: "127.0.0.1", port: 9050 }],
    listenMode: 0o640,
    listenGiven: true,
    sam: { hostname: "127.0.0.1", port: 1 },
    samUser: "me",
    samPasswordFile: "/p",
    identity: "i",
    keysDir: "/k",
    isolation: ["stream"],
    authFile: "/a",
    policy: { allow: ["*"], deny: ["*:25"], callers: { allow: [], deny: [] } },
    hostsFile: "/h",
    mapNames: { text: "10.192.0.0/10", first: [10, 192, 0, 0], length: 10 },
    leaks: { mode: "block", scrub: ["irc", "http"], secretsFile: "/s" },
    sessionOptions: {
      "i2cp.leaseSetEncType": "6,4",
      "i2p.streaming.answerPings": "false",
      "inbound.nickname": "n",
      "inbound.length": "0",
      "inbound.quantity": "4",
      "inbound.backupQuantity": "2",
      "inbound.lengthVariance": "0",
      "outbound.nickname": "n",
      "outbound.length": "2",
      "outbound.quantity": "5",
      "outbound.backupQuantity": "3",
      "outbound.lengthVariance": "1",
      "x.y": "1",
    },
    timeouts: { handshake: 2000, connect: 1000, idle: 3000, identityIdle: 0, wait: 600_000 },
    limits: { connections: 5, perClient: 4, identities: 3, spareIdentities: 2 },
    switches: { "extended-errors": true },
    udp: { enabled: true, port: 17_655, style: "DATAGRAM3" },
    bind: false,
    forward: undefined,
  });
});

function listens({ listen }: ApplicationSettings): string[] {
  return listen.map(formatListen);
}

async function read(args: readonly string[], env: Env = {}): Promise<Configuration> {
  return await readConfiguration(parseArguments(args, (name) => env[name]).given);
}

/** What a file of a text, flags and environment make together. */
async function readText(text: string, args: readonly string[] = [], env: Env = {}): Promise<Configuration> {
  return await withFile(text, (path) => read(["--config", path, ...args], env));
}

async function refusal(text: string, args: readonly string[] = []): Promise<ConfigError> {
  return await withFile(text, (path) => assertRejects(() => read(["--config", path, ...args]), ConfigError));
}

/** Makes sure of all problems of a file, in whichever order, and that each begins with its path. */
async function assertProblems(text: string, problems: readonly string[]): Promise<void> {
  await withFile(text, async (path) => {
    if (problems.length === 0) return void await read(["--config", path]);
    const error = await assertRejects(() => read(["--config", path]), ConfigError, "", text);
    assertEquals(error.problems.toSorted(), problems.map((problem) => `${path}: ${problem}`).toSorted(), text);
    assertEquals(error.message, error.problems.join("\n"));
  });
}

async function withFile<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(path, text);
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}
