import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatCommand, isPlain, parseMessage } from "../../lib/sam/message.ts";
import type { Random } from "../support/random.ts";
import { splitPlain, splitQuoted } from "../sam_bridge/line.ts";
import type { Target } from "./engine.ts";
import { mutateText } from "./mutate.ts";

/** Pieces of SAM lines. */
const TOKENS = [
  "HELLO REPLY ",
  "STREAM STATUS ",
  "SESSION STATUS ",
  "RESULT=OK",
  "RESULT=CANT_REACH_PEER",
  " MESSAGE=",
  ' MESSAGE="',
  " VERSION=3.1",
  "=",
  '="',
  '" ',
  '\\"',
  "\\\\",
  " ",
  "\t",
  "\r",
  " K",
  "==",
];

/** Any line of a bridge: it is read without an error, and what was read can be written and read again. */
export const samMessage: Target<string> = {
  name: "sam-message",
  weight: 16,
  corpus: [
    "",
    "=",
    '"',
    "A B C=\\",
    'A B M="\\',
    'A B M="\\"',
    'A B M="" N=""x M="y"',
    'A B M="a\u2028\\\u2028b" N=1',
    "\ufeffHELLO REPLY RESULT=OK",
    "A B \ud800=\udc00",
    `A B ${'M="\\'.repeat(1000)}`,
  ],
  generate: (random) => {
    const line = Array.from({ length: random.below(8) }, () => random.pick(TOKENS)).join("");
    return mutateText(line, random, { tokens: TOKENS, other: random.pick(TOKENS) });
  },
  check: (line) => {
    const { topic, kind, values } = parseMessage(line);
    assert(!/\s/.test(topic) && !/[\s=]/.test(kind), `topic ${topic}, kind ${kind}`);
    assert([topic, kind, ...values.keys()].every((word) => line.includes(word)), "a word that does not stand there");
    for (const [key, value] of values) {
      assert(/^[^\s=]+$/.test(key), `key ${JSON.stringify(key)}`);
      assert(value === "true" || value.length <= line.length, "a value is longer than its line");
    }
    const written = [topic, kind, ...[...values].map(([key, value]) => `${key}=${quote(value)}`)].join(" ");
    assertEquals(parseMessage(written), { topic, kind, values }, "written anew");
    const twice = [written, ...[...values.keys()].map((key) => `${key}=again`)].join(" ");
    assertEquals(parseMessage(twice), { topic, kind, values }, "the first of two equal keys counts");
  },
};

/** A command: values that are to be plain, and those of a login, which may be anything printable. */
interface Command {
  values: Pair[];
  login: Pair[];
}

/** A key and its value. */
interface Pair {
  key: string;
  value: string;
}

/** Commands: refused where a router would misread them, and else read as they were meant by every kind of router. */
export const samCommand: Target<Command> = {
  name: "sam-command",
  weight: 10,
  corpus: [
    ...["", " ", "=", "==", "\u2028", "\ufeff", "\\", '"', "b\nSTREAM CONNECT", "\u0085"].map((value) => ({
      values: [{ key: "a", value }],
      login: [],
    })),
    ...["", " ", 'a "b" \\ = \u2028', "\\", '"', "\u2029", "\x7f", "a\n"].map((value) => ({
      values: [],
      login: [{ key: "PASSWORD", value }, { key: "USER", value: "me" }],
    })),
    ...["a b", "a=", "", "__proto__", "constructor"].map((key) => ({ values: [{ key, value: "1" }], login: [] })),
  ],
  generate: (random) => ({
    values: pairs(random, "k", (length) => random.latin1(length, random.pick([0x20, 0x21, 0xa1]))),
    login: pairs(random, "L", (length) => random.below(2) === 0 ? random.latin1(length, 0x20) : text(random)),
  }),
  check: (given) => {
    const values = recordOf(given.values);
    const login = recordOf(given.login.filter(({ key }) => /^[A-Z]+\d*$/.test(key)));
    const isGood =
      Object.entries(values).every(([key, value]) => isPlain(key) && !key.includes("=") && isPlain(value)) &&
      Object.values(login).every((value) => !/\p{Cc}/u.test(value));
    if (!isGood) {
      assertThrows(() => formatCommand("A B", values, login), TypeError);
      return;
    }
    const command = formatCommand("A B", values, login);
    assert(/^[^\n]*\n$/.test(command), "more than one line");
    const line = command.slice(0, -1);
    const both = new Map(Object.entries({ ...values, ...login }));
    assertEquals(parseMessage(line), { topic: "A", kind: "B", values: both }, "as this program reads");
    assertEquals(splitQuoted(line).pairs, both, "as Java I2P reads");
    const plain = formatCommand("A B", values).slice(0, -1);
    assertEquals(splitPlain(plain)?.pairs, new Map(Object.entries(values)), "as i2pd reads");
  },
};

function recordOf(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

function pairs(random: Random, prefix: string, value: (length: number) => string): Pair[] {
  return Array.from({ length: random.below(4) }, (_, i) => {
    const key = random.below(10) === 0 ? text(random) : `${prefix}${i}`;
    return { key, value: value(random.below(12)) };
  });
}

function text(random: Random): string {
  return mutateText("a.b", random, { tokens: TOKENS, maxLength: 20 });
}

function quote(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}
