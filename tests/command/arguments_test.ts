import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Arguments, parseArguments } from "../../lib/command/arguments.ts";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import { flagOf, OPTIONS, VERBS } from "../../lib/command/options.ts";
import { pureTest } from "../support/pure.ts";

pureTest("parseArguments() serves where no verb is given", () => {
  assertEquals(parse([]), { verb: "serve", operands: [], given: new Map() });
  assertEquals(parse(["serve"]), { verb: "serve", operands: [], given: new Map() });
});

pureTest("parseArguments() reads every verb and the words behind it", () => {
  for (const verb of VERBS) {
    assertEquals(parse([verb, "a.i2p", "b"]), { verb, operands: ["a.i2p", "b"], given: new Map() });
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

pureTest("parseArguments() takes a value behind a space and behind =", () => {
  for (const option of OPTIONS) {
    const flag = flagOf(option);
    const verb = option.verbs[0] ?? "serve";
    if (option.value === undefined) {
      assertEquals(parse([verb, flag]).given, new Map([[option.name, [{ text: "true", source: flag }]]]));
    } else {
      const expected = new Map([[option.name, [{ text: "x=y", source: flag }]]]);
      assertEquals(parse([verb, flag, "x=y"]), { verb, operands: [], given: expected });
      assertEquals(parse([verb, `${flag}=x=y`]), { verb, operands: [], given: expected });
    }
  }
});

pureTest("parseArguments() takes values that begin with a hyphen, look like numbers or are empty", () => {
  for (const value of ["-1", "-7", "--", "-", "--x", "007", "1e3", "true", "false", "a b", "", "0"]) {
    assertEquals(textsOf(parse(["--variance", value]).given, "variance"), [value]);
    assertEquals(textsOf(parse([`--variance=${value}`]).given, "variance"), [value]);
  }
  assertEquals(textsOf(parse(["--inbound-variance", "-1", "--outbound-variance", "-2"]).given, "outbound-variance"), [
    "-2",
  ]);
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

pureTest("parseArguments() gives an option without its value an empty one", () => {
  for (const args of [["--sam"], ["--sam="], ["--sam", ""], ["lookup", "a.i2p", "--sam"]]) {
    assertEquals(parse(args).given, new Map([["sam", [{ text: "", source: "--sam" }]]]));
  }
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
      assertRefused(args, `${flagOf(option)} is no option of ${verb}`, []);
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

pureTest("parseArguments() does not repeat the value of an unknown option, which may be a secret", () => {
  const error = assertThrows(() => parse(["--sam-password=hunter2"]), CliError);
  assertEquals(`${error.message} ${error.hints}`.includes("hunter2"), false);
  assertStringIncludes(error.message, "--sam-password");
});

pureTest("parseArguments() falls back to the environment, and names the variable", () => {
  const env = {
    I2P_SOCKS_LISTEN: "9050",
    I2P_SOCKS_SAM: "127.0.0.1:1",
    I2P_SOCKS_KEYS_DIR: "/k",
    I2P_SOCKS_CONFIG: "/c",
    I2P_SOCKS_NAME: "not a variable",
  };
  assertEquals(
    parse([], env).given,
    new Map([
      ["listen", [{ text: "9050", source: "I2P_SOCKS_LISTEN" }]],
      ["sam", [{ text: "127.0.0.1:1", source: "I2P_SOCKS_SAM" }]],
      ["keys-dir", [{ text: "/k", source: "I2P_SOCKS_KEYS_DIR" }]],
      ["config", [{ text: "/c", source: "I2P_SOCKS_CONFIG" }]],
    ]),
  );
});

pureTest("parseArguments() prefers what the command line says to the environment", () => {
  const { given } = parse(["--listen", "1", "--sam="], { I2P_SOCKS_LISTEN: "2", I2P_SOCKS_SAM: "3" });
  assertEquals(given.get("listen"), [{ text: "1", source: "--listen" }]);
  assertEquals(given.get("sam"), [{ text: "", source: "--sam" }]);
});

pureTest("parseArguments() takes an empty variable for none", () => {
  assertEquals(parse([], { I2P_SOCKS_LISTEN: "" }).given, new Map());
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
  assertEquals(asked([]), ["I2P_SOCKS_CONFIG", "I2P_SOCKS_KEYS_DIR", "I2P_SOCKS_LISTEN", "I2P_SOCKS_SAM"]);
  assertEquals(asked(["--listen", "1"]), ["I2P_SOCKS_CONFIG", "I2P_SOCKS_KEYS_DIR", "I2P_SOCKS_SAM"]);
  assertEquals(asked(["--config=x", "--keys-dir", "y"]), ["I2P_SOCKS_LISTEN", "I2P_SOCKS_SAM"]);
  assertEquals(asked(["lookup", "a.i2p"]), ["I2P_SOCKS_SAM"]);
  assertEquals(asked(["keys", "list"]), ["I2P_SOCKS_KEYS_DIR", "I2P_SOCKS_SAM"]);
  assertEquals(asked(["hash-login", "me"]), []);
  assertEquals(asked(["connect", "a.i2p", "1"]), ["I2P_SOCKS_KEYS_DIR", "I2P_SOCKS_SAM", "I2P_SOCKS_VIA"]);
  assertEquals(asked(["help"]), []);
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

pureTest("parseArguments() refuses a value for a switch", () => {
  for (const args of [["--help=foo"], ["--log-destinations=off"], ["--log-destinations=no"]]) {
    assertThrows(() => parse(args), CliError, "", `${args}`);
  }
});

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
