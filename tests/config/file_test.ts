import { assertEquals } from "@std/assert";
import { type ConfigFile, parseConfigFile } from "../../lib/config/file.ts";
import { OPTIONS } from "../../lib/config/options.ts";
import type { RawOptions } from "../../lib/config/raw_options.ts";
import { pureTest } from "../support/pure.ts";

const NOTHING: ConfigFile = { common: new Map(), applications: [] };

pureTest("parseConfigFile() reads common values and several applications, each value with its place", () => {
  const text = `# Two applications
sam: 127.0.0.1:17656
log-level: debug

applications:
  - name: browser
    listen: 9050
    isolate: auth,client
  - name: irc
    # Lasting
    identity: irc
    listen: "[::1]:9051"
`;
  assertEquals(read(text), {
    common: new Map([
      ["sam", [{ text: "127.0.0.1:17656", source: "sam (line 2)" }]],
      ["log-level", [{ text: "debug", source: "log-level (line 3)" }]],
    ]),
    applications: [
      new Map([
        ["name", [{ text: "browser", source: "applications[0].name (line 6)" }]],
        ["listen", [{ text: "9050", source: "applications[0].listen (line 7)" }]],
        ["isolate", [{ text: "auth,client", source: "applications[0].isolate (line 8)" }]],
      ]),
      new Map([
        ["name", [{ text: "irc", source: "applications[1].name (line 9)" }]],
        ["identity", [{ text: "irc", source: "applications[1].identity (line 11)" }]],
        ["listen", [{ text: "[::1]:9051", source: "applications[1].listen (line 12)" }]],
      ]),
    ],
  });
});

pureTest("parseConfigFile() reads a file of common values only", () => {
  assertEquals(read("listen: 9050\n"), {
    common: new Map([["listen", [{ text: "9050", source: "listen (line 1)" }]]]),
    applications: [],
  });
  assertEquals(read("{}"), NOTHING);
});

pureTest("parseConfigFile() reads an application without a value of its own", () => {
  assertEquals(read("applications: [{}, {name: x}]").applications.map((values) => values.size), [0, 1]);
});

pureTest("parseConfigFile() writes numbers and booleans as on the command line", () => {
  const values: readonly (readonly [string, string])[] = [
    ["4447", "4447"],
    ["0", "0"],
    ["-1", "-1"],
    ["1.5", "1.5"],
    ["true", "true"],
    ["false", "false"],
    ["yes", "yes"],
    ["off", "off"],
    ['"0"', "0"],
    ["'true'", "true"],
    ['""', ""],
    ["10m", "10m"],
    ["127.0.0.1:4447", "127.0.0.1:4447"],
    ["localhost:0", "localhost:0"],
    ["6,4", "6,4"],
    ["auth,client", "auth,client"],
    ['"*:25"', "*:25"],
    ["irc.*:6667", "irc.*:6667"],
    ["a value # and a comment", "a value"],
    ['"a # b"', "a # b"],
  ];
  for (const [yaml, text] of values) {
    assertEquals(textsOf(read(`name: ${yaml}`).common, "name"), [text], yaml);
    const { applications } = read(`applications:\n  - name: ${yaml}\n`);
    assertEquals(textsOf(applications[0], "name"), [text], yaml);
  }
});

pureTest("parseConfigFile() reads lists, in block and flow style", () => {
  const lists = [
    "deny: [a.i2p, b.i2p, 80]",
    "deny:\n  - a.i2p\n  - b.i2p\n  - 80",
    "deny:\n- a.i2p\n- b.i2p\n- 80",
    'deny:\n  - "a.i2p" # first\n  # second\n  - b.i2p\n  - 80',
  ];
  for (const text of lists) {
    const expected = ["a.i2p", "b.i2p", "80"].map((value) => ({ text: value, source: "deny (line 1)" }));
    assertEquals(read(text).common.get("deny"), expected, text);
  }
});

pureTest("parseConfigFile() reads options as a mapping and as a list of KEY=VALUE", () => {
  const expected = ["i2p.streaming.profile=2", "inbound.allowZeroHop=true", "x.y=a=b"];
  const texts = [
    "options:\n  i2p.streaming.profile: 2\n  inbound.allowZeroHop: true\n  x.y: a=b\n",
    "options: {i2p.streaming.profile: 2, inbound.allowZeroHop: true, x.y: a=b}",
    "options: [i2p.streaming.profile=2, inbound.allowZeroHop=true, x.y=a=b]",
    "options:\n  - i2p.streaming.profile=2\n  - inbound.allowZeroHop=true\n  - x.y=a=b\n",
  ];
  for (const text of texts) {
    const given = expected.map((value) => ({ text: value, source: "options (line 1)" }));
    assertEquals(read(text), { common: new Map([["o", given]]), applications: [] }, text);
  }
  assertEquals(textsOf(read("options: x.y=1").common, "o"), ["x.y=1"]);
  const { applications } = read("applications:\n  - options:\n      x.y: 1\n");
  assertEquals(applications, [
    new Map([["o", [{ text: "x.y=1", source: "applications[0].options (line 2)" }]]]),
  ]);
});

pureTest("parseConfigFile() keeps options apart that are written alike", () => {
  // What an object of JavaScript would take for its own.
  assertEquals(textsOf(read("options: {__proto__: 1, constructor: 2, toString: 3}").common, "o").sort(), [
    "__proto__=1",
    "constructor=2",
    "toString=3",
  ]);
});

pureTest("parseConfigFile() refuses values that are neither a value nor a list of values", () => {
  const values = ["{a: 1}", "[]", "[[1]]", "[{a: 1}]", "[a, {b: 1}]"];
  for (const value of values) {
    assertEquals(problemsOf(`name: ${value}`), ["name (line 1) is not a value or a list of values"], value);
  }
  for (const value of ["[]", "{a: [1]}", "{a: {b: 1}}", "[{a: 1}]"]) {
    assertEquals(problemsOf(`options: ${value}`), ["options (line 1) is not a value or a list of values"], value);
  }
  assertEquals(problemsOf("name: [a, b]"), ["name (line 1) takes one value, not 2"]);
});

pureTest("parseConfigFile() refuses unknown keys, and says which was meant", () => {
  const keys: readonly (readonly [string, string | undefined])[] = [
    ["lisen", "listen"],
    ["Listen", "listen"],
    ["log_level", "log-level"],
    ["max-identity", "max-identities"],
    ["option", "options"],
    ["application", "applications"],
    ["aplications", "applications"],
    ["--listen", "listen"],
    ["connectTimeout", "connect-timeout"],
    ["frobnicate", undefined],
    ["o", undefined],
    ["config", undefined],
    ["check-config", undefined],
    ["help", undefined],
    ["__proto__", undefined],
    ["constructor", undefined],
    ["5", undefined],
  ];
  for (const [key, meant] of keys) {
    const line = key.startsWith("-") ? "" : " (line 2)";
    const suffix = meant === undefined ? "" : `. Did you mean "${meant}"?`;
    assertEquals(problemsOf(`name: x\n${key}: 1\n`), [`Unknown option "${key}"${line}${suffix}`]);
  }
  assertEquals(problemsOf("applications:\n  - name: x\n    lsten: 1\n"), [
    'Unknown option "applications[0].lsten" (line 3). Did you mean "listen"?',
  ]);
});

pureTest("parseConfigFile() keeps no value of an unknown key, which may be a secret, in its problem", () => {
  assertEquals(problemsOf("sam-password: hunter2\n").join().includes("hunter2"), false);
});

pureTest("parseConfigFile() wants options of the process at the top", () => {
  for (const { name } of OPTIONS.filter(({ scope }) => scope === "process")) {
    assertEquals(textsOf(read(`${name}: true`).common, name), ["true"]);
    const { problems, file } = parse(`applications:\n  - name: x\n    ${name}: true\n`);
    const place = `applications[0].${name} (line 3)`;
    assertEquals(problems, [`${place} applies to all applications: put it at the top of the file`]);
    assertEquals(file.applications[0]?.has(name), false);
  }
});

pureTest("parseConfigFile() finds the lines of keys in block style", () => {
  const text = `# name: not this one
---
"sam" : 127.0.0.1:1
'log-level': info   # name: nor this one

# applications:
log-format: text
applications:
  # - a comment with a hyphen
  - # nothing here
    # name: nor this
    name: a

    "listen": 1
    deny:
    - a.i2p
    -   b.i2p
    'allow': [c.i2p]
  -
    options:
      - x.y=1
      - z.y=1
    name: b
    listen:
      -
        2
      - 3

  -   listen: 4
      name: c
name: d
`;
  const { common, applications } = read(text);
  const sources = [common, ...applications].map((values) => [...values.values()].map(([first]) => first?.source));
  assertEquals(sources, [
    ["sam (line 3)", "log-level (line 4)", "log-format (line 7)", "name (line 31)"],
    [
      "applications[0].name (line 12)",
      "applications[0].listen (line 14)",
      "applications[0].deny (line 15)",
      "applications[0].allow (line 18)",
    ],
    ["applications[1].o (line 20)", "applications[1].name (line 23)", "applications[1].listen (line 24)"].map((place) =>
      place.replace(".o ", ".options ")
    ),
    ["applications[2].listen (line 29)", "applications[2].name (line 30)"],
  ]);
});

pureTest("parseConfigFile() finds the lines of applications that are not indented, and with CRLF", () => {
  const text = "applications:\n- name: a\n  listen: 1\n-\n  name: b\n- listen: 2\nsam: 127.0.0.1:1\n";
  for (const written of [text, text.replaceAll("\n", "\r\n")]) {
    const { common, applications } = read(written);
    assertEquals(
      [...applications, common].flatMap((values) => [...values.values()].map(([first]) => first?.source)),
      [
        "applications[0].name (line 2)",
        "applications[0].listen (line 3)",
        "applications[1].name (line 5)",
        "applications[2].listen (line 6)",
        "sam (line 7)",
      ],
    );
  }
});

pureTest("parseConfigFile() finds the lines of keys below a dash that has only blanks or a comment behind it", () => {
  for (const dash of ["-", "- ", "-   ", "-\t", "- # one", "-   # one"]) {
    for (const column of [1, 2, 6]) {
      const text = `applications:\n${dash}\n${" ".repeat(column)}name: a\n${dash}\n${" ".repeat(column)}name: b\n`;
      assertEquals(
        read(text).applications.map((values) => values.get("name")?.[0]?.source),
        ["applications[0].name (line 3)", "applications[1].name (line 5)"],
        JSON.stringify(text),
      );
    }
  }
});

pureTest("parseConfigFile() names no line in flow style, rather than a wrong one", () => {
  const { common, applications } = read("{sam: 127.0.0.1:1,\n applications: [{name: a}, {name: b}]}");
  assertEquals(common.get("sam"), [{ text: "127.0.0.1:1", source: "sam" }]);
  assertEquals(applications.map((values) => values.get("name")?.[0]?.source), [
    "applications[0].name",
    "applications[1].name",
  ]);
  assertEquals(
    read("applications:\n  - {name: a}\n  - name: b\n").applications.map((v) => v.get("name")?.[0]?.source),
    [
      "applications[0].name",
      "applications[1].name (line 3)",
    ],
  );
});

pureTest("parseConfigFile() does not take a key for another that begins like it", () => {
  const { common } = read("sam-user: a\nsam: 127.0.0.1:1\n");
  assertEquals([...common.values()].map(([first]) => first?.source), ["sam-user (line 1)", "sam (line 2)"]);
  assertEquals(
    read("applications:\n  - name: x\n    max-identities: 1\n    identity: 2\n").applications[0]?.get("identity"),
    [
      { text: "2", source: "applications[0].identity (line 4)" },
    ],
  );
});

pureTest("parseConfigFile() says that a file is no YAML, and where", () => {
  for (
    const text of ["a: {b: ", "name: x\n  listen: 1\n", "name: 'x\n", "sam: [::1]:7656\n", "deny: *:25\n", "a: b: c"]
  ) {
    const { problems, file } = parse(text);
    assertEquals(problems.length, 1, text);
    assertEquals(/^The file is not valid YAML: .+line \d+, column \d+$/.test(problems[0] ?? ""), true, problems[0]);
    assertEquals(file, NOTHING);
  }
});

pureTest("parseConfigFile() refuses a key given twice, and several documents", () => {
  for (const text of ["name: a\nname: b\n", "applications:\n  - name: a\n    name: b\n", "name: a\n---\nname: b\n"]) {
    const { problems } = parse(text);
    assertEquals([problems.length, problems[0]?.startsWith("The file is not valid YAML: ")], [1, true], text);
  }
});

pureTest("parseConfigFile() refuses a file that is empty, a list or a scalar", () => {
  for (
    const text of ["", "\n\n", "# only a comment\n", "---\n", "null", "- name: x\n", "[]", "name", "5", "true", '"x"']
  ) {
    const what = /^(?:\s*|#.*\n|---\n)$/.test(text) ? "is empty" : "is not a mapping";
    const problem =
      `The file ${what}: it needs options, one a line as "listen: 127.0.0.1:9101", or a list "applications"`;
    assertEquals(parse(text), { problems: [problem], file: NOTHING }, text);
  }
});

pureTest("parseConfigFile() refuses applications that are no list of mappings", () => {
  for (const value of ["", "null", "~", "x", "5", "false", "{}", "{name: x}", "[x]", "[[{name: x}]]", "[null]"]) {
    assertEquals(parse(`applications: ${value}\n`), {
      problems: ['"applications" must be a list of mappings'],
      file: NOTHING,
    }, value);
  }
  assertEquals(problemsOf("applications: []\n"), [
    '"applications" is empty: name an application, or leave "applications" out',
  ]);
});

pureTest("parseConfigFile() reports every problem at once, in the order of the file", () => {
  const text = `lisen: 1
name:
log-level: debug
applications:
  - nmae: x
    log-level: debug
    deny: [[1]]
  - options: {a: [1]}
    frobnicate: 1
`;
  const { problems, file } = parse(text);
  assertEquals(problems, [
    'Unknown option "lisen" (line 1). Did you mean "listen"?',
    "name (line 2) is not a value or a list of values",
    'Unknown option "applications[0].nmae" (line 5). Did you mean "name"?',
    "applications[0].log-level (line 6) applies to all applications: put it at the top of the file",
    "applications[0].deny (line 7) is not a value or a list of values",
    "applications[1].options (line 8) is not a value or a list of values",
    'Unknown option "applications[1].frobnicate" (line 9)',
  ]);
  assertEquals([[...file.common.keys()], file.applications.map((values) => values.size)], [["log-level"], [0, 0]]);
});

pureTest("parseConfigFile() goes on behind applications that are no list", () => {
  assertEquals(problemsOf("applications: 5\nlisen: 1\n"), [
    '"applications" must be a list of mappings',
    'Unknown option "lisen" (line 2). Did you mean "listen"?',
  ]);
});

pureTest("parseConfigFile() takes anchors for what they stand for", () => {
  const { applications } = read("applications:\n  - listen: &port 1\n  - name: b\n    listen: *port\n");
  assertEquals(applications.map((values) => values.get("listen")?.[0]?.text), ["1", "1"]);
});

pureTest("parseConfigFile() leaves values as they are written, and joins lists of words", () => {
  const text = "name: 007\nidentity: 1e3\nsam: 1.10\nconnect-timeout: 0x10\nlength: 1_000\nisolate: [auth, client]\n";
  assertEquals([...read(text).common].map(([, [first]]) => first?.text), [
    ...["007", "1e3", "1.10", "0x10", "1_000"],
    "auth,client",
  ]);
});

pureTest("parseConfigFile() quotes nothing of a file that is no YAML", () => {
  const [problem = ""] = problemsOf("options:\n  i2cp.leaseSetPrivKey: secret\n bad: [\n");
  assertEquals(problem.startsWith("The file is not valid YAML: "), true);
  assertEquals(problem.includes("secret") || problem.includes("\n"), false);
});

function parse(text: string): { problems: string[]; file: ConfigFile } {
  const problems: string[] = [];
  return { file: parseConfigFile(text, problems), problems };
}

function problemsOf(text: string): string[] {
  return parse(text).problems;
}

/** What a file says that has no problem. */
function read(text: string): ConfigFile {
  const { problems, file } = parse(text);
  assertEquals(problems, [], text);
  return file;
}

function textsOf(values: RawOptions | undefined, name: string): string[] {
  return (values?.get(name) ?? []).map(({ text }) => text);
}
