import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parseHosts } from "../../lib/config/hosts.ts";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { pureTest } from "../support/pure.ts";

const B32 = `${"a".repeat(52)}.b32.i2p`;

/** A destination with a null certificate, and with one of a key type. */
const DESTINATIONS = [
  new Uint8Array(387).fill(1, 0, 384),
  Uint8Array.of(...new Uint8Array(384).fill(2), 5, 0, 4, 0, 7, 0, 0),
];

pureTest(
  "parseHosts() reads names, base32 addresses and destinations, as the routers' hosts.txt has them",
  async () => {
    const [plain, keyed] = await Promise.all(DESTINATIONS.map(b32Address));
    const [plainText, keyedText] = DESTINATIONS.map(encodeI2pBase64);
    const text = [
      "# mine",
      "",
      `Site.i2p ${B32.toUpperCase()}`,
      `  spaced.i2p\t  ${B32}  # behind it`,
      `plain.i2p=${plainText}`,
      `keyed.i2p ${keyedText}`,
      `abcdefghijklmnop.oc.b32.i2p = ${B32}`,
      "fd60:db4d:ddb5::1 " + B32,
      `site.i2p.alt ${B32}`,
      `http://linked.i2p/?i2paddresshelper=${B32}#part`,
      "",
    ].join("\r\n");
    assertEquals(
      [...await parseHosts(text)],
      [
        ["site.i2p", B32],
        ["spaced.i2p", B32],
        ["plain.i2p", plain],
        ["keyed.i2p", keyed],
        ["abcdefghijklmnop.oc.b32.i2p", B32],
        ["aaaaaaaaaaaaaaab.oc.b32.i2p", B32],
        ["linked.i2p", B32],
      ] as [string, string][],
    );
    assertEquals((await parseHosts("")).size, 0);
  },
);

pureTest("parseHosts() names the line that it cannot use", async () => {
  const cases: [string, string][] = [
    [`\n\nsite.i2p`, "line 3: a line is NAME ADDRESS"],
    [`site.i2p ${B32} more`, "line 1: a line is NAME ADDRESS"],
    [`example.com ${B32}`, 'line 1: "example.com" cannot be a name here'],
    [`${B32} ${B32}`, "cannot be a name here"],
    [`127.0.0.1 ${B32}`, "cannot be a name here"],
    [`site.i2p short.b32.i2p`, '"short.b32.i2p" is not a base32 address: a base32 address has 52'],
    [`site.i2p other.i2p`, '"other.i2p" is not a base32 address'],
    [`http://site.i2p/?i2paddresshelper=AAAA`, "line 1: the link cannot be used: the address in it is neither"],
    [`site.i2p AAAA`, "neither base32 nor a destination"],
    [`site.i2p 93.184.216.34`, "neither base32 nor a destination"],
    [`site.i2p ${B32}\nSITE.i2p ${"q".repeat(51)}q.b32.i2p`, 'line 2: "site.i2p" has another address further up'],
  ];
  for (const [text, problem] of cases) {
    const { message } = await assertRejects(() => parseHosts(text), SyntaxError);
    assertStringIncludes(message, problem);
  }
});
