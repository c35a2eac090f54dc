import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Arguments, parseArguments, SEVERAL_SERVICES } from "../../lib/command/arguments.ts";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import { flagOf, isNegatable, OPTIONS, variableOf, VERBS } from "../../lib/config/options.ts";
import { pureTest } from "../support/pure.ts";

pureTest("parseArguments() serves where no verb is given", () => {
  assertEquals(parse([]), { verb: "serve", isNamed: false, operands: [], given: new Map() });
  assertEquals(parse(["serve"]), { verb: "serve", isNamed: true, operands: [], given: new Map() });
});

pureTest("parseArguments() reads every verb and the words behind it", () => {
  for (const verb of VERBS) {
    assertEquals(parse([verb, "a.i2p", "b"]), { verb, isNamed: true, operands: ["a.i2p", "b"], given: new Map() });
  }
  assertEquals(parse(["lookup", "0x10", "1e3", "007", "-", ""]).operands, ["0x10", "1e3", "007", "-", ""]);
  assertEquals(parse(["lookup", "--", "--sam", "-x"]).operands, ["--sam", "-x"]);
  // Names of what every object of JavaScript has.
  assertEquals(parse(["lookup", "toString", "constructor"]).operands, ["toString", "constructor"]);
});

pureTest("parseArguments() finds the verb before, between and behind options", () => {
  for (
    const args of ["lookup a.i2p --sam 1", "lookup --sam 1 a.i2p", "--sam 1 lookup a.i2p", "--sam=1 lookup -- a.i2p"]
  ) {
    const { verb, operands, given } = parse(args.split(" "));
    assertEquals([verb, operands, textsOf(given, "sam")], ["lookup", ["a.i2p"], ["1"]], args);
  }
});

pureTest("parseArguments() refuses an unknown verb, and says which was meant", () => {
  for (
    const [word, meant] of [["lokup", "lookup"], ["sevre", "serve"], ["hlep", "help"], ["serv", "serve"], [
      "look-up",
      "lookup",
    ]] as const
  ) {
    assertRefused([word], `Unknown verb "${word}"`, [`Did you mean ${meant}?`, "See i2p-socks --help"]);
  }
  for (const word of ["frobnicate", "-", "", "start.i2p"]) {
    assertRefused([word], `Unknown verb "${word}"`, ["See i2p-socks --help"]);
  }
  for (const word of ["9100", "127.0.0.1:9100"]) {
    assertRefused([word], `Unknown verb "${word}"`, [`To listen there: --listen ${word}`, "See i2p-socks --help"]);
  }
});

/** How parseArguments() takes each form of an option with a value, and of a flag: its texts, or the error. */
const VALUE_FORMS: readonly (readonly [args: (flag: string, name: string) => string[], expected: Expected])[] = [
  [(flag) => [flag, "x=y"], ["x=y"]],
  [(flag) => [`${flag}=x=y`], ["x=y"]],
  [(flag) => [flag, "-1"], ["-1"]],
  [(flag) => [flag, "1", `${flag}=2`, flag, "3"], ["1", "2", "3"]],
  [(flag) => [`${flag}=`], [""]],
  [(flag) => [flag, ""], [""]],
  [(flag) => [flag], [""]],
  [(flag) => [flag, flag, "1"], ["", "1"]],
  [(flag) => [flag, `${flag}=1`], ["", "1"]],
  [(_, name) => [`--no-${name}`], "unknown"],
  [(_, name) => [`--no-${name}=0`], "unknown"],
  [(_, name) => [`--no-${name}`, "0"], "unknown"],
];

const FLAG_FORMS: typeof VALUE_FORMS = [
  [(flag) => [flag], ["true"]],
  [(flag) => [flag, flag], ["true", "true"]],
  [(flag) => [`${flag}=`], "no value"],
  [(flag) => [`${flag}=true`], "no value"],
  [(flag) => [`${flag}=false`], "no value"],
];

const NEGATABLE_FORMS: typeof VALUE_FORMS = [
  ...FLAG_FORMS,
  [(_, name) => [`--no-${name}`], ["false"]],
  [(flag, name) => [flag, `--no-${name}`], ["true", "false"]],
  [(flag, name) => [`--no-${name}`, flag], ["false", "true"]],
  [(_, name) => [`--no-${name}=1`], "no value"],
  [(_, name) => [`--no-${name}=`], "no value"],
  [(_, name) => [`--no-no-${name}`], "unknown"],
];

const OTHER_FLAG_FORMS: typeof VALUE_FORMS = [
  ...FLAG_FORMS,
  [(_, name) => [`--no-${name}`], "unknown"],
  [(_, name) => [`--no-${name}=1`], "unknown"],
];

/** Texts of the values, or why the form is refused. */
type Expected = readonly string[] | "unknown" | "no value";

pureTest("parseArguments() takes or refuses every form of every option", () => {
  for (const option of OPTIONS) {
    const forms = option.value !== undefined ? VALUE_FORMS : isNegatable(option) ? NEGATABLE_FORMS : OTHER_FLAG_FORMS;
    for (const [form, expected] of forms) {
      const args = [option.verbs[0] ?? "serve", ...form(flagOf(option), option.name)];
      if (typeof expected === "string") {
        const { code, message } = assertThrows(() => parse(args), CliError, undefined, args.join(" "));
        const [flag] = args[1]?.split("=") ?? [];
        const problem = expected === "unknown" ? `Unknown option "${flag}"` : `${flag} takes no value`;
        assertEquals([code, message], [ExitCode.usage, problem], args.join(" "));
      } else {
        const { given, operands } = parse(args);
        assertEquals([textsOf(given, option.name), operands], [[...expected], []], args.join(" "));
        assertEquals(given.size, 1, args.join(" "));
      }
    }
  }
});

pureTest("parseArguments() names the flag that was typed as a value's source", () => {
  assertEquals(parse(["--udp", "--no-udp"]).given.get("udp"), [
    { text: "true", source: "--udp" },
    { text: "false", source: "--no-udp" },
  ]);
  assertEquals(parse(["-h"]).given.get("help"), [{ text: "true", source: "-h" }]);
});

pureTest("parseArguments() takes values that begin with a hyphen, look like numbers or are empty", () => {
  for (const value of ["-1", "-7", "-", "-x", "007", "1e3", "true", "false", "a b", "", "0"]) {
    assertEquals(textsOf(parse(["--variance", value]).given, "variance"), [value]);
    assertEquals(textsOf(parse([`--variance=${value}`]).given, "variance"), [value]);
  }
  assertEquals(textsOf(parse(["--inbound-variance", "-1", "--outbound-variance", "-2"]).given, "outbound-variance"), [
    "-2",
  ]);
});

pureTest("parseArguments() takes no mistyped option, and no --, for a value", () => {
  assertThrows(() => parse(["--name", "--udpp"]), CliError, 'Unknown option "--udpp"');
  const { given, operands } = parse(["lookup", "--sam", "--", "a.i2p"]);
  assertEquals([textsOf(given, "sam"), operands], [[""], ["a.i2p"]]);
  assertEquals(textsOf(parse(["--name=--udp"]).given, "name"), ["--udp"]);
});

pureTest("parseArguments() passes options on as they are", () => {
  const { given } = parse(["-o", "i2cp.x=1", "-o", "A=B", "-o", "k==", "-o", "-x=1"]);
  assertEquals(given.get("o"), ["i2cp.x=1", "A=B", "k==", "-x=1"].map((text) => ({ text, source: "-o" })));
});

pureTest("parseArguments() keeps every value of an option given more than once, in order", () => {
  const { given } = parse(["--listen", "1", "--sam", "a", "--listen=2", "--sam=b", "--listen", "3"]);
  assertEquals(textsOf(given, "listen"), ["1", "2", "3"]);
  assertEquals(textsOf(given, "sam"), ["a", "b"]);
});

pureTest("parseArguments() takes no value for a switch from the next word", () => {
  for (const args of [["--help", "lookup", "a.i2p"], ["lookup", "--help", "a.i2p"], ["lookup", "a.i2p", "--help"]]) {
    const { verb, operands, given } = parse(args);
    assertEquals([verb, operands, textsOf(given, "help")], ["lookup", ["a.i2p"], ["true"]]);
  }
});

pureTest("parseArguments() knows --help and --version for every verb", () => {
  for (const verb of VERBS) {
    for (const name of ["help", "version"]) {
      assertEquals(parse([verb, `--${name}`]).given, new Map([[name, [{ text: "true", source: `--${name}` }]]]));
    }
  }
  assertEquals(parse(["--help"]).verb, "serve");
});

pureTest("parseArguments() refuses an option of another verb", () => {
  for (const option of OPTIONS) {
    for (const verb of VERBS.filter((v) => !option.verbs.includes(v))) {
      const args = [verb, flagOf(option), ...(option.value === undefined ? [] : ["1"])];
      // With a name, somebody wants several services.
      const advice = verb === "service" && option.name === "name" ? [SEVERAL_SERVICES] : [];
      assertRefused(args, `${verb} has no option ${flagOf(option)}`, advice);
    }
  }
});

pureTest("parseArguments() refuses an unknown option, and says which was meant", () => {
  const options: readonly (readonly [readonly string[], string, string | undefined])[] = [
    [["--lsten", "1"], "--lsten", "--listen"],
    [["--listen-on=127.0.0.1:1"], "--listen-on", "--listen"],
    [["--sam-pasword-file=x"], "--sam-pasword-file", "--sam-password-file"],
    [["--log-destination", "lookup"], "--log-destination", "--log-destinations"],
    [["lookup", "a.i2p", "--sma=1"], "--sma", "--sam"],
    [["-listen", "1"], "-listen", "--listen"],
    [["--Listen=1"], "--Listen", "--listen"],
    [["--no-help"], "--no-help", "--help"],
    [["--no-length=0"], "--no-length", "--length"],
    [["--sam.x=1"], "--sam.x", "--sam"],
    [["--identity-of-the-whole-application"], "--identity-of-the-whole-application", undefined],
    [["--constructor"], "--constructor", undefined],
    [["--__proto__=1"], "--__proto__", undefined],
  ];
  for (const [args, flag, meant] of options) {
    const hints = meant === undefined ? [] : [`Did you mean ${meant}?`];
    assertRefused(args, `Unknown option "${flag}"`, [...hints, "See i2p-socks --help"]);
  }
});

pureTest("parseArguments() knows what people type who come from other programs", () => {
  const words: readonly (readonly [args: string, hint: string])[] = [
    ["--port 9050", "--listen 9050"],
    ["--port=9050", "--listen 9050"],
    ["--port", "--listen PORT"],
    ["--socks 127.0.0.1:9050", "--listen 127.0.0.1:9050"],
    ["-p 9050", "--listen 9050"],
    ["-p9050", "--listen 9050"],
    ["-s", "--quiet"],
    ["--silent", "--quiet"],
    ["--hops", "--length"],
    ["-v", "--log-level debug"],
    ["--verbose", "--log-level debug"],
    ["version", "i2p-socks --version"],
    ["doctor", "i2p-socks check"],
    ["init", "i2p-socks config init"],
    ["install", "i2p-socks works at once"],
  ];
  for (const [args, hint] of words) {
    const { code, hints } = assertThrows(() => parse(args.split(" ")), CliError);
    assertEquals([code, hints.length, hints[0]?.includes(hint)], [ExitCode.usage, 2, true], `${args}: ${hints}`);
  }
});

pureTest("parseArguments() does not repeat the value of an unknown option, which may be a secret", () => {
  const error = assertThrows(() => parse(["--sam-password=hunter2"]), CliError);
  assertEquals(`${error.message} ${error.hints}`.includes("hunter2"), false);
  assertStringIncludes(error.message, "--sam-password");
});

pureTest("parseArguments() falls back to the environment for each setting, and names the variable", () => {
  for (const option of OPTIONS) {
    const source = variableOf(option);
    assertEquals(source === undefined, option.scope === "call", option.name);
    if (source === undefined) continue;
    for (const verb of VERBS) {
      const expected = option.verbs.includes(verb) ? new Map([[option.name, [{ text: "x=y", source }]]]) : new Map();
      assertEquals(parse([verb], { [source]: "x=y" }).given, expected, `${verb} ${source}`);
    }
  }
  assertEquals(["log-level", "o", "udp"].map((name) => variableNamed(name)), [
    "I2P_SOCKS_LOG_LEVEL",
    "I2P_SOCKS_OPTIONS",
    "I2P_SOCKS_UDP",
  ]);
});

pureTest("parseArguments() takes spaces in a variable for several values where an option may be repeated", () => {
  const env = { I2P_SOCKS_LISTEN: " 1  2\n3 ", I2P_SOCKS_OPTIONS: "a.b=1 c.d=2", I2P_SOCKS_KEYS_DIR: "/a folder" };
  const { given } = parse([], env);
  assertEquals(textsOf(given, "listen"), ["1", "2", "3"]);
  assertEquals(textsOf(given, "o"), ["a.b=1", "c.d=2"]);
  assertEquals(textsOf(given, "keys-dir"), ["/a folder"]);
});

pureTest("parseArguments() prefers what the command line says to the environment", () => {
  const { given } = parse(["--listen", "1", "--sam="], { I2P_SOCKS_LISTEN: "2", I2P_SOCKS_SAM: "3" });
  assertEquals(given.get("listen"), [{ text: "1", source: "--listen" }]);
  assertEquals(given.get("sam"), [{ text: "", source: "--sam" }]);
});

pureTest("parseArguments() takes an empty variable for none", () => {
  assertEquals(parse([], { I2P_SOCKS_LISTEN: "" }).given, new Map());
});

pureTest("parseArguments() lays the command line over the environment as over a file", () => {
  const { given } = parse(["--length", "1", "--deny", "b.i2p", "-o", "x.y=2", "--no-udp"], {
    I2P_SOCKS_INBOUND_LENGTH: "3",
    I2P_SOCKS_DENY: "a.i2p",
    I2P_SOCKS_ALLOW: "*",
    I2P_SOCKS_OPTIONS: "x.y=1 outbound.length=5",
    I2P_SOCKS_UDP: "true",
  });
  assertEquals(given.has("inbound-length"), false);
  assertEquals(textsOf(given, "deny"), ["a.i2p", "b.i2p"], "what the environment forbids stays forbidden");
  assertEquals([textsOf(given, "allow"), textsOf(given, "o")], [["*"], ["x.y=1", "x.y=2"]]);
  assertEquals(textsOf(given, "udp"), ["false"]);
});

pureTest("parseArguments() asks only for variables that the verb has use for", () => {
  const asked = (args: readonly string[]): string[] => {
    const names: string[] = [];
    parseArguments(args, (name) => {
      names.push(name);
      return undefined;
    });
    return names.sort();
  };
  assertEquals(asked(["lookup", "a.i2p"]), ["I2P_SOCKS_SAM", "I2P_SOCKS_SAM_PASSWORD_FILE", "I2P_SOCKS_SAM_USER"]);
  assertEquals(asked(["lookup", "a.i2p", "--sam=1", "--sam-user=x", "--sam-password-file=y"]), []);
  assertEquals(asked(["setup"]), ["I2P_SOCKS_LISTEN", "I2P_SOCKS_NAME", "I2P_SOCKS_QUIET"]);
  assertEquals(asked(["status"]), ["I2P_SOCKS_NAME"]);
  assertEquals(asked(["serve", "--listen", "1"]).includes("I2P_SOCKS_LISTEN"), false);
  assertEquals(asked(["serve", "--deny", "*"]).includes("I2P_SOCKS_DENY"), true, "those of both places count");
  for (const args of [["hash-login", "me"], ["help"], ["--help"], ["lookup", "--version"]]) {
    assertEquals(asked(args), [], args.join(" "));
  }
});

pureTest("parseArguments() refuses a mistyped variable, and says which was meant", () => {
  const slips: readonly (readonly [name: string, hint: string])[] = [
    ["LISTN", "Did you mean I2P_SOCKS_LISTEN?"],
    ["LSITEN", "Did you mean I2P_SOCKS_LISTEN?"],
    ["LISTENN", "Did you mean I2P_SOCKS_LISTEN?"],
    ["LISTENS", "Did you mean I2P_SOCKS_LISTEN?"],
    ["PORT", "Did you mean I2P_SOCKS_LISTEN?"],
    ["LOGLEVEL", "Did you mean I2P_SOCKS_LOG_LEVEL?"],
    ["SAM_PASSWORD", "Did you mean I2P_SOCKS_SAM_PASSWORD_FILE?"],
    ["HOSTS_FILE", "Did you mean I2P_SOCKS_HOSTS?"],
    ["MAX_CONNECTION", "Did you mean I2P_SOCKS_MAX_CONNECTIONS?"],
    ["O", "Did you mean I2P_SOCKS_OPTIONS?"],
    ["JSON", "--json works on the command line only"],
    ["VERSION", "--version works on the command line only"],
  ];
  const parseWith = (args: readonly string[], set: string): Arguments =>
    parseArguments(args, () => undefined, (names) => [...names].find((name) => name === set));
  for (const [name, hint] of slips) {
    for (const verb of ["serve", "lookup", "connect"]) {
      const error = assertThrows(() => parseWith([verb], `I2P_SOCKS_${name}`), CliError, undefined, name);
      assertEquals([error.code, error.message, [...error.hints]], [
        ExitCode.usage,
        `Unknown environment variable I2P_SOCKS_${name}`,
        [hint],
      ]);
    }
    // Whoever asks for help gets it, and verbs without settings pass the environment over.
    for (const args of [["--help"], ["hash-login"], ["completions"]]) parseWith(args, `I2P_SOCKS_${name}`);
  }
  // No variable of an option is refused, though another verb may have it, and none that the tests use.
  for (const option of OPTIONS) parseWith(["serve"], variableOf(option) ?? "");
  for (const name of ["EXECUTABLE", "REQUIRE_E2E", "CHAOS_ROUNDS", "PICTURES", "PROBE"]) {
    parseWith(["serve"], `I2P_SOCKS_${name}`);
  }
});

pureTest("parseArguments() never cuts a piece out of -oKEY=VALUE", () => {
  for (const text of ["A=B", "a=b=c", "i2p.streaming.profile=2"]) {
    assertEquals(textsOf(parse([`-o${text}`]).given, "o"), [text]);
  }
});

pureTest("parseArguments() knows -h and -V, and takes no other short option for -o", () => {
  assertEquals(textsOf(parse(["-h"]).given, "help"), ["true"]);
  assertEquals(textsOf(parse(["-V"]).given, "version"), ["true"]);
  for (const flag of ["-v", "-1"]) {
    const { message, hints } = assertThrows(() => parse([flag]), CliError);
    assertEquals(message, `Unknown option "${flag}"`);
    assertEquals(hints.includes("Did you mean -o?"), false, flag);
  }
});

function variableNamed(name: string): string | undefined {
  const option = OPTIONS.find((one) => one.name === name);
  return option && variableOf(option);
}

function parse(args: readonly string[], env: Readonly<Record<string, string>> = {}): Arguments {
  return parseArguments(args, (name) => env[name]);
}

function textsOf(given: Arguments["given"], name: string): string[] {
  return (given.get(name) ?? []).map(({ text }) => text);
}

function assertRefused(args: readonly string[], message: string, hints: readonly string[]): void {
  const error = assertThrows(() => parse(args), CliError);
  assertEquals([error.code, error.message, [...error.hints]], [ExitCode.usage, message, [...hints]]);
}
