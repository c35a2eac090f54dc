import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatCommand, isPlain, parseMessage } from "../../lib/sam/message.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

/** Lines of bridges, and the parts they have. */
const LINES: readonly (readonly [string, string, string, Readonly<Record<string, string>>])[] = [
  ["HELLO REPLY RESULT=OK VERSION=3.1", "HELLO", "REPLY", { RESULT: "OK", VERSION: "3.1" }],
  ["HELLO REPLY RESULT=NOVERSION", "HELLO", "REPLY", { RESULT: "NOVERSION" }],
  ["STREAM STATUS RESULT=OK", "STREAM", "STATUS", { RESULT: "OK" }],
  // Quoted, with spaces, with `=`, with escapes, empty.
  [
    'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="Connection timed out"',
    "STREAM",
    "STATUS",
    { RESULT: "CANT_REACH_PEER", MESSAGE: "Connection timed out" },
  ],
  ['A B M="k=v RESULT=OK" RESULT=NO', "A", "B", { M: "k=v RESULT=OK", RESULT: "NO" }],
  ['A B M="say \\"hi\\" \\\\ now" N=1', "A", "B", { M: 'say "hi" \\ now', N: "1" }],
  ['A B M="ends with a backslash \\\\" N=1', "A", "B", { M: "ends with a backslash \\", N: "1" }],
  ['A B M="" N=1', "A", "B", { M: "", N: "1" }],
  // i2pd writes MESSAGE without quotes, as one word or as many.
  ["A B RESULT=I2P_ERROR MESSAGE=Unknown STYLE", "A", "B", { RESULT: "I2P_ERROR", MESSAGE: "Unknown", STYLE: "true" }],
  ["A B M=it's", "A", "B", { M: "it's" }],
  // Base64 with its padding and `=` elsewhere.
  [
    "SESSION STATUS RESULT=OK DESTINATION=AAcA-~AAAA==",
    "SESSION",
    "STATUS",
    { RESULT: "OK", DESTINATION: "AAcA-~AAAA==" },
  ],
  ["DEST REPLY PUB=a=b=c PRIV==", "DEST", "REPLY", { PUB: "a=b=c", PRIV: "=" }],
  // Keys without a value, and with an empty one.
  ["A B SILENT N=1", "A", "B", { SILENT: "true", N: "1" }],
  ["A B EMPTY= N=1", "A", "B", { EMPTY: "", N: "1" }],
  // The first of two counts.
  ["A B K=1 K=2 K", "A", "B", { K: "1" }],
  // One word, and none.
  ["PING", "PING", "", {}],
  ["STREAM RESULT=OK", "STREAM", "", { RESULT: "OK" }],
  ["QUIT STATUS", "QUIT", "STATUS", {}],
  ["PING 1700000000000", "PING", "1700000000000", {}],
  ["", "", "", {}],
  [" \t ", "", "", {}],
  // Many spaces, tabs, a carriage return.
  ["  HELLO   REPLY \t RESULT=OK   VERSION=3.3 \r", "HELLO", "REPLY", { RESULT: "OK", VERSION: "3.3" }],
  // Not SAM at all.
  ["HTTP/1.1 400 Bad Request", "HTTP/1.1", "400", { Bad: "true", Request: "true" }],
  ["<html>", "<html>", "", {}],
  ["RESULT=OK", "RESULT=OK", "", {}],
  // A name that objects have, and keys that differ in case only.
  ["A B __proto__=1 constructor=2 k=3 K=4", "A", "B", { ["__proto__"]: "1", constructor: "2", k: "3", K: "4" }],
  // Other scripts.
  ['A B MESSAGE="nicht möglich – 不可能"', "A", "B", { MESSAGE: "nicht möglich – 不可能" }],
  // A topic is told from another by case.
  ["hello reply result=ok", "hello", "reply", { result: "ok" }],
];

pureTest("parseMessage() reads the lines of every router", () => {
  for (const [line, topic, kind, values] of LINES) {
    assertEquals(parseMessage(line), { topic, kind, values: new Map(Object.entries(values)) }, line);
  }
});

pureTest("parseMessage() finds what stands before and behind a quote that is not closed", () => {
  const { values } = parseMessage('A B RESULT=NO MESSAGE="cut off in the midd');
  assertEquals(values.get("RESULT"), "NO");
  assertStringIncludes(values.get("MESSAGE") ?? "", "cut");
  assertEquals(parseMessage('A B MESSAGE="cut RESULT=NO').values.get("RESULT"), "NO");
});

pureTest("parseMessage() never throws, and gives text for any line", () => {
  const random = new Random(7656);
  const pieces = [
    "A",
    "RESULT",
    "=",
    "=",
    " ",
    " ",
    "\t",
    '"',
    '"',
    "\\",
    "\\",
    "\r",
    "\0",
    "é",
    "\ud800",
    "==",
    '="',
    " K=v",
  ];
  for (let i = 0; i < 20_000; i++) {
    const line = random.below(4) === 0
      ? random.latin1(random.below(60))
      : Array.from({ length: random.below(30) }, () => random.pick(pieces)).join("");
    const { topic, kind, values } = parseMessage(line);
    assertEquals(/\s/.test(topic + kind), false, JSON.stringify(line));
    assertEquals(kind.includes("="), false, JSON.stringify(line));
    for (const [key, value] of values) {
      assertEquals([/^[^\s=]+$/.test(key), typeof value], [true, "string"], JSON.stringify(line));
    }
  }
});

pureTest("parseMessage() does not take long for lines made to take long", () => {
  const lines = [
    'A B k="\\" '.repeat(2000),
    'A="'.repeat(8000),
    " ".repeat(30_000),
    `A${" ".repeat(30_000)}=`,
    "a".repeat(30_000),
  ];
  for (const line of lines) {
    const begin = performance.now();
    parseMessage(`A B ${line}`);
    parseMessage(line);
    const milliseconds = performance.now() - begin;
    assertEquals(milliseconds < 1000, true, `${milliseconds} ms for ${line.slice(0, 20)}`);
  }
});

pureTest("formatCommand() writes one line with single spaces, in the order given", () => {
  assertEquals(formatCommand("HELLO VERSION", { MIN: "3.1", MAX: "3.1" }), "HELLO VERSION MIN=3.1 MAX=3.1\n");
  assertEquals(formatCommand("PING", {}), "PING\n");
  assertEquals(
    formatCommand("STREAM CONNECT", { ID: "x-1_Y", DESTINATION: "AA-~==" }),
    "STREAM CONNECT ID=x-1_Y DESTINATION=AA-~==\n",
  );
  assertEquals(formatCommand("A B", { "i2cp.leaseSetEncType": "4,0" }), "A B i2cp.leaseSetEncType=4,0\n");
});

pureTest("formatCommand() refuses values that i2pd would take apart", () => {
  for (
    const value of ["", " ", "a b", "a\tb", 'a"b', "a\\b", "a\nb", "a\r", "a\0", "\x7f", "a\x85b", "a\u2028b", "a\xa0b"]
  ) {
    assertThrows(() => formatCommand("A B", { K: value }), TypeError, "Cannot write SAM option", JSON.stringify(value));
    assertThrows(
      () => formatCommand("A B", { [value]: "v" }),
      TypeError,
      "Cannot write SAM option",
      JSON.stringify(value),
    );
  }
  assertThrows(() => formatCommand("A B", { "K=L": "v" }), TypeError, "Cannot write SAM option");
});

pureTest("formatCommand() quotes values of a login only where needed", () => {
  const logins: readonly (readonly [string, string])[] = [
    ["plain", "plain"],
    ["it's", "it's"],
    ["a=b", "a=b"],
    ["two words", '"two words"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ['\\"', '"\\\\\\""'],
    ["", '""'],
    ["pässwörd", "pässwörd"],
  ];
  for (const [password, written] of logins) {
    const line = formatCommand("HELLO VERSION", { MIN: "3.1" }, { USER: "me", PASSWORD: password });
    assertEquals(line, `HELLO VERSION MIN=3.1 USER=me PASSWORD=${written}\n`);
    assertEquals(parseMessage(line).values.get("PASSWORD"), password);
  }
});

pureTest("formatCommand() refuses control characters in a login, and does not show the value", () => {
  for (const password of ["a\nQUIT", "a\r", "a\0", "secret\x1b", "\x7f", "a\x85"]) {
    const error = assertThrows(() => formatCommand("HELLO VERSION", {}, { PASSWORD: password }), TypeError);
    assertEquals(error.message, "Cannot write SAM PASSWORD: it has a control character");
  }
});

pureTest("formatCommand() writes what parseMessage() reads", () => {
  const random = new Random(31);
  for (let i = 0; i < 2000; i++) {
    const values = Object.fromEntries(
      Array.from(
        { length: random.below(6) },
        (_, n) => [`k${n}.x`, `${random.latin1(1 + random.below(9), 0xa1)}=${n}`],
      ),
    );
    const login = { PASSWORD: random.latin1(random.below(9), 0x20).replace(/[\x7f-\x9f]/g, "") };
    const line = formatCommand("A B", values, login);
    assertEquals(line.indexOf("\n"), line.length - 1);
    const expected = new Map(Object.entries({ ...values, ...login }));
    assertEquals(parseMessage(line.slice(0, -1)), { topic: "A", kind: "B", values: expected }, line);
  }
});

pureTest("isPlain() accepts printable text without spaces, quotes and backslashes", () => {
  for (const text of ["a", "4,0", "a=b", "==", "~", "-1", "it's", "é", "不"]) assertEquals(isPlain(text), true, text);
  for (const text of ["", " ", "a b", '"', "\\", "\n", "a\n", "\t", "\0", "\x9b", "\u3000", "\ufeff"]) {
    assertEquals(isPlain(text), false, JSON.stringify(text));
  }
});
