import { assert, assertEquals } from "@std/assert";
import { makeFinder, type OwnIdentifiers } from "../../lib/guard/identifiers.ts";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { wireText } from "../../lib/guard/secrets.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

const OWN: OwnIdentifiers = {
  addresses: ["127.0.0.1", "::1", "192.168.1.5", "fe80::1a2b%eth0", "2a01:4f8::5", "0.0.0.0", "::", "169.254.7.7"],
  hostName: "thinkpad.example.org",
  userName: "alice",
  home: "/home/alice",
  secrets: ["hunter2 & co", "4111-1111-1111-1111"],
};

function find(text: string, ids: Partial<OwnIdentifiers> = OWN): LeakKind[] {
  return makeFinder({ addresses: [], secrets: [], ...ids }).find(text);
}

pureTest("makeFinder() finds the addresses of this machine, in each spelling", () => {
  const texts = [
    "192.168.1.5",
    "PORT 192,168,1,5,4,1",
    "EPRT |1|192.168.1.5|5000|",
    "x/192.168.1.5",
    "v192.168.1.5-a",
    "[::ffff:192.168.1.5]",
    "ip%3D192.168.1.5",
    "192%2e168%2E1%2e5",
    "FE80:0000::1A2B",
    "[fe80::1a2b%25eth0]",
    "%5Bfe80%3A%3A1a2b%5D",
    "2A01:04f8:0:0:0:0:0:5",
  ];
  for (const text of texts) assertEquals(find(text), ["own-address"], text);
});

pureTest("makeFinder() takes addresses that any machine may have for none of this one", () => {
  const texts = [
    "127.0.0.1",
    "::1",
    "::",
    "0.0.0.0",
    "169.254.7.7",
    "192.168.1.50",
    "1192.168.1.5",
    "192.168.1.5.6",
    "fe80::1a2c",
    "192.168,1.5",
  ];
  for (const text of texts) assertEquals(find(text), [], text);
});

pureTest("makeFinder() distinguishes public addresses of others from its own", () => {
  assertEquals(find("93.184.216.34"), ["public-address"]);
  assertEquals(find("X-IP%3A%2093.184.216.34"), ["public-address"]);
  assertEquals(find("2a01:4f8::5 84.17.50.33"), ["public-address", "own-address"]);
  assertEquals(find("User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36"), []);
});

pureTest("makeFinder() finds names as whole words, in any case", () => {
  for (
    const text of [
      "thinkpad",
      "EHLO ThinkPad.local",
      "x@THINKPAD>",
      "my-thinkpad",
      "a%2Fthinkpad%2Fb",
      "thinkpads thinkpad",
    ]
  ) {
    assertEquals(find(text), ["own-host-name"], text);
  }
  for (
    const text of [
      "alice",
      "NICK Alice",
      "alice@mail.i2p",
      "alice.i2p alice",
      "=alice&",
      "%2falice%2f",
      "alice.i2pd",
      "alice.i2p-x",
    ]
  ) {
    assertEquals(find(text), ["own-user-name"], text);
  }
  const others = [
    "malice",
    "alices",
    "alice1",
    "_alice",
    "alice_",
    "alic",
    "\xc3\xa9alice",
    "alice\xc3\xa9",
    "thinkpads",
    "%61licea",
  ];
  for (const text of [...others, "Host: alice.i2p", "GET http://alice.i2p/ HTTP/1.1", "thinkpad.i2p"]) {
    assertEquals(find(text), [], text);
  }
});

pureTest("makeFinder() does not look for names that identify nobody", () => {
  for (const name of ["user", "Root", "DEBIAN", "localhost", "will", "bob", "", "al\xe9"]) {
    assertEquals(find(`${wireText(name)} ${name}`, { userName: name, hostName: name }), [], name);
  }
  assertEquals(find("localhost.localdomain", { hostName: "localhost.localdomain" }), []);
  assertEquals(find("pc", { hostName: "pc.example.org" }), []);
  assertEquals(find("PC.example.org", { hostName: "pc.example.org" }), ["own-host-name"]);
  assertEquals(find("debian.example.org", { hostName: "debian.example.org" }), ["own-host-name"]);
  assertEquals(find("x jos\xc3\xa9 y", { userName: "Jos\xe9" }), ["own-user-name"]);
  assertEquals(find("a+b? c", { userName: "a+b?" }), ["own-user-name"]);
  assertEquals(find("alice /home/alice 93.184.216.34", { userName: "" }), ["public-address"]);
});

pureTest("makeFinder() finds the home folder, with whatever slashes", () => {
  const finder = makeFinder({ addresses: [], secrets: [], home: "/home/alice" });
  for (
    const text of [
      "/home/alice",
      "file:///home/alice/x",
      "%2Fhome%2falice%2Fx",
      "/HOME/Alice",
      "//home//alice",
      "a=/home/alice.",
    ]
  ) {
    assertEquals(finder.find(text), ["own-home"], text);
  }
  for (
    const text of [
      "/home/alice2",
      "/home/alice-x",
      "/home/malice",
      "home/alice",
      "/home/ alice",
      "alice",
      "/home///alice",
    ]
  ) {
    assertEquals(finder.find(text), [], text);
  }
  const windows = makeFinder({ addresses: [], secrets: [], home: "C:\\Users\\Al (x) M\xfc" });
  const m = "M\xc3\xbc";
  for (
    const text of [
      `C:\\Users\\Al (x) ${m}`,
      `"c:\\\\users\\\\al (x) ${m}"`,
      `file:///C:/Users/Al%20(x)%20M%C3%BC/`,
      `/mnt/c/Users/Al (x) ${m}/`,
    ]
  ) {
    assertEquals(windows.find(text), ["own-home"], text);
  }
  assertEquals(windows.find("C:\\Users\\Al x M"), []);
});

pureTest("makeFinder() does not look for a home folder that names nobody", () => {
  for (const home of ["/root", "/home/user", "/", "", "/nonexistent", "C:\\Users\\Public", "C:\\alice"]) {
    assertEquals(find(`${home} ${home}/x`, { home }), [], home);
  }
  assertEquals(find("/home/al", { home: "/home/al/" }), ["own-home"]);
});

pureTest("makeFinder() finds secrets, exact and encoded", () => {
  const encoded = ["", "x", "xy"].map((front) => btoa(`${front}hunter2 & co:y`));
  for (
    const text of [
      "xhunter2 & coy",
      "hunter2%20%26%20co",
      "p=hunter2+%26+co",
      "hunter2 %26 co",
      ...encoded,
      "4111-1111-1111-1111",
    ]
  ) {
    assertEquals(find(text), ["secret"], text);
  }
  for (const text of ["Hunter2 & co", "hunter2 & c", "hunter2  & co", "aHVudGVy", "4111 1111 1111 1111"]) {
    assertEquals(find(text), [], text);
  }
  assertEquals(find("any text", { secrets: [""] }), []);
});

pureTest("makeFinder() reports each kind once, and all of them", () => {
  const text = "alice alice 192.168.1.5 93.184.216.34 84.17.50.33 thinkpad /home/alice hunter2 & co";
  const all: LeakKind[] = ["own-address", "own-home", "own-host-name", "own-user-name", "public-address", "secret"];
  assertEquals(find(text).sort(), all);
  assertEquals(find(`%20 ${text}`).sort(), all);
});

/** A text with one identifier, and what that is. */
const SAMPLES: readonly (readonly [string, LeakKind])[] = [
  ["192.168.1.5", "own-address"],
  ["2A01:04F8:0000:0000:0000:0000:0000:0005", "own-address"],
  ["2a01%3A04f8%3A0000%3A0000%3A0000%3A0000%3A0000%3A0005", "own-address"],
  ["93.184.216.34", "public-address"],
  ["thinkpad", "own-host-name"],
  ["%74%68%69%6e%6b%70%61%64", "own-host-name"],
  ["%61%6c%69%63%65", "own-user-name"],
  ["%2Fhome%2F%61%6c%69%63%65", "own-home"],
  ["hunter2 & co", "secret"],
  [btoa("xhunter2 & cox"), "secret"],
  [btoa("4111-1111-1111-1111"), "secret"],
  ["%34%31%31%31-1111-1111-1111", "secret"],
];

pureTest("makeFinder() misses nothing at the border of two chunks, and reports nothing twice", () => {
  const finder = makeFinder(OWN);
  for (const [sample, kind] of SAMPLES) {
    const text = `${"x".repeat(600)} ${sample} ${"y".repeat(600)}`;
    const once = finder.find(text);
    assert(once.includes(kind), sample);
    for (let at = 601; at <= 602 + sample.length; at++) {
      const first = finder.find(text.slice(0, at));
      const start = Math.max(0, at - finder.overlap);
      const second = finder.find(text.slice(start), at - start);
      assertEquals(new Set([...first, ...second]).has(kind), true, `${sample} at ${at}`);
    }
    const seen = text.slice(0, 601 + sample.length);
    const rest = seen.slice(-finder.overlap);
    assertEquals(finder.find(`${rest} z`, rest.length), [], `${sample} again`);
  }
});

pureTest("makeFinder() takes no part of a word at the border for the word", () => {
  const finder = makeFinder({ ...OWN, userName: "alice" });
  const text = `${"x".repeat(600)}malice versions 1.2.3.4.5 /home/malice${"y".repeat(600)}`;
  for (let at = 600; at < 700; at++) {
    const start = at - finder.overlap;
    assertEquals(finder.find(text.slice(start), at - start), [], `at ${at}`);
  }
});

pureTest("makeFinder() needs as much of the text before as its longest identifier", () => {
  const small = makeFinder({ addresses: [], secrets: [] }).overlap;
  assert(small >= 45);
  assertEquals(makeFinder({ addresses: [], secrets: ["x".repeat(40)] }).overlap >= 120, true);
  assert(makeFinder({ addresses: [], secrets: ["x".repeat(4_000)] }).overlap >= 4_000);
});

pureTest("makeFinder() takes hostile text", () => {
  const finder = makeFinder(OWN);
  const random = new Random(4);
  for (
    const piece of [
      "alice1",
      "1.",
      "1.1.1.1.",
      ":",
      "a:",
      "%",
      "%2",
      "/home",
      "\\\\",
      "/home/alice1",
      "\0",
      "hunter2 & ",
      "1,1,1,",
      "aaaa",
    ]
  ) {
    assertEquals(finder.find(piece.repeat(5_000)), [], piece);
  }
  for (let round = 0; round < 20; round++) assertEquals(finder.find(random.latin1(16_384)), []);
});

pureTest("makeFinder() takes a word that only begins with a name for another one", () => {
  for (const text of ["alice-springs", "Alice's book", "alices", "thinkpad-like", "alice-1"]) {
    assertEquals(find(text), [], text);
  }
  for (const text of ["alice - springs", "'alice'", "alice-", "alice'", "-alice"]) {
    assertEquals(find(text), ["own-user-name"], text);
  }
});

pureTest("makeFinder() takes no resolver, section, version or list of numbers for a public address", () => {
  const texts = [
    "use 1.1.1.1 or 8.8.8.8, or 2606:4700:4700::1111",
    "section 84.17.50.33, Table 84.17.50.33 and \xa7 84.17.50.33",
    "OID 1.3.101.112, 2.5.29.15",
    "firmware 84.17.50.33, appVersion: 84.17.50.33, driver=84.17.50.33",
    "tool==84.17.50.33, tool >= 84.17.50.33, 84.17.50.33~deb12u1",
    "C:\\App\\84.17.50.33",
    "3 84.17.50.33 4.5",
    "12.0.1.45 4.2.10.31",
  ];
  for (const text of texts) assertEquals(find(text), [], text);
  for (const text of ["ip=1.2.3.4", "http://4.2.10.31/", "1.2.3.4:80", "at 84.17.50.33.", "<b>84.17.50.33</b>"]) {
    assertEquals(find(text), ["public-address"], text);
  }
});

pureTest("makeFinder() finds names in UTF-16 of either byte order, and addresses in binary messages", () => {
  const wide = (text: string): string => Array.from(text, (character) => `${character}\0`).join("");
  assertEquals(find(`\x01\x02${wide("alice")}\x03`), ["own-user-name"]);
  assertEquals(find(`\x01\0${wide("THINKPAD").slice(0, -1)}\x01`), ["own-host-name"]);
  assertEquals(find(wide("alicethinkpad")), ["own-host-name", "own-user-name"]);
  assertEquals(find(`x\0\0\0\0\xff\xff\xc0\xa8\x01\x05\x20\x8d`), ["own-address"]);
  assertEquals(find(`x\x2a\x01\x04\xf8${"\0".repeat(11)}\x05y`), ["own-address"]);
  assertEquals(find("x\xc0\xa8\x01\x05y"), []);
});

pureTest("makeFinder() finds secrets in wrapped base64 and quoted-printable, and logins of NTLM", () => {
  const wrapped = btoa(`${"all is well, and so on. ".repeat(3)}hunter2 & co, ${"and so on. ".repeat(5)}`).replace(
    /.{76}/g,
    "$&\r\n",
  );
  assertEquals(find(wrapped), ["secret"]);
  assertEquals(find("the word: hunter2=\r\n & co"), ["secret"]);
  assertEquals(find(btoa("NTLMSSP\0\x03\0\0\0")), ["ntlm-names"]);
  assertEquals(find(btoa("NTLMSSP\0\x01\0\0\0")), []);
});

pureTest("A scanner finds the same whatever the chunks, and holds back no more than what is undecided", () => {
  const finder = makeFinder(OWN);
  const texts = [
    "alice",
    "alice-",
    "alice.i2p",
    "alice.i2pd",
    "8.8.8.8",
    "84.17.50.33",
    "v84.17.50.33",
    "192.168.1.5",
    "192.168.1.55",
    "/home/alice",
    "/home/alicea",
    "%61lice%2d%61",
    "hunter2 & co",
    "84.17.50.33 84.17.50.3 1.",
    "2a01:4f8::5",
    "2a01:4f8::55:1",
    "a\0l\0i\0c\0e\0",
    "thinkpad's",
    "1.2.3.4.5.6",
  ];
  for (
    const text of texts.flatMap((one) => [one, `${one} x`, `x ${one}`, `${"y ".repeat(400)}${one}${" z".repeat(400)}`])
  ) {
    const expected = finder.find(text).sort();
    for (const size of [1, 2, 3, 7, 100, 1_000]) {
      const kinds = new Set<LeakKind>();
      const scanner = finder.open((kind) => kinds.add(kind));
      for (let at = 0; at < text.length; at += size) assert(scanner.push(text.slice(at, at + size)) <= text.length);
      scanner.end();
      assertEquals([...kinds].sort(), expected, `${text.slice(0, 50)} by ${size}`);
    }
  }
  const scanner = finder.open(() => {});
  assertEquals(["all is ", "alic", "e", "s", " alice", " "].map((text) => scanner.push(text)), [0, 0, 5, 0, 5, 0]);
});
