import { namesSystem } from "../guard/system_words.ts";
import {
  applyRules,
  type Entry,
  type Finding,
  isInI2p,
  isLoopback,
  type IsOwn,
  linesOf,
  type Rule,
  sortFindings,
} from "./finding.ts";
import type { SettingsFile } from "./finding.ts";

/** First version of Firefox that leaves names to a SOCKS5 proxy by itself. */
const REMOTE_DNS_VERSION = 128;

/** A rule for one value; what is missing has another one. */
function mustBe(setting: string, value: string, message: string): Rule {
  return { setting, isSafe: (given) => given === value, message, fix: line(setting, value) };
}

/** What both Firefox and Thunderbird need for I2P. */
const PROXY: readonly Rule[] = [
  mustBe("network.proxy.type", "1", "No proxy of its own is set, so requests go past I2P"),
  {
    setting: "network.proxy.socks",
    isSafe: (host = "") => isLoopback(host),
    message: "No SOCKS proxy on this machine is set",
    fix: line("network.proxy.socks", '"127.0.0.1"'),
  },
  ...["http", "ssl"].map((scheme) => ({
    setting: `network.proxy.${scheme}`,
    isSafe: (host = ""): boolean => host === "",
    message: "Another proxy is set for some requests",
    fix: line(`network.proxy.${scheme}`, '""'),
  })),
  {
    setting: "network.proxy.no_proxies_on",
    isSafe: (hosts = "") => hosts === "",
    message: "What is in this list is reached past the proxy",
    fix: line("network.proxy.no_proxies_on", '""'),
  },
  mustBe("network.proxy.failover_direct", "false", "Some requests go past the proxy where that fails"),
  mustBe("network.proxy.allow_bypass", "false", "The program's own requests may go past the proxy"),
  mustBe("network.trr.mode", "5", "Names may be asked of a server in the clearnet (DNS over HTTPS)"),
];

const BROWSER: readonly Rule[] = [
  mustBe(
    "network.proxy.allow_hijacking_localhost",
    "true",
    "A site can have the browser ask services of this machine, the router's console for one",
  ),
  mustBe("media.peerconnection.enabled", "false", "WebRTC tells sites the IP addresses of this machine"),
  mustBe("network.http.referer.XOriginPolicy", "2", "The Referer tells a site which other one a visitor comes from"),
  mustBe("keyword.enabled", "false", "What is typed into the address bar goes to a search engine of the clearnet"),
  {
    setting: "general.useragent.override",
    isSafe: (agent) => agent !== undefined && !namesSystem(agent),
    message: "User-Agent names the operating system",
    fix: "Run i2p-socks with --scrub http, which takes it out",
  },
];

const MAIL: readonly Rule[] = [
  mustBe("mail.sanitize_date_header", "true", "Date names the time zone"),
  mustBe("mailnews.headers.sendUserAgent", "false", "User-Agent names the mail client"),
  {
    setting: "mail.smtpserver.default.hello_argument",
    isSafe: (name) => name !== undefined && isLoopback(name),
    message: "EHLO names this machine, or its IP address",
    fix: line("mail.smtpserver.default.hello_argument", '"localhost"'),
  },
];

/** Settings of Thunderbird with a number in their name. */
const ACCOUNT: readonly {
  name: RegExp;
  leaks: (value: string, isOwn: IsOwn) => boolean;
  message: string;
  fix: string;
}[] = [
  {
    name: /^mail\.identity\.id\d+\.fullName$/,
    leaks: (name, isOwn) => /\S \S/.test(name) || isOwn(name),
    message: "The sender's name looks like that of a person, or of this machine's user",
    fix: "Write a name that is used in I2P alone",
  },
  {
    name: /^mail\.identity\.id\d+\.useremail$/,
    leaks: (address) => !isInI2p(address.split("@").at(-1) ?? ""),
    message: "The sender's address is in the clearnet",
    fix: "Use an address of I2P",
  },
  {
    name: /^mail\.identity\.id\d+\.organization$/,
    leaks: (name) => name !== "",
    message: "Organization names the user's organization",
    fix: "Leave it empty",
  },
  {
    name: /^mail\.(?:server\.server|smtpserver\.smtp)\d+\.hostname$/,
    leaks: (host) => !isInI2p(host) && !/^(?:Local Folders|Feeds.*|)$/.test(host),
    message: "The account's server is in the clearnet",
    fix: "Use a server of I2P, and this profile for I2P alone",
  },
  {
    name: /^mail\.smtpserver\.smtp\d+\.hello_argument$/,
    leaks: (name) => !isLoopback(name),
    message: "EHLO names this machine, or its IP address",
    fix: 'Write "localhost"',
  },
];

/** Settings of a profile of Firefox and its kin. */
export const FIREFOX: SettingsFile = {
  title: "Firefox, LibreWolf: prefs.js or user.js",
  recognise: (_, text) => hasPrefs(text) && !isThunderbird(text),
  inspect: (text) => {
    const prefs = readPrefs(text);
    return sortFindings([...inspectProxy(prefs), ...applyRules(BROWSER, (name) => prefs.get(name))]);
  },
};

/** Settings of a profile of Thunderbird. */
export const THUNDERBIRD: SettingsFile = {
  title: "Thunderbird: prefs.js or user.js",
  recognise: (_, text) => hasPrefs(text) && isThunderbird(text),
  inspect: (text, isOwn) => {
    const prefs = readPrefs(text);
    const ofAccounts = [...prefs].flatMap(([setting, { line, value }]) =>
      ACCOUNT.filter(({ name, leaks }) => name.test(setting) && leaks(value, isOwn))
        .map(({ message, fix }) => ({ line, setting, message, fix }))
    );
    return sortFindings([...inspectProxy(prefs), ...applyRules(MAIL, (name) => prefs.get(name)), ...ofAccounts]);
  },
};

function inspectProxy(prefs: ReadonlyMap<string, Entry>): Finding[] {
  const valueOf = (name: string): string | undefined => prefs.get(name)?.value;
  const version = Number.parseInt(valueOf("extensions.lastAppVersion") ?? "0");
  const isVersion5 = valueOf("network.proxy.socks_version") !== "4";
  const byDefault = valueOf("network.proxy.socks5_remote_dns") ?? String(version >= REMOTE_DNS_VERSION);
  const isRemote = valueOf("network.proxy.socks_remote_dns") === "true" || (isVersion5 && byDefault === "true");
  const setting = "network.proxy.socks_remote_dns";
  const fix = line(setting, "true");
  return [
    ...applyRules(PROXY, (name) => prefs.get(name)),
    ...(isRemote
      ? []
      : [{ line: prefs.get(setting)?.line, setting, message: "Names are asked of this machine's DNS", fix }]),
  ];
}

function line(setting: string, value: string): string {
  return `user_pref("${setting}", ${value});`;
}

/** A line of a file of settings, and of LibreWolf's, whose functions have other names. */
const PREF = /^\s*(?:user_pref|pref|defaultPref|lockPref)\(\s*"([^"]+)"\s*,\s*(.*?)\s*\)\s*;?/;

function hasPrefs(text: string): boolean {
  return linesOf(text).some((line) => PREF.test(line));
}

function isThunderbird(text: string): boolean {
  return /^\s*user_pref\("(?:mail\.(?:accountmanager|identity|server|rights|ui-rdf)|mailnews|calendar)\./m.test(text);
}

function readPrefs(text: string): Map<string, Entry> {
  const prefs = new Map<string, Entry>();
  for (const [index, line] of linesOf(text).entries()) {
    const [, name, value = ""] = PREF.exec(line) ?? [];
    if (name !== undefined) prefs.set(name, { line: index + 1, value: value.replace(/^"(.*)"$/, "$1") });
  }
  return prefs;
}
