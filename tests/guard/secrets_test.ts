import { assertEquals, assertThrows } from "@std/assert";
import { parseSecrets, secretForms, wireText } from "../../lib/guard/secrets.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

pureTest("parseSecrets() reads a secret a line", () => {
  assertEquals(parseSecrets("\ufeffhunter2\r\n\n# a comment\r\n  spaced out \n    \n#\nf\xfcnf!\nlast"), [
    "hunter2",
    "  spaced out ",
    "f\xfcnf!",
    "last",
  ]);
  assertEquals(parseSecrets(""), []);
  assertEquals(parseSecrets("\r\n#abc"), []);
});

pureTest("parseSecrets() refuses a line that is too short, by its number", () => {
  assertThrows(
    () => parseSecrets("# x\r\nlong enough\nabc\r\n"),
    SyntaxError,
    "line 3: a secret has at least 4 characters",
  );
  assertThrows(() => parseSecrets("\u{1f511}\u{1f511}"), SyntaxError, "line 1");
  assertEquals(parseSecrets("\u{1f511}\u{1f511}\u{1f511}\u{1f511}").length, 1);
});

pureTest("secretForms() has one form of base64 for each place where a secret may stand", () => {
  const random = new Random(3);
  for (let round = 0; round < 300; round++) {
    const secret = random.latin1(5 + random.below(20), 33).replace(/[^\x21-\x7e]/g, "~");
    const forms = secretForms(secret);
    const encoded = btoa(random.latin1(random.below(7)) + secret + random.latin1(random.below(7)));
    assertEquals(forms.some((form) => form !== secret && encoded.includes(form)), true, `${secret} in ${encoded}`);
    const url = encoded.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    assertEquals(forms.some((form) => form !== secret && url.includes(form)), true, `${secret} in ${url}`);
    assertEquals(forms.every((form) => form.length >= 5), true);
  }
});

pureTest("secretForms() has literal forms", () => {
  assertEquals(secretForms("hunter2"), ["hunter2", "aHVudGVyM", "h1bnRlcj", "odW50ZXIy"]);
  // Of four bytes, base64 has too few characters that are their own.
  assertEquals(secretForms("pass"), ["pass"]);
  assertEquals(secretForms("a bc"), ["a bc", "a+bc"]);
  assertEquals(secretForms("a b c").slice(0, 2), ["a b c", "a+b+c"]);
  assertEquals(secretForms("f\xfcnf")[0], "f\xc3\xbcnf");
});

pureTest("wireText() has a character for each byte", () => {
  assertEquals(wireText("a\xe9\u20ac"), "a\xc3\xa9\xe2\x82\xac");
});
