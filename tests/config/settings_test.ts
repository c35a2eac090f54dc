import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { RawOptions } from "../../lib/config/raw_options.ts";
import { overlay } from "../../lib/config/overlay.ts";
import { MAX_SESSION_OPTIONS } from "../../lib/config/session_options.ts";
import {
  type ApplicationSettings,
  ConfigError,
  type LogSettings,
  readApplication,
  readLogSettings,
} from "../../lib/config/settings.ts";
import { pureTest } from "../support/pure.ts";

const DEFAULT_OPTIONS: Readonly<Record<string, string>> = {
  "i2cp.leaseSetEncType": "4,0",
  "i2p.streaming.answerPings": "false",
  "inbound.nickname": "i2p-socks",
  "inbound.length": "3",
  "inbound.quantity": "2",
  "inbound.backupQuantity": "0",
  "inbound.lengthVariance": "0",
  "outbound.nickname": "i2p-socks",
  "outbound.length": "3",
  "outbound.quantity": "2",
  "outbound.backupQuantity": "0",
  "outbound.lengthVariance": "0",
};

/** Defaults that the first tests leave alone. */
const OTHERS = {
  name: "i2p-socks",
  identity: undefined,
  keysDir: undefined,
  isolation: ["auth"],
  authFile: undefined,
  policy: { allow: [], deny: [], callers: { allow: [], deny: [] } },
  bind: false,
  forward: undefined,
} as const;

type Settings = ApplicationSettings & LogSettings;

function readSettings(given: RawOptions): Settings {
  const problems: string[] = [];
  const settings = { ...readApplication(given, problems), ...readLogSettings(given, problems) };
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return settings;
}

pureTest("readSettings() without anything given is the defaults", () => {
  assertEquals(read({}), {
    ...OTHERS,
    listen: [{ hostname: "127.0.0.1", port: 4447 }],
    listenMode: 0o600,
    listenGiven: false,
    sam: { hostname: "127.0.0.1", port: 7656 },
    samUser: undefined,
    samPasswordFile: undefined,
    hostsFile: undefined,
    mapNames: undefined,
    sessionOptions: DEFAULT_OPTIONS,
    timeouts: { handshake: 10_000, connect: 120_000, idle: 0, identityIdle: 600_000, wait: 0 },
    limits: { connections: 1024, perClient: 65_535, identities: 8, spareIdentities: undefined },
    leaks: { mode: "warn", scrub: [], secretsFile: undefined },
    switches: { "extended-errors": false },
    udp: { enabled: false, port: 7655, style: "DATAGRAM" },
    logLevel: "info",
    logFormat: "text",
    logDestinations: false,
    color: "auto",
  });
});

pureTest("readSettings() takes every option", () => {
  const settings = read({
    listen: "[::1]:9050",
    sam: "localhost:17656",
    "sam-user": "me",
    "sam-password-file": "/run/secret with a space",
    "connect-timeout": "90s",
    "handshake-timeout": "500ms",
    "idle-timeout": "1h",
    "max-connections": "7",
    "max-per-client": "5",
    "extended-errors": "true",
    udp: "true",
    "sam-udp": "17655",
    "udp-style": "datagram2",
    hosts: "/run/hosts with a space",
    "map-names": "198.18.0.0/15",
    leaks: "block",
    scrub: "http,irc",
    "secrets-file": "/run/words",
    name: "browser",
    identity: "My_app-2",
    "keys-dir": "/run/keys with a space",
    isolate: "client,auth",
    "max-identities": "3",
    "spare-identities": "2",
    "identity-idle": "90s",
    "auth-file": "/run/logins with a space",
    "lease-set-encryption": "6,4",
    wait: "10m",
    "log-level": "debug",
    "log-format": "json",
    "log-destinations": "true",
  });
  assertEquals(settings, {
    ...OTHERS,
    name: "browser",
    identity: "My_app-2",
    keysDir: "/run/keys with a space",
    isolation: ["auth", "client"],
    authFile: "/run/logins with a space",
    listen: [{ hostname: "::1", port: 9050 }],
    listenMode: 0o600,
    listenGiven: true,
    sam: { hostname: "127.0.0.1", port: 17656 },
    samUser: "me",
    samPasswordFile: "/run/secret with a space",
    sessionOptions: {
      ...DEFAULT_OPTIONS,
      "i2cp.leaseSetEncType": "6,4",
      "inbound.nickname": "browser",
      "outbound.nickname": "browser",
    },
    timeouts: { handshake: 500, connect: 90_000, idle: 3_600_000, identityIdle: 90_000, wait: 600_000 },
    limits: { connections: 7, perClient: 5, identities: 3, spareIdentities: 2 },
    hostsFile: "/run/hosts with a space",
    mapNames: { text: "198.18.0.0/15", first: [198, 18, 0, 0], length: 15 },
    leaks: { mode: "block", scrub: ["irc", "http"], secretsFile: "/run/words" },
    switches: { "extended-errors": true },
    udp: { enabled: true, port: 17_655, style: "DATAGRAM2" },
    logLevel: "debug",
    logFormat: "json",
    logDestinations: true,
    color: "auto",
  });
});

pureTest("readSettings() listens everywhere it is told to, and takes the last of what can be one only", () => {
  const settings = read({ listen: ["1", "[::1]:2", "localhost:0"], sam: ["127.0.0.1:1", "127.0.0.1:2"] });
  assertEquals(settings.listen, [
    { hostname: "127.0.0.1", port: 1 },
    { hostname: "::1", port: 2 },
    { hostname: "127.0.0.1", port: 0 },
  ]);
  assertEquals(settings.sam, { hostname: "127.0.0.1", port: 2 });
});

pureTest("readSettings() names the option, the value and the reason", () => {
  const problems: readonly (readonly [string, string, string])[] = [
    ["listen", "", "[HOST:]PORT"],
    [
      "listen",
      "0.0.0.0:4447",
      '"0.0.0.0" is not a loopback address, and only 127.0.0.1, [::1] and localhost are permitted',
    ],
    [
      "sam",
      "example.com:7656",
      '"example.com" is not a loopback address, and only 127.0.0.1, [::1] and localhost are permitted',
    ],
    ["sam", "127.0.0.1:0", "port 0 cannot be connected to"],
    ["sam", "127.0.0.1", "the port is missing or is not a number"],
    ["name", "two words", "SAM takes no spaces, quotes or backslashes in a name"],
    ["name", "n".repeat(65), "a name has at most 64 characters"],
    ["connect-timeout", "0", "this limit cannot be switched off"],
    ["connect-timeout", "0ms", "this limit cannot be switched off"],
    ["handshake-timeout", "0", "this limit cannot be switched off"],
    ["handshake-timeout", "10", "a duration is a number with ms, s, m or h behind it, such as 90s"],
    ["idle-timeout", "577h", "the longest duration is 576h"],
    ["max-connections", "0", "a whole number from 1 to 65535 is needed"],
    ["identity", "", "NAME"],
    ["identity", "a/b", 'the name of an identity has letters, digits, "-" and "_", 64 at most'],
    ["keys-dir", "", "DIR"],
    ["auth-file", "", "FILE"],
    ["isolate", "", "LIST"],
    ["isolate", "login", "it must be one of auth, destination, port, client, stream, none"],
    ["isolate", "auth,none", '"none" stands alone'],
    ["max-identities", "65", "a whole number from 1 to 64 is needed"],
    ["spare-identities", "17", "a whole number from 0 to 16 is needed"],
    ["identity-idle", "10", "a duration is a number with ms, s, m or h behind it, such as 90s"],
    ["identity-idle", "577h", "the longest duration is 576h"],
    ["allow", "a b", "a rule is HOST, HOST:PORT or HOST:LOW-HIGH, with * for any characters"],
    ["deny", "*:2-1", "ports go from 0 to 65535, the lower one first"],
    ["deny", "a_b", '"a_b" has characters that no I2P host has'],
    ["lease-set-encryption", "x25519", "encryption types are numbers with commas, such as 6,4"],
    ["log-level", "trace", "it must be one of debug, info, warn, error"],
    ["log-level", "INFO", "it must be one of debug, info, warn, error"],
    ["log-format", "xml", "it must be one of text, json"],
    ["log-destinations", "yes", "it must be one of true, false"],
    ["o", "novalue", "an option is KEY=VALUE, without spaces or quotes"],
  ];
  for (const [name, text, reason] of problems) {
    const whole = text === ""
      ? `${flag(name)} needs a value: ${reason}`
      : `Cannot use ${flag(name)} "${text}": ${reason}`;
    assertEquals(problemsOf({ [name]: text }), [whole]);
  }
});

pureTest("readSettings() names an environment variable that a value came from", () => {
  const given: RawOptions = new Map([["sam", [{ text: "x", source: "I2P_SOCKS_SAM" }]]]);
  const { problems } = assertThrows(() => readSettings(given), ConfigError);
  assertEquals(problems, ['Cannot use I2P_SOCKS_SAM "x": the port is missing or is not a number']);
});

pureTest("readSettings() reports all problems at once, each of them once", () => {
  const given = {
    listen: ["1.2.3.4:1", "4447", "x"],
    sam: "127.0.0.1:0",
    "sam-user": "me",
    length: "8",
    o: ["novalue", "ID=1"],
    "connect-timeout": "0",
    "max-connections": "no",
    "log-level": "loud",
  };
  const error = assertThrows(() => read(given), ConfigError);
  assertEquals(error.problems.map((problem) => problem.replace(/".*/s, "…")), [
    "Cannot use --listen …",
    "Cannot use --listen …",
    "Cannot use --sam …",
    "Cannot use --length …",
    "Cannot use -o …",
    "Cannot use -o …",
    "Cannot use --connect-timeout …",
    "Cannot use --max-connections …",
    "--sam-user and --sam-password-file go together: one of them is missing",
    "Cannot use --log-level …",
  ]);
  assertEquals(error.message, error.problems.join("\n"));
});

pureTest("readSettings() wants a user and a password file, or neither", () => {
  const problem = ["--sam-user and --sam-password-file go together: one of them is missing"];
  assertEquals(problemsOf({ "sam-user": "me" }), problem);
  assertEquals(problemsOf({ "sam-password-file": "/x" }), problem);
  assertEquals(read({ "sam-user": "me", "sam-password-file": "/x" }).samUser, "me");
});

pureTest("readSettings() refuses --udp where destinations or ports are set apart", () => {
  const why = "an association has many destinations";
  assertEquals(problemsOf({ udp: "true", isolate: "auth,destination" }), [
    `--udp does not go with --isolate destination: ${why}`,
  ]);
  assertEquals(problemsOf({ udp: "true", isolate: "port" }), [`--udp does not go with --isolate port: ${why}`]);
  assertEquals(read({ udp: "true", isolate: "auth,client,stream" }).udp.enabled, true);
  assertEquals(read({ udp: "false", isolate: "port" }).udp.enabled, false);
});

pureTest("readSettings() accepts numbers at each end of their range and refuses the next ones", () => {
  const ranges: readonly (readonly [string, number, number])[] = [
    ...["", "inbound-", "outbound-"].flatMap((direction) =>
      [["length", 0, 7], ["quantity", 1, 16], ["backup", 0, 16], ["variance", -7, 7]].map(([name, min, max]) =>
        [`${direction}${name}`, Number(min), Number(max)] as const
      )
    ),
    ["max-connections", 1, 65_535],
    ["max-per-client", 1, 65_535],
    ["max-identities", 1, 64],
    ["spare-identities", 0, 16],
    ["sam-udp", 1, 65_535],
    ["max-inbound", 1, 65_535],
    ["max-per-caller", 1, 65_535],
  ];
  for (const [name, min, max] of ranges) {
    for (const good of [min, max]) read({ [name]: String(good) });
    for (const bad of [min - 1, max + 1, `${min}.5`, "", "x", `${max} `, `+${max}`, "1e0", "0x1", "NaN"]) {
      const problems = problemsOf({ [name]: String(bad) });
      if (bad === "") assertMatch(problems[0] ?? "", new RegExp(`^--${name} needs a value: \\S+$`));
      else assertEquals(problems, [`Cannot use --${name} "${bad}": a whole number from ${min} to ${max} is needed`]);
    }
  }
});

pureTest("readSettings() accepts limits of time at each end", () => {
  assertEquals(read({ "connect-timeout": "1ms", "handshake-timeout": "576h" }).timeouts.connect, 1);
  assertEquals(read({ "idle-timeout": "0" }).timeouts.idle, 0);
});

pureTest("readSettings() gives tunnel options to both directions, and one direction's own first", () => {
  assertEquals(optionsOf({ length: "1", quantity: "4", backup: "5", variance: "-1" }), {
    ...DEFAULT_OPTIONS,
    "inbound.length": "1",
    "inbound.quantity": "4",
    "inbound.backupQuantity": "5",
    "inbound.lengthVariance": "-1",
    "outbound.length": "1",
    "outbound.quantity": "4",
    "outbound.backupQuantity": "5",
    "outbound.lengthVariance": "-1",
  });
  assertEquals(optionsOf({ "outbound-length": "0", length: "2", "inbound-backup": "1" }), {
    ...DEFAULT_OPTIONS,
    "inbound.length": "2",
    "inbound.backupQuantity": "1",
    "outbound.length": "0",
  });
});

pureTest("readSettings() lets -o win over everything, and the last -o over the others", () => {
  const given = {
    length: "1",
    "inbound-length": "2",
    o: ["inbound.length=5", "i2cp.leaseSetEncType=6,4", "x.y=1", "x.y=a=b=="],
  };
  assertEquals(optionsOf(given), {
    ...DEFAULT_OPTIONS,
    "inbound.length": "5",
    "outbound.length": "1",
    "i2cp.leaseSetEncType": "6,4",
    "x.y": "a=b==",
  });
});

pureTest("readSettings() refuses options that would break the command or are SAM's own words", () => {
  for (const option of ["=", "=v", "k=", "k", "a b=c", "k=a b", 'k="v"', "k=a\\b", "k=a\nQUIT=b", "k=a\r", "k=\0"]) {
    assertEquals(problemsOf({ o: option }).length, 1, JSON.stringify(option));
  }
  for (const word of ["ID", "STYLE", "DESTINATION", "SIGNATURE_TYPE", "SILENT", "FROM_PORT", "HOST"]) {
    const problem = `Cannot use -o "${word}=1": "${word}" is SAM's own word, not an option of I2CP or streaming`;
    assertEquals(problemsOf({ o: `${word}=1` }), [problem]);
  }
});

pureTest("readSettings() labels both directions", () => {
  const label = "n".repeat(64);
  const options = optionsOf({ name: label });
  assertEquals([options["inbound.nickname"], options["outbound.nickname"]], [label, label]);
  for (const name of ["a b", 'a"b', "a\\b", "a\nb", " "]) {
    assertEquals(problemsOf({ name }).length, 1, JSON.stringify(name));
  }
});

pureTest("readSettings() checks a tunnel option even where both directions have their own", () => {
  const given = { length: "99", "inbound-length": "1", "outbound-length": "1" };
  assertEquals(problemsOf(given), ['Cannot use --length "99": a whole number from 0 to 7 is needed']);
});

pureTest("readSettings() does not call an option missing that was given with a wrong value", () => {
  const given = { "sam-user": "", "sam-password-file": "/x" };
  assertEquals(problemsOf(given), ["--sam-user needs a value: NAME"]);
});

pureTest("readSettings() takes names of identities that are file names everywhere", () => {
  for (const name of ["a", "A", "0", "_", "-", "my-app_2", "none", "i".repeat(64)]) {
    assertEquals(read({ identity: name }).identity, name);
  }
  const names = [
    ".",
    "..",
    "a.b",
    "a.dat",
    "../a",
    "a/b",
    "a\\b",
    "a b",
    " a",
    "a\n",
    "a\0",
    "a:b",
    "~",
    "*",
    "\xe9",
    "i".repeat(65),
  ];
  for (const name of names) {
    assertEquals(problemsOf({ identity: name }), [
      `Cannot use --identity "${name}": the name of an identity has letters, digits, "-" and "_", 64 at most`,
    ]);
  }
});

pureTest("readSettings() isolates by the words given, in Tor's order and each once", () => {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["auth", ["auth"]],
    ["destination", ["destination"]],
    ["port", ["port"]],
    ["client", ["client"]],
    ["stream", ["stream"]],
    ["none", []],
    ["auth,client", ["auth", "client"]],
    ["client,auth", ["auth", "client"]],
    ["stream,client,port,destination,auth", ["auth", "destination", "port", "client", "stream"]],
    ["port,port,auth,port", ["auth", "port"]],
  ];
  for (const [text, flags] of lists) assertEquals(read({ isolate: text }).isolation, flags, text);
  assertEquals(read({ isolate: ["stream", "client"] }).isolation, ["client"]);
});

pureTest("readSettings() refuses words of isolation that do not exist, and none beside others", () => {
  for (
    const text of [
      ",",
      "auth,",
      ",auth",
      "auth,,client",
      "auth, client",
      " auth",
      "Auth",
      "NONE",
      "all",
      "auth;port",
      "auth port",
    ]
  ) {
    const reason = "it must be one of auth, destination, port, client, stream, none";
    assertEquals(problemsOf({ isolate: text }), [`Cannot use --isolate "${text}": ${reason}`]);
  }
  for (const text of ["none,auth", "auth,none", "none,none"]) {
    assertEquals(problemsOf({ isolate: text }), [`Cannot use --isolate "${text}": "none" stands alone`]);
  }
});

pureTest("readSettings() takes 0 for an identity that is never idle too long", () => {
  assertEquals(read({ "identity-idle": "0" }).timeouts.identityIdle, 0);
  assertEquals(read({ "identity-idle": "1ms" }).timeouts.identityIdle, 1);
  assertEquals(read({ "identity-idle": "576h" }).timeouts.identityIdle, 2_073_600_000);
});

pureTest("readSettings() takes every rule, in order, and names each that is none", () => {
  const { allow, deny } = read({ allow: ["*.i2p:80", "B.i2p"], deny: ["*:25", "*:6660-6669"] }).policy;
  assertEquals([allow.map(({ text }) => text), deny.map(({ text }) => text)], [["*.i2p:80", "B.i2p"], [
    "*:25",
    "*:6660-6669",
  ]]);
  assertEquals([allow[0]?.matches("a.i2p", 80), allow[1]?.matches("b.i2p", 1), deny[0]?.matches("a.i2p", 25)], [
    true,
    true,
    true,
  ]);
  assertEquals(problemsOf({ allow: ["a.i2p", "x y"], deny: [":80", "b.i2p", "*:65536"] }), [
    'Cannot use --allow "x y": a rule is HOST, HOST:PORT or HOST:LOW-HIGH, with * for any characters',
    'Cannot use --deny ":80": a rule is HOST, HOST:PORT or HOST:LOW-HIGH, with * for any characters',
    'Cannot use --deny "*:65536": ports go from 0 to 65535, the lower one first',
  ]);
});

pureTest("readSettings() gives a session that is called no ElGamal, unless it is asked for", () => {
  const typesOf = (given: Record<string, string>): string | undefined => optionsOf(given)["i2cp.leaseSetEncType"];
  assertEquals(typesOf({}), "4,0");
  assertEquals(typesOf({ forward: "127.0.0.1:80" }), "4");
  assertEquals(typesOf({ bind: "true" }), "4");
  assertEquals(typesOf({ bind: "true", "lease-set-encryption": "4,0" }), "4,0");
  assertEquals(typesOf({ forward: "127.0.0.1:80", o: "i2cp.leaseSetEncType=0" }), "0");
});

pureTest("readSettings() passes lists of encryption types on", () => {
  for (const text of ["4", "0", "4,0", "6,4", "7,6,5,4", "255"]) {
    assertEquals(optionsOf({ "lease-set-encryption": text }), { ...DEFAULT_OPTIONS, "i2cp.leaseSetEncType": text });
  }
  for (const text of ["x", "6;4", "6, 4", "6,", ",6", "6,,4", "6.4", "-4", "1000", "6 ", "0x4", "6\n"]) {
    const reason = "encryption types are numbers with commas, such as 6,4";
    assertEquals(problemsOf({ "lease-set-encryption": text }), [
      `Cannot use --lease-set-encryption "${text}": ${reason}`,
    ]);
  }
  const both = { "lease-set-encryption": "6,4", o: "i2cp.leaseSetEncType=5" };
  assertEquals(optionsOf(both)["i2cp.leaseSetEncType"], "5");
});

pureTest("readSettings() counts every option of a session against the length of a line", () => {
  const long = (length: number): Given => ({ o: `x.y=${"v".repeat(length)}` });
  const used = Object.entries(DEFAULT_OPTIONS).join(" ").length + " x.y,".length;
  assertEquals(read(long(MAX_SESSION_OPTIONS - used)).sessionOptions["x.y"]?.length, MAX_SESSION_OPTIONS - used);
  assertEquals(problemsOf(long(MAX_SESSION_OPTIONS - used + 1)), [
    `Too many -o options: with ${MAX_SESSION_OPTIONS + 1} characters they do not fit into a line of SAM`,
  ]);
});

type Given = Readonly<Record<string, string | readonly string[]>>;

pureTest("overlay() lets what stands above win, for tunnels and options too", () => {
  const layer = (given: Given): RawOptions =>
    new Map(
      Object.entries(given).map(([name, texts]) => [
        name,
        (typeof texts === "string" ? [texts] : texts).map((text) => ({ text, source: flag(name) })),
      ]),
    );
  const merged = (below: Given, above: Given): Readonly<Record<string, string>> =>
    readSettings(overlay(layer(below), layer(above))).sessionOptions;
  const lengths = (below: Given, above: Given): (string | undefined)[] => {
    const options = merged(below, above);
    return [options["inbound.length"], options["outbound.length"]];
  };
  assertEquals(lengths({ "inbound-length": "2" }, { length: "1" }), ["1", "1"]);
  assertEquals(lengths({ length: "1" }, { "inbound-length": "2" }), ["2", "1"]);
  assertEquals(lengths({ "inbound-length": "2" }, { "outbound-length": "4" }), ["2", "4"]);
  assertEquals(lengths({ o: ["inbound.length=5", "outbound.length=5"] }, { length: "1" }), ["1", "1"]);
  assertEquals(lengths({ o: ["inbound.length=5", "outbound.length=5"] }, { "inbound-length": "1" }), ["1", "5"]);
  assertEquals(lengths({ length: "1" }, { o: ["inbound.length=5"] }), ["5", "1"]);
  const options = merged({ o: ["a.b=1", "c.d=1"] }, { o: ["a.b=2"] });
  assertEquals([options["a.b"], options["c.d"]], ["2", "1"]);
  assertEquals(overlay(layer({ listen: ["1", "2"] }), layer({ listen: "3" })).get("listen")?.length, 1);
});

function flag(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function read(given: Given): Settings {
  return readSettings(
    new Map(
      Object.entries(given).map(([name, texts]) => [
        name,
        (typeof texts === "string" ? [texts] : texts).map((text) => ({ text, source: flag(name) })),
      ]),
    ),
  );
}

function optionsOf(given: Given): Readonly<Record<string, string>> {
  return read(given).sessionOptions;
}

function problemsOf(given: Given): readonly string[] {
  return assertThrows(() => read(given), ConfigError).problems;
}
