import { assertEquals, assertThrows } from "@std/assert";
import { parseRule } from "../../lib/config/rule.ts";
import { type AddressKind, parseAddress } from "../../lib/i2p/address.ts";
import { Refusal } from "../../lib/reasons/refusal.ts";
import { checkTarget, mayCall } from "../../lib/proxy/policy.ts";
import { blindedLabel } from "../support/blinded_label.ts";
import { pureTest } from "../support/pure.ts";

const B32 = `${"a".repeat(51)}q.b32.i2p`;

const BAD_SHAPE = "a rule is HOST, HOST:PORT or HOST:LOW-HIGH, with * for any characters";
const BAD_PORTS = "ports go from 0 to 65535, the lower one first";

pureTest("parseRule() matches hosts and ports", () => {
  const rules: readonly (readonly [string, readonly [string, number][], readonly [string, number][]])[] = [
    ["irc.echelon.i2p", [["irc.echelon.i2p", 6667], ["irc.echelon.i2p", 0], ["irc.echelon.i2p", 65535]], [
      ["echelon.i2p", 6667],
      ["x.irc.echelon.i2p", 6667],
      ["irc.echelon.i2p.i2p", 6667],
      ["irc.echelon.i2", 6667],
      ["", 6667],
    ]],
    // A dot is a dot, in front of a star too.
    ["a.i2p", [["a.i2p", 80]], [["axi2p", 80], ["a-i2p", 80], ["ai2p", 80]]],
    ["*.i2p", [["a.i2p", 80], ["a.b.i2p", 80], [B32, 80]], [["i2p", 80], ["ai2p", 80], ["a.i2px", 80]]],
    ["a.*.i2p", [["a.b.i2p", 80], ["a.b.c.i2p", 80]], [["a.i2p", 80], ["axb.i2p", 80], ["xa.b.i2p", 80]]],
    // Stars within names, for nothing too.
    ["irc.*", [["irc.i2p", 1], ["irc.postman.i2p", 1], ["irc.", 1]], [["irc", 1], ["xirc.i2p", 1], ["irc2.i2p", 1]]],
    ["a*z.i2p", [["az.i2p", 1], ["abcz.i2p", 1], ["a.z.i2p", 1]], [["a.i2p", 1], ["azi2p", 1], ["za.i2p", 1]]],
    ["*track*", [["track", 1], ["tracker2.i2p", 1], ["my.track.i2p", 1]], [["trick.i2p", 1]]],
    ["a**b***.i2p", [["ab.i2p", 1], ["axbx.i2p", 1]], [["b.i2p", 1], ["ba.i2p", 1]]],
    ["*", [["a.i2p", 0], [B32, 65535]], []],
    ["*.b32.i2p", [[B32, 80]], [["b32.i2p", 80], ["a.i2p", 80]]],
    [B32, [[B32, 80]], [[B32.replace("q", "a"), 80]]],
    // A hyphen is a hyphen.
    ["a-z.i2p", [["a-z.i2p", 1]], [["b.i2p", 1], ["abz.i2p", 1]]],
    // Ports at their edges.
    ["a.i2p:80", [["a.i2p", 80]], [["a.i2p", 79], ["a.i2p", 81], ["b.i2p", 80], ["a.i2p", 8], ["a.i2p", 800]]],
    ["*:25", [["a.i2p", 25]], [["a.i2p", 24], ["a.i2p", 26]]],
    ["*:0", [["a.i2p", 0]], [["a.i2p", 1]]],
    ["*:65535", [["a.i2p", 65535]], [["a.i2p", 65534]]],
    ["*:0-65535", [["a.i2p", 0], ["a.i2p", 65535]], []],
    ["*:6660-6669", [["a.i2p", 6660], ["a.i2p", 6665], ["a.i2p", 6669]], [["a.i2p", 6659], ["a.i2p", 6670]]],
    ["*:80-80", [["a.i2p", 80]], [["a.i2p", 79], ["a.i2p", 81]]],
    ["*:9-10", [["a.i2p", 9], ["a.i2p", 10]], [["a.i2p", 8], ["a.i2p", 11], ["a.i2p", 1]]],
    ["*:00080", [["a.i2p", 80]], [["a.i2p", 8]]],
    ["irc.*:6667", [["irc.postman.i2p", 6667]], [["irc.postman.i2p", 6668], ["www.postman.i2p", 6667]]],
  ];
  for (const [text, hits, misses] of rules) {
    const rule = parseRule(text);
    assertEquals(rule.text, text);
    for (const [host, port] of hits) assertEquals(rule.matches(host, port), true, `${text} and ${host}:${port}`);
    for (const [host, port] of misses) assertEquals(rule.matches(host, port), false, `${text} and ${host}:${port}`);
  }
});

pureTest("parseRule() takes upper case in a rule for lower case", () => {
  for (const text of ["IRC.Postman.I2P", "irc.POSTMAN.*"]) {
    assertEquals(parseRule(text).matches("irc.postman.i2p", 80), true, text);
    assertEquals(parseRule(text).text, text);
  }
});

pureTest("parseRule() answers the same each time", () => {
  const rule = parseRule("*.i2p");
  for (let i = 0; i < 3; i++) assertEquals([rule.matches("a.i2p", 80), rule.matches("b.x", 80)], [true, false]);
});

pureTest("parseRule() refuses what is no rule", () => {
  const texts: readonly (readonly [string, string])[] = [
    ["", BAD_SHAPE],
    [":", BAD_SHAPE],
    [":80", BAD_SHAPE],
    ["a.i2p:", BAD_SHAPE],
    ["a.i2p:x", BAD_SHAPE],
    ["a.i2p:80-", BAD_SHAPE],
    ["a.i2p:-80", BAD_SHAPE],
    ["a.i2p:80-90-100", BAD_SHAPE],
    ["a.i2p:80,443", BAD_SHAPE],
    ["a.i2p:80:90", BAD_SHAPE],
    ["a.i2p:*", BAD_SHAPE],
    ["a.i2p:+80", BAD_SHAPE],
    ["a.i2p: 80", BAD_SHAPE],
    ["a.i2p:80 ", BAD_SHAPE],
    [" a.i2p", BAD_SHAPE],
    ["a.i2p b.i2p", BAD_SHAPE],
    ["a.i2p\n", BAD_SHAPE],
    ["a.i2p:000080", BAD_SHAPE],
    ["a.i2p:100000", BAD_SHAPE],
    ["http://a.i2p", BAD_SHAPE],
    ["[::1]", BAD_SHAPE],
    ["a.i2p:65536", BAD_PORTS],
    ["a.i2p:99999", BAD_PORTS],
    ["a.i2p:0-65536", BAD_PORTS],
    ["a.i2p:81-80", BAD_PORTS],
    ["a.i2p:65536-80", BAD_PORTS],
    ["a_b.i2p", '"a_b.i2p" has characters that no I2P host has'],
    ["a.i2p/x", '"a.i2p/x" has characters that no I2P host has'],
    ["a,b", '"a,b" has characters that no I2P host has'],
    ["(a|b).i2p", '"(a|b).i2p" has characters that no I2P host has'],
    ["[ab].i2p", '"[ab].i2p" has characters that no I2P host has'],
    ["a+.i2p", '"a+.i2p" has characters that no I2P host has'],
    ["a?.i2p", '"a?.i2p" has characters that no I2P host has'],
    ["^a$", '"^a$" has characters that no I2P host has'],
    ["a\\.i2p", '"a\\.i2p" has characters that no I2P host has'],
    ["b\xfccher.i2p", '"b\xfccher.i2p" has characters that no I2P host has'],
    // The Kelvin sign and the long s, which some rules of case take for k and s.
    ["\u212a.i2p", '"\u212a.i2p" has characters that no I2P host has'],
    ["\u017f.i2p", '"\u017f.i2p" has characters that no I2P host has'],
  ];
  for (const [text, message] of texts) {
    assertEquals(assertThrows(() => parseRule(text), SyntaxError).message, message, JSON.stringify(text));
  }
});

pureTest("checkTarget() permits all of I2P without rules", () => {
  for (
    const host of ["a.i2p", "A.I2P.", "irc.postman.i2p.alt", B32, `${blindedLabel(new Uint8Array(32))}.b32.i2p`]
  ) {
    for (const port of [0, 80, 65_535]) assertEquals(verdict(host, port), "permitted", host);
  }
});

pureTest("checkTarget() permits what allow matches and deny does not", () => {
  const cases: readonly (readonly [readonly string[], readonly string[], string, number, "permitted" | "rule"])[] = [
    // Allow alone: only what one of them matches.
    [["a.i2p"], [], "a.i2p", 80, "permitted"],
    [["a.i2p"], [], "b.i2p", 80, "rule"],
    [["a.i2p", "b.i2p"], [], "b.i2p", 80, "permitted"],
    [["a.i2p:80"], [], "a.i2p", 81, "rule"],
    [["a.i2p:80", "a.i2p:81"], [], "a.i2p", 81, "permitted"],
    [["*.b32.i2p"], [], B32, 80, "permitted"],
    [["*.b32.i2p"], [], "a.i2p", 80, "rule"],
    // Deny alone: all but what one of them matches.
    [[], ["a.i2p"], "a.i2p", 80, "rule"],
    [[], ["a.i2p"], "b.i2p", 80, "permitted"],
    [[], ["x.i2p", "a.i2p"], "a.i2p", 80, "rule"],
    [[], ["*:25"], "a.i2p", 25, "rule"],
    [[], ["*:25"], "a.i2p", 26, "permitted"],
    [[], ["*"], B32, 80, "rule"],
    // Both: deny wins, the more particular rule or not.
    [["a.i2p"], ["a.i2p"], "a.i2p", 80, "rule"],
    [["a.i2p:80"], ["*"], "a.i2p", 80, "rule"],
    [["*"], ["a.i2p:80"], "a.i2p", 80, "rule"],
    [["*"], ["a.i2p:80"], "a.i2p", 81, "permitted"],
    [["*.i2p"], ["b.i2p"], "a.i2p", 80, "permitted"],
    [["a.i2p"], ["b.i2p"], "c.i2p", 80, "rule"],
    // As the client writes it: case, a dot behind it, and .alt change nothing.
    [[], ["tracker.i2p"], "TRACKER.I2P", 80, "rule"],
    [[], ["tracker.i2p"], "tracker.i2p.", 80, "rule"],
    [[], ["tracker.i2p"], "Tracker.i2p.alt", 80, "rule"],
    [["Tracker.I2P"], [], "tRACKER.i2p", 80, "permitted"],
    [[], [B32], B32.toUpperCase(), 80, "rule"],
  ];
  for (const [allow, deny, host, port, expected] of cases) {
    assertEquals(verdict(host, port, allow, deny), expected, `${host}:${port}, allow ${allow}, deny ${deny}`);
  }
});

pureTest("checkTarget() refuses what is not I2P, whatever the rules", () => {
  const targets: readonly (readonly [string, AddressKind, string])[] = [
    ["example.com", "clearnet", "clearnet"],
    ["localhost", "clearnet", "clearnet"],
    ["i2p", "clearnet", "clearnet"],
    ["a.i2p.example.com", "clearnet", "clearnet"],
    ["10.1.2.3", "ip", "ip"],
    ["127.0.0.1", "ip", "ip"],
    ["::1", "ip", "ip"],
    ["", "malformed", "malformed-address"],
    ["-.i2p", "malformed", "malformed-address"],
    ["a b.i2p", "malformed", "malformed-address"],
    [`${"a".repeat(51)}.b32.i2p`, "malformed", "malformed-address"],
  ];
  for (const [host, kind, reason] of targets) {
    assertEquals(parseAddress(host).kind, kind, host);
    for (
      const [allow, deny] of [[[], []], [["*"], []], [["*:80", "*example.com*", "*10.1.2.3*", "*localhost*"], []], [
        [],
        [
          "*",
        ],
      ]]
    ) {
      assertEquals(verdict(host, 80, allow, deny), reason, `${host}, allow ${allow}, deny ${deny}`);
    }
  }
});

pureTest("parseRule() normalises hosts as those that are asked for, and refuses what could match nothing", () => {
  for (const text of ["tracker.i2p", "TRACKER.i2p.", "tracker.i2p.alt", "Tracker.I2P.alt."]) {
    assertEquals(verdict("tracker.i2p", 80, [], [text]), "rule", text);
    assertEquals(verdict("Tracker.i2p.alt", 80, [], [text]), "rule", text);
  }
  for (const text of ["example.com", "localhost:80", "i2p", "a.i2p.x"]) {
    assertThrows(() => parseRule(text), SyntaxError);
  }
});

pureTest("parseRule() matches in linear time, whatever the rule and the host", () => {
  const rule = parseRule(`${"*a".repeat(30)}*b.i2p`);
  const since = performance.now();
  assertEquals(rule.matches(`${"a".repeat(60)}.i2p`, 80), false);
  // With backtracking it would take longer than the universe is old.
  assertEquals(performance.now() - since < 10_000, true);
  assertEquals(rule.matches(`${"a".repeat(30)}b.i2p`, 80), true);
  assertEquals(parseRule("a*a.i2p").matches("a.i2p", 80), false);
});

pureTest("checkTarget() says what is wrong with a malformed address, and no host of a denied one", () => {
  const rules = { allow: [], deny: [parseRule("*")] };
  const malformed = assertThrows(() => checkTarget(parseAddress("-a.i2p"), 80, rules), Refusal);
  assertEquals(malformed.message.startsWith("Not a valid I2P address: every part of a name"), true);
  const denied = assertThrows(() => checkTarget(parseAddress("hidden.i2p"), 80, rules), Refusal);
  assertEquals(denied.message, "Blocked by --allow or --deny");
});

/** The reason of a refusal, or "permitted". */
function verdict(host: string, port: number, allow: readonly string[] = [], deny: readonly string[] = []): string {
  try {
    checkTarget(parseAddress(host), port, { allow: allow.map(parseRule), deny: deny.map(parseRule) });
    return "permitted";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.reason;
  }
}

pureTest("mayCall(): all where nothing is said, and deny wins", () => {
  const [A, B] = [`${"a".repeat(52)}.b32.i2p`, `${"b".repeat(52)}.b32.i2p`];
  const lists: [string[], string[], boolean][] = [
    [[], [], true],
    [[A], [], true],
    [[B], [], false],
    [[], [A], false],
    [[], [B], true],
    [[A], [A], false],
  ];
  for (const [allow, deny, may] of lists) assertEquals(mayCall(A, { allow, deny }), may, `${allow} ${deny}`);
});
