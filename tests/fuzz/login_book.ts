import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { isLoginName, LoginBook } from "../../lib/config/login_book.ts";
import type { Target } from "./engine.ts";
import { mutateText } from "./mutate.ts";

/** What parsing came to. */
type Parsed = { book: LoginBook; plain: string[] } | { problem: string };

const HASHED = `pbkdf2-sha256:1:c2FsdA==:${encodeBase64(new Uint8Array(32))}`;
const HASH = /^pbkdf2-sha256:\d+:[A-Za-z0-9+/]*={0,2}:[A-Za-z0-9+/]{43}={0,2}$/;
const NOBODY = "No login stands in it, so nobody could connect";
const PROBLEM =
  /^Line \d+ (is not USER:PASSWORD|has a user of more than 255 bytes, or a zero byte|has control characters|names the same user again|has a hash that makes no sense)$/;
const TOKENS = [
  "\n",
  "\r\n",
  ":",
  "#",
  "pbkdf2-sha256:",
  "10000000:",
  "10000001:",
  "=",
  HASHED,
  "\ufeff",
  "a:b\n",
  "\0",
];

/** Login files: a book, or a problem with the first line that has one. */
export const loginBook: Target<string> = {
  name: "login-book",
  weight: 2,
  corpus: [
    "",
    "\ufeff",
    "\ufeff\ufeffa:b",
    "a",
    ":",
    "a:",
    `a:${HASHED}`,
    `a:${HASHED}\na:b`,
    "a:b:c\r\n\r\nb:c",
    "a:b\rb:c",
    "a:b\u2028b:c",
    "__proto__:a\nconstructor:b",
    `${"\u00fc".repeat(127)}:b\n${"\u00fc".repeat(128)}:b`,
    "a:pbkdf2-sha256:1:=:=",
    "a:\0",
    `a:${HASHED}:AAAA`,
    `a:pbkdf2-sha256:1:${HASHED}`,
  ],
  generate: (random) => {
    const user = (): string => random.pick(["me", "you", "j\u00fcrgen", "a b", "u".repeat(random.below(300))]);
    const line = (): string =>
      random.pick([`${user()}:${HASHED}`, `${user()}:${HASHED}`, `${user()}:secret`, "# x", ""]);
    const text = Array.from({ length: random.below(5) }, line).join(random.pick(["\n", "\r\n"]));
    return random.below(4) === 0 ? text : mutateText(text, random, { tokens: TOKENS });
  },
  check: async (text, random) => {
    const restore = hashAtNoCost();
    try {
      const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
      const result = await parse(text);
      const padded = lines.flatMap((line) => random.below(2) === 0 ? ["# x", line] : [line, ""]);
      if ("problem" in result) await checkProblem(result.problem, lines);
      else await checkBook(result, await parse(`\ufeff${padded.join("\r\n")}`), lines);
    } finally {
      restore();
    }
  },
};

/** The problem is with the line that it names, and not with one before. */
async function checkProblem(problem: string, lines: string[]): Promise<void> {
  if (problem === NOBODY) {
    assertEquals(lines.filter((line) => line !== "" && !line.startsWith("#")), []);
    return;
  }
  assert(PROBLEM.test(problem), problem);
  const number = Number(/\d+/.exec(problem)?.[0]);
  assert(number >= 1 && number <= lines.length, problem);
  // A byte order mark in front would go: one that is part of a user has another before it.
  const first = (count: number): string => `\ufeff${lines.slice(0, count).join("\n")}`;
  assertEquals(await parse(first(number)), { problem });
  const before = await parse(first(number - 1));
  assert(!("problem" in before) || before.problem === NOBODY, "a line before has a problem too");
}

/** Each line is a login, whatever stands between them, and its password is right. */
async function checkBook(
  { book, plain }: Exclude<Parsed, { problem: string }>,
  padded: Parsed,
  lines: string[],
): Promise<void> {
  const logins = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) =>
    /^([^:]+):(.+)$/s.exec(line)
  );
  const own = logins.flatMap((found) => found?.[2]?.startsWith("pbkdf2-sha256:") ? [] : [found?.[1] ?? ""]);
  assertEquals(plain, own);
  assertEquals("problem" in padded ? padded.problem : padded.plain, plain);
  for (const [, user = "", password = ""] of logins.flatMap((found) => found === null ? [] : [found])) {
    assert(isLoginName(user), `a user that hash-login would refuse: ${JSON.stringify(user)}`);
    assert(plain.includes(user) || HASH.test(password), "a hash that is none");
    if (!plain.includes(user) || !user.isWellFormed() || !password.isWellFormed()) continue;
    const [name, secret] = [user, password].map((text) => new TextEncoder().encode(text));
    if (name === undefined || secret === undefined) continue;
    assertEquals(await book.verify(name, secret), true, user);
    assertEquals(await book.verify(name, secret.subarray(1)), false, user);
  }
}

async function parse(text: string): Promise<Parsed> {
  try {
    return await LoginBook.parse(text);
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    return { problem: error.message };
  }
}

/** Lets passwords be hashed once instead of hundreds of thousands of times, until what it returns is called. */
function hashAtNoCost(): () => void {
  const real = crypto.subtle.deriveBits;
  crypto.subtle.deriveBits = (algorithm, key, length) =>
    real.call(crypto.subtle, typeof algorithm === "object" ? { ...algorithm, iterations: 1 } : algorithm, key, length);
  return () => {
    crypto.subtle.deriveBits = real;
  };
}
