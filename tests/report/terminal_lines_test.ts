import { assert, assertEquals } from "@std/assert";
import type { LogEntry, LogFields, LogLevel } from "../../lib/report/log.ts";
import { foldLine, terminalLines, wrapWords } from "../../lib/report/terminal_lines.ts";
import { pureTest } from "../support/pure.ts";

function entry(level: LogLevel, message: string, fields: LogFields = {}): LogEntry {
  return { time: new Date(2026, 0, 2, 3, 4, 5), level, message, fields };
}

const PLAIN = { columns: 80, color: false };

pureTest("terminalLines() has local time, a sign, the message with its facts, and below what to do", () => {
  const fields = {
    reason: "clearnet",
    hint: "Look into its settings",
    application: "irc",
    destination: "example.com:80",
  };
  assertEquals(terminalLines(entry("info", "Blocked: Not an I2P name", fields), PLAIN).split("\n"), [
    "03:04:05 ✗ irc: Blocked: Not an I2P name (clearnet, destination=example.com:80)",
    "           Look into its settings",
  ]);
  assertEquals(terminalLines(entry("info", "Tunnels ready"), PLAIN), "03:04:05   Tunnels ready");
  assertEquals(terminalLines(entry("debug", "Stream ended", { sent: 2 }), PLAIN), "03:04:05 · Stream ended (sent=2)");
  assertEquals(terminalLines(entry("error", "No"), PLAIN), "03:04:05 ✗ No");
  const leak = entry("warn", "Possible leak", { leak: "dns", fix: "Remote DNS", group: 3, groups: 4, what: undefined });
  assertEquals(terminalLines(leak, PLAIN), "03:04:05 ! Possible leak (dns)\n           Remote DNS");
});

pureTest("terminalLines() breaks lines at spaces, and no line is wider than the terminal", () => {
  const words = "The application asked for a host outside I2P: often telemetry, an update check, or embedded content";
  for (const columns of [40, 57, 80, 120]) {
    const lines = terminalLines(entry("warn", words, { hint: words }), { columns, color: false }).split("\n");
    for (const line of lines) assert(line.length <= columns, line);
    assertEquals(lines.map((line) => line.slice(11)).join(" "), `${words} ${words}`);
    assert(lines.slice(1).every((line) => line.startsWith(" ".repeat(11))));
  }
  assertEquals(wrapWords("a bb ccccccc d", 4), ["a bb", "ccccccc", "d"]);
});

pureTest("foldLine() fills the first line, and indents what follows further", () => {
  assertEquals(foldLine("  aaa bbb ccc ddd", 11), ["  aaa bbb", "    ccc ddd"]);
  assertEquals(foldLine("Try: aaa bbb ccc", 12, 5), ["Try: aaa bbb", "     ccc"]);
  assertEquals([foldLine("", 10), foldLine("  a", 10)], [[""], ["  a"]]);
});

pureTest("terminalLines() gives each piece of advice a line of its own, and shows where one goes on", () => {
  const hint = ["i2pd: start it; SAM listens on 127.0.0.1:7656", "Java I2P: start it, then the SAM bridge", "Look"];
  assertEquals(terminalLines(entry("warn", "Lost", { hint }), { columns: 50, color: false }).split("\n"), [
    "03:04:05 ! Lost",
    "           i2pd: start it; SAM listens on",
    "             127.0.0.1:7656",
    "           Java I2P: start it, then the SAM",
    "             bridge",
    "           Look",
  ]);
  assertEquals(terminalLines(entry("warn", "Lost", { hint: [] }), PLAIN), "03:04:05 ! Lost");
});

pureTest("terminalLines() has no control character but line ends and its own colours", () => {
  const evil = "a\x1b[2Jb\r\nc\x07\u202ed\x9be";
  const fields = { reason: evil, leak: evil, hint: evil, fix: evil, application: evil, destination: evil, more: evil };
  const plain = terminalLines(entry("info", evil, fields), PLAIN);
  assert(!/[\p{Cc}\p{Cf}]/u.test(plain.replaceAll("\n", "")), JSON.stringify(plain));
  // deno-lint-ignore no-control-regex
  const colored = terminalLines(entry("info", evil, fields), { ...PLAIN, color: true }).replaceAll(/\x1b\[\d+m/g, "");
  assertEquals(colored, plain);
});

pureTest("terminalLines() has a colour for what went wrong, and each ends in its line", () => {
  const lines = terminalLines(entry("warn", "M", { hint: "H" }), { ...PLAIN, color: true }).split("\n");
  assertEquals(lines, ["\x1b[2m03:04:05\x1b[0m \x1b[33m!\x1b[0m M", "           \x1b[2mH\x1b[0m"]);
});
