import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { hashPassword, LoginBook, PASSWORD_ITERATIONS } from "../../lib/config/login_book.ts";
import { bytesOf } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";

/** A hash of base64 zeros, for lines whose password does not matter. */
const HASH = encodeBase64(new Uint8Array(32));

/** Hashes of "password" with the salt "salt": PBKDF2-HMAC-SHA-256 with 32 bytes, by RFC 7914's and others' vectors. */
const VECTORS: readonly (readonly [string, string, number, string])[] = [
  ["password", "salt", 1, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"],
  ["password", "salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"],
  ["password", "salt", 4096, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"],
  // RFC 7914 §11; the first 32 bytes of 64.
  ["passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"],
  ["Password", "NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"],
];

pureTest("LoginBook agrees with published vectors of PBKDF2-HMAC-SHA-256", async () => {
  for (const [password, salt, iterations, hex] of VECTORS) {
    const hash = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
    const hashed = ["pbkdf2-sha256", iterations, encodeBase64(salt), encodeBase64(hash)].join(":");
    const { book, plain } = await LoginBook.parse(`me:${hashed}`);
    assertEquals(plain, []);
    assertEquals([await verify(book, "me", password), await verify(book, "me", `${password}x`)], [true, false], hex);
    // Each bit of the hash counts, at its ends too.
    for (const at of [0, 31]) {
      const other = hash.map((byte, i) => i === at ? byte ^ 1 : byte);
      const line = `me:pbkdf2-sha256:${iterations}:${encodeBase64(salt)}:${encodeBase64(other)}`;
      if (iterations <= 2) assertEquals(await verify((await LoginBook.parse(line)).book, "me", password), false, line);
    }
  }
});

pureTest("hashPassword() makes what LoginBook verifies, with a salt of its own each time", async () => {
  const [one, other] = [await hashPassword("secret", 10), await hashPassword("secret", 10)];
  assertMatch(one, /^pbkdf2-sha256:10:[A-Za-z0-9+/]{22}==:[A-Za-z0-9+/]{43}=$/);
  assertNotEquals(one, other);
  const [, , salt = "", hash = ""] = one.split(":");
  assertEquals([decodeBase64(salt).length, decodeBase64(hash).length], [16, 32]);
  assertEquals(one.includes("secret"), false);
  for (const hashed of [one, other]) {
    const { book, plain } = await LoginBook.parse(`me:${hashed}`);
    assertEquals([await verify(book, "me", "secret"), await verify(book, "me", "Secret"), plain], [true, false, []]);
  }
});

pureTest("hashPassword() takes PASSWORD_ITERATIONS where no number is given", async () => {
  assertEquals(PASSWORD_ITERATIONS, 200_000);
  const hashed = await hashPassword("secret");
  assertEquals(hashed.split(":")[1], "200000");
  assertEquals(await verify((await LoginBook.parse(`me:${hashed}`)).book, "me", "secret"), true);
});

pureTest("LoginBook accepts plain passwords, and names the users that have them", async () => {
  const text = `hashed:${await hashPassword("h", 1)}\nplain:pass:with:colons \n`;
  const { book, plain } = await LoginBook.parse(text);
  assertEquals(plain, ["plain"]);
  assertEquals(await verify(book, "plain", "pass:with:colons "), true);
  assertEquals(await verify(book, "plain", "pass:with:colons"), false);
  assertEquals(await verify(book, "hashed", "h"), true);
});

pureTest("LoginBook takes a plain password for one that only resembles a hash", async () => {
  const { book, plain } = await LoginBook.parse("me:pbkdf2-sha256");
  assertEquals([plain, await verify(book, "me", "pbkdf2-sha256")], [["me"], true]);
});

pureTest("LoginBook refuses wrong users and wrong passwords", async () => {
  const book = await bookOf({ me: "secret", you: "hidden", "me ": "space" });
  const logins: readonly (readonly [string, string, boolean])[] = [
    ["me", "secret", true],
    ["you", "hidden", true],
    ["me ", "space", true],
    ["me", "hidden", false],
    ["you", "secret", false],
    ["me", "space", false],
    ["ME", "secret", false],
    [" me", "secret", false],
    ["me", "Secret", false],
    ["me", "secret ", false],
    ["me", "secre", false],
    ["me", "", false],
    ["", "", false],
    ["", "secret", false],
    ["", "mesecret", false],
    ["m", "esecret", false],
    ["mes", "ecret", false],
    ["mesecret", "", false],
    ["me:secret", "", false],
    // The first entry stands in for unknown users, but lets nobody in.
    ["nobody", "secret", false],
    ["__proto__", "secret", false],
    ["constructor", "secret", false],
  ];
  for (const [user, password, isRight] of logins) {
    assertEquals(await verify(book, user, password), isRight, JSON.stringify([user, password]));
  }
});

pureTest("LoginBook takes passwords as bytes, and users as UTF-8", async () => {
  const book = await bookOf({ "j\xfcrgen": "gr\xfc\xdfe", q: "\ufffd" });
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  assertEquals(await book.verify(utf8("j\xfcrgen"), utf8("gr\xfc\xdfe")), true);
  // The same in Latin-1, and broken UTF-8 where the book has the character that replaces it.
  assertEquals(await verify(book, "j\xfcrgen", "gr\xfc\xdfe"), false);
  assertEquals(await book.verify(utf8("j\xfcrgen"), bytesOf("gr\xfc\xdfe")), false);
  for (const password of ["\xff", "\x80", "\xc3", "\xed\xa0\x80", "\xef\xbf", "\0"]) {
    assertEquals(await verify(book, "q", password), false, JSON.stringify(password));
  }
  assertEquals(await book.verify(utf8("q"), utf8("\ufffd")), true);
});

pureTest("LoginBook takes logins of 255 bytes each", async () => {
  const [user, password] = ["u".repeat(255), "p".repeat(255)];
  const book = await bookOf({ [user]: password });
  assertEquals(await verify(book, user, password), true);
  assertEquals(await verify(book, user, password.slice(1)), false);
});

pureTest("LoginBook remembers a right login, and lets nobody else in with it", async () => {
  const book = await bookOf({ me: "secret", mes: "other" });
  for (let i = 0; i < 3; i++) {
    assertEquals(await verify(book, "me", "secret"), true);
    assertEquals(await verify(book, "me", "wrong"), false);
    // The same bytes with another boundary.
    assertEquals(await verify(book, "mes", "ecret"), false);
    assertEquals(await verify(book, "m", "esecret"), false);
    assertEquals(await verify(book, "", "mesecret"), false);
    assertEquals(await verify(book, "mesecret", ""), false);
    assertEquals(await verify(book, "me", "other"), false);
  }
});

pureTest("LoginBook pays for the hash of a right login once, and of a wrong one each time", async () => {
  const book = await bookOf({ me: "secret" });
  const derived: Record<"right" | "wrong" | "again", number> = { right: 0, wrong: 0, again: 0 };
  const real = crypto.subtle.deriveBits.bind(crypto.subtle);
  let count = 0;
  crypto.subtle.deriveBits = (...args: Parameters<typeof real>): ReturnType<typeof real> => {
    count++;
    return real(...args);
  };
  try {
    const cost = async (password: string): Promise<number> => {
      const before = count;
      await verify(book, "me", password);
      return count - before;
    };
    derived.right = await cost("secret");
    derived.again = await cost("secret") + await cost("secret");
    derived.wrong = await cost("wrong") + await cost("wrong");
  } finally {
    crypto.subtle.deriveBits = real;
  }
  assertEquals(derived, { right: 1, again: 0, wrong: 2 });
});

pureTest("LoginBook checks an unknown user like a wrong password", async () => {
  const book = await bookOf({ me: "secret" });
  const real = crypto.subtle.deriveBits.bind(crypto.subtle);
  const asked: unknown[] = [];
  crypto.subtle.deriveBits = (...args: Parameters<typeof real>): ReturnType<typeof real> => {
    asked.push(args[0]);
    return real(...args);
  };
  try {
    await verify(book, "me", "wrong");
    await verify(book, "nobody", "wrong");
  } finally {
    crypto.subtle.deriveBits = real;
  }
  assertEquals(asked.length, 2);
  assertEquals(asked[0], asked[1]);
});

pureTest("LoginBook answers many at once, each rightly", async () => {
  const book = await bookOf({ a: "1", b: "2" });
  const logins = Array.from({ length: 40 }, (_, i) => [i % 2 ? "a" : "b", String(i % 3)] as const);
  const answers = await Promise.all(logins.map(([user, password]) => verify(book, user, password)));
  assertEquals(
    answers,
    logins.map(([user, password]) => `${user}${password}` === "a1" || `${user}${password}` === "b2"),
  );
});

pureTest("LoginBook remembers no more logins than it has room for, and still lets right ones in", async () => {
  const users = Array.from({ length: 1100 }, (_, i) => `u${i}`);
  const hashed = await hashPassword("secret", 1);
  const { book } = await LoginBook.parse(users.map((user) => `${user}:${hashed}`).join("\n"));
  for (const user of [...users, ...users.slice(-80)]) {
    assertEquals(await verify(book, user, "secret"), true, user);
  }
  assertEquals(await verify(book, "u1099", "wrong"), false);
});

pureTest("LoginBook.parse() passes over empty lines and comments, and takes CRLF", async () => {
  const [one, two] = [await hashPassword("1", 1), await hashPassword("2", 1)];
  const texts = [
    `a:${one}\nb:${two}`,
    `a:${one}\nb:${two}\n`,
    `a:${one}\r\nb:${two}\r\n`,
    `# Logins\n\na:${one}\n#c:${one}\n\nb:${two}\n\n`,
    `\r\n#\r\na:${one}\r\n\r\nb:${two}`,
    `b:${two}\n# a:${two}\na:${one}`,
  ];
  for (const text of texts) {
    const { book, plain } = await LoginBook.parse(text);
    const answers = [await verify(book, "a", "1"), await verify(book, "b", "2"), await verify(book, "a", "2")];
    assertEquals([answers, plain], [[true, true, false], []], JSON.stringify(text));
    for (const user of ["c", "#c", "#", " a"]) assertEquals(await verify(book, user, "1"), false, user);
  }
});

pureTest("LoginBook.parse() names the line of what it cannot use", async () => {
  const good = `a:pbkdf2-sha256:1:c2FsdA==:${HASH}`;
  const hash = "has a hash that makes no sense";
  const texts: readonly (readonly [string, string])[] = [
    ["", "No login stands in it, so nobody could connect"],
    ["\n\r\n\n", "No login stands in it, so nobody could connect"],
    ["# a:b\n", "No login stands in it, so nobody could connect"],
    ["me", "Line 1 is not USER:PASSWORD"],
    ["me:", "Line 1 is not USER:PASSWORD"],
    [":secret", "Line 1 is not USER:PASSWORD"],
    [":", "Line 1 is not USER:PASSWORD"],
    [" ", "Line 1 is not USER:PASSWORD"],
    [`${good}\n\n# x\nme`, "Line 4 is not USER:PASSWORD"],
    [`${good}\r\n\r\nme:\r\n`, "Line 3 is not USER:PASSWORD"],
    [`${good}\n${good}`, "Line 2 names the same user again"],
    [`${good}\nb:pbkdf2-sha256:1:c2FsdA==:${HASH}\n\n${good}`, "Line 4 names the same user again"],
    [`${good}\na:plain`, "Line 2 names the same user again"],
    ["me:pbkdf2-sha256:", `Line 1 ${hash}`],
    ["me:pbkdf2-sha256:1", `Line 1 ${hash}`],
    ["me:pbkdf2-sha256:1:c2FsdA==", `Line 1 ${hash}`],
    ["me:pbkdf2-sha256:1:c2FsdA==:", `Line 1 ${hash}`],
    [`me:pbkdf2-sha256:1:c2FsdA==:${HASH}:`, `Line 1 ${hash}`],
    [`me:pbkdf2-sha256:1:c2FsdA==:${HASH} `, `Line 1 ${hash}`],
    [`me:pbkdf2-sha256:1:c2Fsd?==:${HASH}`, `Line 1 ${hash}`],
    // A hash of 31 and one of 33 bytes: a short one would be easier to meet.
    [`me:pbkdf2-sha256:1:c2FsdA==:${encodeBase64(new Uint8Array(31))}`, `Line 1 ${hash}`],
    [`me:pbkdf2-sha256:1:c2FsdA==:${encodeBase64(new Uint8Array(33))}`, `Line 1 ${hash}`],
    // Iterations.
    ...["", "0", "-1", "1.5", "x", "10000001", "1e99", "Infinity", "NaN"].map((iterations) =>
      [`${good}\nme:pbkdf2-sha256:${iterations}:c2FsdA==:${HASH}`, `Line 2 ${hash}`] as const
    ),
  ];
  for (const [text, message] of texts) {
    const error = await assertRejects(() => LoginBook.parse(text), SyntaxError);
    assertEquals(error.message, message, JSON.stringify(text));
  }
});

pureTest("LoginBook.parse() accepts iterations at each end of their range", async () => {
  // A number of 10,000,000 is only parsed: to check a login against it would take seconds.
  for (const iterations of [1, 10_000_000]) {
    assertEquals((await LoginBook.parse(`me:pbkdf2-sha256:${iterations}:c2FsdA==:${HASH}`)).plain, []);
  }
});

pureTest("LoginBook.parse() repeats no secret in its errors", async () => {
  for (const text of ["hunter2", "me:x\nme:hunter2", "me:pbkdf2-sha256:hunter2", ":hunter2"]) {
    const error = await assertRejects(() => LoginBook.parse(text), SyntaxError);
    assertEquals(error.message.includes("hunter2"), false, text);
  }
});

pureTest("LoginBook prints no hash and no login that it knows", async () => {
  const { book } = await LoginBook.parse(`alice:${await hashPassword("hunter2", 1)}`);
  await verify(book, "alice", "hunter2");
  for (const text of [String(book), JSON.stringify(book), Deno.inspect({ book }, { showHidden: true, depth: 9 })]) {
    assertEquals(/alice|hunter2|salt|pbkdf2|\d+, *\d+/.test(text), false, text);
  }
});

/** A book of passwords that are hashed at no cost. */
async function bookOf(passwords: Readonly<Record<string, string>>): Promise<LoginBook> {
  const lines = Object.entries(passwords).map(async ([user, password]) => `${user}:${await hashPassword(password, 1)}`);
  return (await LoginBook.parse((await Promise.all(lines)).join("\n"))).book;
}

/** Of texts with a byte a character. */
async function verify(book: LoginBook, user: string, password: string): Promise<boolean> {
  return await book.verify(bytesOf(user), bytesOf(password));
}

pureTest("LoginBook takes no zero bytes, and no bytes that only resemble a user", async () => {
  const { book } = await LoginBook.parse(
    `\ufeffme:${await hashPassword("secret", 1)}\n\ufffd:${await hashPassword("x", 1)}\n`,
  );
  const text = new TextEncoder();
  assertEquals(await book.verify(text.encode("me"), text.encode("secret")), true);
  assertEquals(await book.verify(text.encode("me"), text.encode("secret\0")), false);
  assertEquals(await book.verify(text.encode("\ufeffme"), text.encode("secret")), false);
  assertEquals(await book.verify(Uint8Array.of(0xff), text.encode("x")), false);
});
