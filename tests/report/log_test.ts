import { assertEquals, assertMatch } from "@std/assert";
import { createLog, type Log, LOG_FORMATS, LOG_LEVELS, type LogOptions, Once } from "../../lib/report/log.ts";
import { pureTest } from "../support/pure.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;

pureTest("createLog() writes messages from its level on", () => {
  assertEquals([...LOG_LEVELS], ["debug", "info", "warn", "error"]);
  for (const [lowest, level] of LOG_LEVELS.entries()) {
    const lines = linesOf({ level }, (log) => LOG_LEVELS.forEach((each) => log[each](`At ${each}`)));
    assertEquals(lines.map((line) => line.replace(/^.*At /, "")), LOG_LEVELS.slice(lowest));
  }
});

pureTest("createLog() writes a time, a level in five columns, a message and fields as text", () => {
  const [warn = "", debug = ""] = linesOf({ level: "debug" }, (log) => {
    log.warn("Session lost", { router: "127.0.0.1:7656", count: 2, why: "it said no", nothing: undefined, empty: "" });
    log.debug("Plain");
  });
  assertMatch(warn, TIME);
  assertEquals(warn.replace(TIME, ""), ' warn  Session lost router=127.0.0.1:7656 count=2 why="it said no" empty=""');
  assertEquals(debug.replace(TIME, ""), " debug Plain");
});

pureTest("createLog() quotes fields that could be taken for others", () => {
  const [line = ""] = linesOf({}, (log) => log.info("M", { a: "x b=1", c: 'q"', d: "[::1]:80", e: "k=v", f: "ü" }));
  assertEquals(line.replace(TIME, ""), ' info  M a="x b=1" c="q\\"" d=[::1]:80 e="k=v" f="ü"');
});

pureTest("createLog() writes an object a line as JSON", () => {
  const [line = ""] = linesOf({ format: "json" }, (log) => log.error('Say "no"', { count: 2, nothing: undefined }));
  const { time, ...rest } = JSON.parse(line);
  assertMatch(time, TIME);
  assertEquals(rest, { level: "error", message: 'Say "no"', count: 2 });
});

pureTest("createLog() writes several pieces of advice as one field", () => {
  const say = (log: Log): void => {
    log.warn("Lost", { hint: ["Start it", "Look"] });
    log.warn("Lost", { hint: [] });
  };
  assertEquals(linesOf({}, say).map((line) => line.replace(TIME, "")), [
    ' warn  Lost hint="Start it; Look"',
    " warn  Lost",
  ]);
  assertEquals(linesOf({ format: "json" }, say).map((line) => JSON.parse(line).hint), ["Start it; Look", undefined]);
});

pureTest("createLog() names destinations only on request", () => {
  const say = (log: Log): void => {
    log.info("Stream ended", { sent: 1, destination: "secret.i2p" });
    log.error("Stream ended", { destination: "secret.i2p" });
    log.info("Stream ended", { destination: undefined });
  };
  for (const format of LOG_FORMATS) {
    for (const line of linesOf({ format }, say)) assertEquals(/secret|destination/.test(line), false, line);
    const shown = linesOf({ format, destinations: true }, say).map((line) => line.includes("secret.i2p"));
    assertEquals(shown, [true, true, false]);
  }
  assertMatch(linesOf({ destinations: true }, say)[0] ?? "", /Stream ended sent=1 destination=secret\.i2p$/);
});

pureTest("createLog() shows line ends and escape sequences instead of obeying them", () => {
  const [message = "", field = ""] = linesOf({ destinations: true }, (log) => {
    log.info("a\r\nb\x1b[2J\x07\0c\tend");
    log.info("M", { why: "a\nb\x1b", destination: "x\r\ny" });
  });
  assertEquals(message.replace(TIME, ""), " info  a\\r\\nb\\u001b[2J\\u0007\\u0000c\\tend");
  assertEquals(field.replace(TIME, ""), ' info  M why="a\\nb\\u001b" destination="x\\r\\ny"');
});

for (const format of LOG_FORMATS) {
  pureTest(`createLog() lets no C0 control character out as ${format}`, () => {
    assertEquals(leaked(format, range(0, 0x1f)), []);
  });

  pureTest(`createLog() lets no DEL, C1 control character or line separator out as ${format}`, () => {
    // U+009B is CSI, the beginning of an escape sequence in one character; U+0085, U+2028 and U+2029 begin a line.
    assertEquals(leaked(format, [...range(0x7f, 0x9f), 0x2028, 0x2029]), []);
  });
}

pureTest("createLog() writes what it escapes whole, so that JSON has it back", () => {
  // A tag, which has two units of UTF-16, beside a zero-width joiner.
  const text = "a\u{e0041}b\u200dc";
  const [line = ""] = linesOf({ format: "json" }, (log) => log.info(text));
  assertEquals([JSON.parse(line).message, /^[ -~]*$/.test(line)], [text, true]);
});

pureTest("createLog() keeps other scripts readable", () => {
  const [line = ""] = linesOf({}, (log) => log.info("nicht möglich – 不可能"));
  assertEquals(line.replace(TIME, ""), " info  nicht möglich – 不可能");
});

/** The places and code points whose character reaches a line as it is. */
function leaked(format: LogOptions["format"], codes: readonly number[]): string[] {
  return codes.flatMap((code) => {
    const character = String.fromCharCode(code);
    const text = `a${character}b`;
    const lines = linesOf({ format, destinations: true }, (log) => {
      log.info(text);
      log.info("M", { field: text });
      log.info("M", { destination: text });
    });
    return ["message", "field", "destination"].filter((_, i) => lines[i]?.includes(character))
      .map((place) => `U+${code.toString(16).padStart(4, "0")} in a ${place}`);
  });
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function linesOf(options: Partial<LogOptions>, say: (log: Log) => void): string[] {
  const lines: string[] = [];
  say(createLog({ level: "info", format: "text", destinations: false, ...options, write: (line) => lines.push(line) }));
  return lines;
}

pureTest("Once says which keys are new, and forgets those that are cleared", () => {
  const once = new Once();
  assertEquals(["down", "down", "full"].map((key) => once.isNew(key)), [true, false, true]);
  once.clear("down");
  assertEquals(["down", "full", "down"].map((key) => once.isNew(key)), [true, false, false]);
});
