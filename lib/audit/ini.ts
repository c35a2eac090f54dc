import { type Entry, linesOf } from "./finding.ts";

/** Settings by name. The name has the section in front, after a slash: `Network/Proxy\Type`. */
export type Settings = ReadonlyMap<string, Entry>;

/**
 * Reads settings of lines `name = value` under headings `[section]`. The last one of a name counts. Quotes around a value
 * are taken off; a line without an equals sign is left out, as is a comment behind `#` or `;`.
 */
export function readIni(text: string): Settings {
  const settings = new Map<string, Entry>();
  let section = "";
  for (const [index, line] of linesOf(text).entries()) {
    const heading = /^\s*\[([^\]]*)\]\s*$/.exec(line);
    if (heading !== null) section = heading[1] ?? "";
    if (heading !== null || /^\s*[#;]/.test(line)) continue;
    const [, name, value = ""] = /^\s*([^=]*[^=\s])\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    settings.set(`${section}/${name}`, { line: index + 1, value: value.replace(/^"(.*)"$/, "$1") });
  }
  return settings;
}
