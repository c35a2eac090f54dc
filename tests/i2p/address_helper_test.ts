import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { isAddressHelper, parseAddressHelper } from "../../lib/i2p/address_helper.ts";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { pureTest } from "../support/pure.ts";

const LABEL = "a".repeat(52);
const DESTINATION = new Uint8Array(387).fill(0xfb, 0, 384);

pureTest("parseAddressHelper() reads the name and the address of a link, in every form that sites write", async () => {
  const own = await b32Address(DESTINATION);
  const base64 = encodeI2pBase64(DESTINATION);
  const cases: [string, string][] = [
    [`http://Site.i2p/?i2paddresshelper=${LABEL}.b32.i2p`, `${LABEL}.b32.i2p`],
    [`http://site.i2p/page?x=1&i2paddresshelper=${LABEL.toUpperCase()}.b32.i2p#part`, `${LABEL}.b32.i2p`],
    [`https://site.i2p:8443/?i2paddresshelper=${LABEL}`, `${LABEL}.b32.i2p`],
    [`site.i2p/?I2PADDRESSHELPER=${LABEL}`, `${LABEL}.b32.i2p`],
    [`http://site.i2p/?i2paddresshelper=${base64}`, own],
    [`http://site.i2p/?i2paddresshelper=${encodeURIComponent(base64)}&y=2`, own],
  ];
  for (const [link, address] of cases) {
    assertEquals([isAddressHelper(link), await parseAddressHelper(link)], [true, { name: "site.i2p", address }], link);
  }
});

pureTest("parseAddressHelper() says what is wrong with any other link", async () => {
  const cases: [string, string][] = [
    [`http://example.com/?i2paddresshelper=${LABEL}`, "its host is not a name of I2P"],
    [`http://${LABEL}.b32.i2p/?i2paddresshelper=${LABEL}`, "its host is not a name of I2P"],
    [`http://-a.i2p/?i2paddresshelper=${LABEL}`, "every part of a name"],
    ["http://site.i2p/?i2paddresshelper=", "neither base32 nor a destination"],
    ["http://site.i2p/?i2paddresshelper=%zz", "neither base32 nor a destination"],
    [`http://site.i2p/?i2paddresshelper=${LABEL.slice(1)}`, "neither base32 nor a destination"],
    ["http://[/?i2paddresshelper=x", "cannot be read as a link"],
  ];
  for (const [link, problem] of cases) {
    const { message } = await assertRejects(() => parseAddressHelper(link), SyntaxError, undefined, link);
    assertStringIncludes(message, problem, link);
  }
  for (const text of ["site.i2p", "http://site.i2p/?x=i2paddresshelper", `${LABEL}.b32.i2p`]) {
    assertEquals(isAddressHelper(text), false, text);
  }
});
