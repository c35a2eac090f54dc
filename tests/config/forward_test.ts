import { assertEquals, assertThrows } from "@std/assert";
import { formatForward, type ForwardRule, parseCaller, parseForward } from "../../lib/config/forward.ts";
import type { RawOptions } from "../../lib/config/raw_options.ts";
import { overlay } from "../../lib/config/overlay.ts";
import { ConfigError, readSettings } from "../../lib/config/settings.ts";
import { pureTest } from "../support/pure.ts";

const [A, B] = [`${"a".repeat(52)}.b32.i2p`, `${"b".repeat(51)}a.b32.i2p`];

function given(values: Record<string, string[]>): RawOptions {
  return new Map(
    Object.entries(values).map(([name, texts]) => [name, texts.map((text) => ({ text, source: `--${name}` }))]),
  );
}

function problemsOf(values: Record<string, string[]>): readonly string[] {
  return assertThrows(() => readSettings(given(values)), ConfigError).problems;
}

pureTest("parseForward() reads an I2P port and a loopback address, and formatForward() writes them", () => {
  const rules: [string, ForwardRule, string?][] = [
    ["127.0.0.1:80", { port: undefined, target: { hostname: "127.0.0.1", port: 80 } }],
    ["65535=[::1]:65535", { port: 65_535, target: { hostname: "::1", port: 65_535 } }],
    ["1=LOCALHOST:1", { port: 1, target: { hostname: "127.0.0.1", port: 1 } }, "1=127.0.0.1:1"],
    ["8080", { port: undefined, target: { hostname: "127.0.0.1", port: 8080 } }, "127.0.0.1:8080"],
  ];
  for (const [text, rule, written = text] of rules) {
    assertEquals(parseForward(text), rule, text);
    assertEquals(formatForward(rule), written);
  }
});

pureTest("parseForward() refuses what is not on this machine, and ports that do not exist", () => {
  for (
    const target of ["10.0.0.1:80", "example.org:80", "0.0.0.0:80", "127.0.0.1", "127.0.0.1:0", "80=", "", "::1:80"]
  ) {
    assertThrows(() => parseForward(target), SyntaxError);
  }
  for (const port of ["0", "65536", "x", "", " 1", "+1", "1=2", "1e1"]) {
    assertThrows(() => parseForward(`${port}=127.0.0.1:80`), SyntaxError);
  }
});

pureTest("parseCaller() takes base32 addresses only", () => {
  assertEquals(parseCaller(A.toUpperCase().replace("B32.I2P", "b32.i2p")), A);
  for (const text of ["name.i2p", "a.b32.i2p", "", `${"a".repeat(51)}b.b32.i2p`, "*.b32.i2p"]) {
    assertThrows(() => parseCaller(text), SyntaxError);
  }
});

pureTest("nobody is waited for where nothing is given, and everybody may call", () => {
  const { forward, policy, bind } = readSettings(new Map());
  assertEquals([forward, policy.callers, bind], [undefined, { allow: [], deny: [] }, false]);
});

pureTest("readSettings() reads what is served into I2P", () => {
  const { forward, policy, bind } = readSettings(given({
    "forward": ["80=127.0.0.1:8080", "127.0.0.1:9090"],
    "forward-header": ["true"],
    "max-inbound": ["7"],
    "max-per-caller": ["3"],
    "caller-idle-timeout": ["5m"],
    "allow-caller": [A],
    "deny-caller": [B],
    "bind": ["true"],
  }));
  assertEquals(forward?.rules.map(formatForward), ["80=127.0.0.1:8080", "127.0.0.1:9090"]);
  assertEquals([forward?.header, forward?.maxInbound, bind], [true, 7, true]);
  assertEquals([forward?.maxPerCaller, forward?.idleTimeout], [3, 300_000]);
  assertEquals(policy.callers, { allow: [A], deny: [B] });
});

pureTest("readSettings() leads nobody to SOCKS or to the SAM bridge", () => {
  const [sam, listen] = [["127.0.0.1:7656"], ["[::1]:9050"]];
  const everybody = "everybody in I2P would have it";
  assertEquals(problemsOf({ forward: ["127.0.0.1:7656"], sam }), [
    `--forward cannot lead to 127.0.0.1:7656, the SAM bridge: ${everybody}`,
  ]);
  assertEquals(problemsOf({ forward: ["1=127.0.0.1:1", "[::1]:9050"], listen }), [
    `--forward cannot lead to [::1]:9050, where SOCKS is served: ${everybody}`,
  ]);
  assertEquals(problemsOf({ forward: ["localhost:4447"] }).length, 1, "the default port, too");
  readSettings(given({ forward: ["127.0.0.1:9050"], listen }));
});

pureTest("overlay() keeps callers that are denied below, and --forward above replaces that below", () => {
  const merged = overlay(
    given({ "deny-caller": [A], "forward": ["127.0.0.1:1"] }),
    given({ "deny-caller": [B], "forward": ["127.0.0.1:2"] }),
  );
  const { policy, forward } = readSettings(merged);
  assertEquals(policy.callers.deny, [A, B]);
  assertEquals(forward?.rules.map(formatForward), ["127.0.0.1:2"]);
});
