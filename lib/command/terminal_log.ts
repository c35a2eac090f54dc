import { createLog, type Log, type LogLevel } from "../report/log.ts";
import type { Terminal } from "./terminal.ts";

/** The log of a verb that has no options for one. */
export function terminalLog(terminal: Terminal, level: LogLevel = "warn"): Log {
  return createLog({ level, format: "text", destinations: false, write: (line) => terminal.talk(line) });
}
