import { type Entry, type Finding, isInI2p, type IsOwn, linesOf, type SettingsFile, sortFindings } from "./finding.ts";

/** A setting of the file with the names of the blocks that it is in: `settings/core/nick`, `servers/3/address`. */
interface Setting extends Entry {
  readonly path: string;
}

/** What is sent on login, by the name of the setting. */
const NAMES: Readonly<Record<string, string>> = {
  nick: "The nick",
  "user_name": "The user name",
  "real_name": "The real name",
};

/** irssi's settings. */
export const IRSSI: SettingsFile = {
  title: "irssi: config",
  recognise: (name, text) =>
    /^irssi.*\.conf$/.test(name) ||
    (/^\s*servers\s*=\s*\(/m.test(text) && /^\s*(?:chatnets|settings)\s*=\s*\{/m.test(text)),
  inspect: (text, isOwn) => {
    const settings = readConfig(text);
    const find = (path: string): Setting | undefined => settings.find((one) => one.path === path);
    return sortFindings([
      ...inspectNames(find, isOwn),
      ...inspectServers(settings),
      ...inspectCtcp(settings, find),
      ...inspectDcc(find),
    ]);
  },
};

type Find = (path: string) => Setting | undefined;

function inspectNames(find: Find, isOwn: IsOwn): Finding[] {
  return Object.entries(NAMES).flatMap(([name, what]): Finding[] => {
    const entry = find(`settings/core/${name}`);
    const fix = `/set ${name} user`;
    if (entry === undefined) {
      return [{ line: undefined, setting: name, message: `${what} is that of this machine's user`, fix }];
    }
    if (isOwn(entry.value)) {
      return [{ line: entry.line, setting: name, message: `${what} names this machine's user`, fix }];
    }
    const isPerson = name === "real_name" && /\S \S/.test(entry.value);
    return isPerson ? [{ line: entry.line, setting: name, message: `${what} looks like that of a person`, fix }] : [];
  });
}

function inspectServers(settings: readonly Setting[]): Finding[] {
  return settings.flatMap(({ path, line, value }) => {
    const [, server] = /^servers\/(\d+)\/autoconnect$/.exec(path) ?? [];
    const address = settings.find((one) => one.path === `servers/${server}/address`)?.value ?? "";
    if (server === undefined || !/^(?:yes|true|on|1)$/i.test(value) || isInI2p(address)) return [];
    const message = "At its start the client connects to a server of the clearnet";
    return [{ line, setting: "autoconnect", message, fix: 'autoconnect = "no"' }];
  });
}

function inspectCtcp(settings: readonly Setting[], find: Find): Finding[] {
  if (isIgnored(settings, "CTCPS")) return [];
  const entry = find("settings/irc/core/ctcp_version_reply");
  const message = "Answers to CTCP name the client, the real name and the time zone";
  return [{ line: entry?.line, setting: "ignores", message, fix: "/ignore * CTCPS" }];
}

function inspectDcc(find: Find): Finding[] {
  const get = find("settings/irc/dcc/dcc_autoget");
  const own = find("settings/irc/dcc/dcc_own_ip");
  return [
    ...(get !== undefined && /^(?:yes|true|on|1)$/i.test(get.value)
      ? [{
        line: get.line,
        setting: "dcc_autoget",
        message: "Whoever offers a file is connected to, past the proxy",
        fix: "/set dcc_autoget off",
      }]
      : []),
    ...(own !== undefined && own.value !== ""
      ? [{
        line: own.line,
        setting: "dcc_own_ip",
        message: "DCC offers name this IP address",
        fix: "/set -clear dcc_own_ip",
      }]
      : []),
  ];
}

/** Whether a level is ignored of everybody. */
function isIgnored(settings: readonly Setting[], level: string): boolean {
  return settings.some(({ path, value }) => {
    const [, ignore] = /^ignores\/(\d+)\/level$/.exec(path) ?? [];
    const isOfAll = !settings.some((one) =>
      ["mask", "servers", "channels"].some((name) => one.path === `ignores/${ignore}/${name}`)
    );
    return ignore !== undefined && isOfAll && value.split(/\s+/).some((one) => one === level || one === "ALL");
  });
}

/** A string, a name, a sign, or a comment. */
const TOKEN = /"((?:[^"\\]|\\.)*)"|#.*|([=(){};,])|([^\s"=(){};,#]+)/g;

/** Reads blocks in braces, whose settings have names, and lists in parentheses, whose members have numbers. */
function readConfig(text: string): Setting[] {
  const settings: Setting[] = [];
  const blocks: { path: string; isList: boolean; count: number }[] = [{ path: "", isList: false, count: 0 }];
  let name = "";
  let word: string | undefined;
  for (const [index, line] of linesOf(text).entries()) {
    for (const [token, quoted, sign, plain] of line.matchAll(TOKEN)) {
      if (token.startsWith("#")) continue;
      const block = blocks.at(-1);
      if (block === undefined) return settings;
      if (sign === undefined) {
        word = quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
        if (name !== "") settings.push({ path: block.path + name, line: index + 1, value: word });
      } else if (sign === "=") name = word ?? "";
      else if (sign === "{" || sign === "(") {
        const own = block.isList ? `${block.count++}` : name;
        blocks.push({ path: `${block.path}${own}/`, isList: sign === "(", count: 0 });
        name = "";
      } else {
        if (sign === "}" || sign === ")") blocks.pop();
        name = "";
      }
    }
  }
  return settings;
}
