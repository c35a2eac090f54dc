import { inspectIrcLine } from "../guard/irc.ts";
import {
  type Entry,
  type Finding,
  isInI2p,
  isLoopback,
  type IsOwn,
  type SettingsFile,
  sortFindings,
} from "./finding.ts";
import { readIni } from "./ini.ts";

/** Answers of CTCP that name the client or the time zone. */
const ANSWERS: readonly (readonly [question: string, message: string])[] = [
  ["version", "The answer to CTCP VERSION names the client"],
  ["time", "The answer to CTCP TIME names the time zone"],
];

/** A kind of proxy that WeeChat leaves names to. */
const LEAVES_NAMES = "socks5";

/** WeeChat's settings of IRC. */
export const WEECHAT_IRC: SettingsFile = {
  title: "WeeChat: irc.conf",
  recognise: (name, text) =>
    /^\[server_default\]\s*$/m.test(text) || (name === "irc.conf" && text.includes("[server]")),
  inspect: (text, isOwn) => {
    const settings = readIni(text);
    const servers = [...settings.keys()].flatMap((name) => /^server\/(.+)\.addresses$/.exec(name)?.[1] ?? []);
    const ctcp = ANSWERS.flatMap(([question, message]): Finding[] => {
      const entry = settings.get(`ctcp/${question}`);
      if (entry?.value === "") return [];
      return [{ line: entry?.line, setting: `irc.ctcp.${question}`, message, fix: `/set irc.ctcp.${question} ""` }];
    });
    const inI2p = (server: string): boolean => addressesOf(server).every(isInI2p);
    return sortFindings([
      ...servers.flatMap((server) => inI2p(server) ? inspectServer(server) : inspectForeign(server)),
      ...ctcp,
    ]);

    function addressesOf(server: string): string[] {
      const hosts = (settings.get(`server/${server}.addresses`)?.value ?? "").split(",");
      return hosts.map((host) => host.replace(/\/\d+$/, ""));
    }

    /** A setting of a server; where it has none, the default of all. */
    function find(server: string, name: string): Entry | undefined {
      return settings.get(`server/${server}.${name}`) ?? settings.get(`server_default/${name}`);
    }

    function inspectForeign(server: string): Finding[] {
      const setting = `irc.server.${server}.autoconnect`;
      const entry = find(server, "autoconnect");
      if (entry?.value !== "on") return [];
      const message = "At its start the client connects to a server of the clearnet";
      return [{ line: entry.line, setting, message, fix: `/set ${setting} off` }];
    }

    function inspectServer(server: string): Finding[] {
      return [
        ...(find(server, "proxy")?.value
          ? []
          : [finding(server, "proxy", "No proxy: the name is asked of this machine's DNS", "i2p")]),
        ...["username", "nicks", "realname"].filter((name) => namesOwn(find(server, name)?.value ?? "", isOwn)).map((
          name,
        ) => finding(server, name, "It names this machine's user", "user")),
        ...["quit", "part"].filter((verb) => namesClient(find(server, `msg_${verb}`)?.value)).map((verb) =>
          finding(server, `msg_${verb}`, `The text of ${verb.toUpperCase()} names the client`, '""')
        ),
      ];
    }

    function finding(server: string, name: string, message: string, value: string): Finding {
      const setting = `irc.server.${server}.${name}`;
      return { line: find(server, name)?.line, setting, message, fix: `/set ${setting} ${value}` };
    }
  },
};

/** WeeChat's settings of proxies. */
export const WEECHAT: SettingsFile = {
  title: "WeeChat: weechat.conf",
  recognise: (name, text) => name === "weechat.conf" || (/^\[proxy\]\s*$/m.test(text) && /^\[bar\]\s*$/m.test(text)),
  inspect: (text) => {
    const settings = readIni(text);
    const proxies = [...settings].flatMap(([name, { line, value }]) => {
      const [, proxy] = /^proxy\/(.+)\.type$/.exec(name) ?? [];
      return proxy === undefined ? [] : [{ proxy, line, type: value, host: settings.get(`proxy/${proxy}.address`) }];
    });
    if (proxies.length === 0) {
      const message = "There is no proxy, so every server is reached past I2P";
      return [{ line: undefined, setting: "weechat.proxy", message, fix: "/proxy add i2p socks5 127.0.0.1 4447" }];
    }
    return sortFindings(proxies.flatMap(({ proxy, line, type, host }): Finding[] => [
      ...(type === LEAVES_NAMES ? [] : [{
        line,
        setting: `weechat.proxy.${proxy}.type`,
        message: "Names are asked of this machine's DNS, or nothing of I2P is reached",
        fix: `/set weechat.proxy.${proxy}.type ${LEAVES_NAMES}`,
      }]),
      ...(isLoopback(host?.value ?? "") ? [] : [{
        line: host?.line,
        setting: `weechat.proxy.${proxy}.address`,
        message: "The proxy is not on this machine",
        fix: `/set weechat.proxy.${proxy}.address 127.0.0.1`,
      }]),
    ]));
  },
};

function namesOwn(value: string, isOwn: IsOwn): boolean {
  return value.split(",").some(isOwn);
}

function namesClient(text = ""): boolean {
  return inspectIrcLine(`QUIT :${text}`).length > 0;
}
