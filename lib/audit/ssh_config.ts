import { type Entry, type Finding, isInI2p, linesOf, type SettingsFile, sortFindings } from "./finding.ts";

/** A name that stands for any other of I2P. */
const ANY_HOST = "example.i2p";

/** A line of the file: a keyword in lower case, and what follows it. */
interface Setting extends Entry {
  readonly keyword: string;
  /** Patterns of the Host or Match block that it is in; undefined where it holds for all. */
  readonly patterns: readonly string[] | undefined;
}

/** What a setting must be, for a host of I2P. */
interface SshRule {
  readonly keyword: string;
  readonly isSafe: (value: string | undefined, has: (keyword: string) => string | undefined) => boolean;
  readonly message: string;
  readonly fix: string;
}

const no: SshRule["isSafe"] = (value = "no") => value.toLowerCase() === "no";

const usesKeys = (has: (keyword: string) => string | undefined): boolean =>
  has("pubkeyauthentication")?.toLowerCase() !== "no";

const RULES: readonly SshRule[] = [
  {
    keyword: "ProxyCommand",
    isSafe: (value, has) => value === undefined ? has("proxyjump") !== undefined : value.toLowerCase() !== "none",
    message: "No proxy: the name is asked of this machine's DNS",
    fix: "ProxyCommand i2p-socks connect %h %p",
  },
  {
    keyword: "ProxyCommand",
    isSafe: (value = "") => !/\b(?:nc|ncat|netcat|connect)\b.*(?:-X ?4\b|--proxy-type socks4\b|-4 )/.test(value),
    message: "With SOCKS version 4 the command asks this machine's DNS for the name",
    fix: "ProxyCommand nc -X 5 -x 127.0.0.1:4447 %h %p",
  },
  {
    keyword: "User",
    isSafe: (value) => value !== undefined,
    message: "Without a user name, that of this machine's user is sent",
    fix: "User NAME",
  },
  {
    keyword: "IdentitiesOnly",
    isSafe: (value, has) => value?.toLowerCase() === "yes" || !usesKeys(has),
    message: "Every key of the agent is offered, and links the user to other servers",
    fix: "IdentitiesOnly yes",
  },
  {
    keyword: "IdentityFile",
    isSafe: (value, has) => value !== undefined || !usesKeys(has),
    message: "The usual keys are offered, and link the user to other servers",
    fix: "IdentityFile ~/.ssh/NAME, with a key for this server alone",
  },
  { keyword: "ForwardAgent", isSafe: no, message: "The server can use the agent's keys", fix: "ForwardAgent no" },
  {
    keyword: "ForwardX11",
    isSafe: no,
    message: "The server can watch this machine's screen, and learns its display's name",
    fix: "ForwardX11 no",
  },
  {
    keyword: "SendEnv",
    isSafe: (value) => value === undefined || value.startsWith("-"),
    message: "The environment names the user's language, and perhaps more",
    fix: "Keep SendEnv out of what holds for hosts of I2P",
  },
  {
    keyword: "GSSAPIAuthentication",
    isSafe: no,
    message: "Kerberos may be asked for the host's name, in the clearnet",
    fix: "GSSAPIAuthentication no",
  },
  {
    keyword: "CanonicalizeHostname",
    isSafe: no,
    message: "The name is asked of this machine's DNS",
    fix: "CanonicalizeHostname no",
  },
  {
    keyword: "VerifyHostKeyDNS",
    isSafe: no,
    message: "The host's key is asked of this machine's DNS",
    fix: "VerifyHostKeyDNS no",
  },
];

/** OpenSSH's settings, for each host of I2P that they name, and for any other. */
export const SSH_CONFIG: SettingsFile = {
  title: "OpenSSH: ssh_config, ~/.ssh/config",
  recognise: (name, text) =>
    name === "ssh_config" ||
    (/^[ \t]*(?:Host|Match|ProxyCommand|IdentityFile|IdentitiesOnly|ForwardAgent)[ \t=]+\S/im.test(text) &&
      linesOf(text).every((line) => /^\s*(?:#.*|[A-Za-z0-9]+(?:\s*=\s*|\s+)\S.*)?$/.test(line))),
  inspect: (text) => {
    const settings = readSettings(text);
    const all = hostsOf(settings).flatMap((host) => inspectHost(host, settings));
    // What is wrong with any host need not be said of each.
    const general = new Set(all.filter(({ host }) => host === ANY_HOST).map(({ message }) => message));
    return sortFindings(
      all.filter(({ host, line, message }) => host === ANY_HOST || line !== undefined || !general.has(message))
        .map(({ host, setting, ...finding }) => ({
          ...finding,
          setting: finding.line === undefined && host !== ANY_HOST ? `${setting} (Host ${host})` : setting,
        })),
    );
  },
};

function inspectHost(host: string, settings: readonly Setting[]): (Finding & { host: string })[] {
  // The first value of a keyword counts.
  const find = (keyword: string): Setting | undefined =>
    settings.find((one) => one.keyword === keyword.toLowerCase() && holdsFor(host, one.patterns));
  return RULES.filter(({ keyword, isSafe }) => !isSafe(find(keyword)?.value, (other) => find(other)?.value))
    .map(({ keyword, message, fix }) => ({ host, line: find(keyword)?.line, setting: keyword, message, fix }));
}

/** Names for which to ask: those whose host is one of I2P, and one that nobody has. */
function hostsOf(settings: readonly Setting[]): string[] {
  const named = settings.flatMap(({ patterns = [] }) => patterns.filter((pattern) => !/[*?!]/.test(pattern)));
  const inI2p = named.filter((name) => {
    const hostName = settings.find((one) => one.keyword === "hostname" && holdsFor(name, one.patterns))?.value ?? name;
    return isInI2p(hostName) && hostName.includes(".i2p");
  });
  return [...new Set([...inI2p, ANY_HOST])];
}

function holdsFor(host: string, patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined) return true;
  const matches = (pattern: string): boolean => {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
    return new RegExp(`^${escaped}$`, "i").test(host);
  };
  return patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern)) &&
    !patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1)));
}

/** Reads the file. Of Match blocks, those for `all` and for hosts are understood; others hold for nobody. */
function readSettings(text: string): Setting[] {
  const settings: Setting[] = [];
  let patterns: readonly string[] | undefined;
  for (const [index, line] of linesOf(text).entries()) {
    const [, word = "", rest = ""] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const keyword = word.toLowerCase();
    if (keyword === "") continue;
    const value = rest.replace(/^"(.*)"$/, "$1");
    if (keyword === "host") patterns = value.split(/\s+/).map((pattern) => pattern.replaceAll('"', ""));
    else if (keyword === "match") patterns = matchPatterns(value);
    settings.push({ keyword, value, line: index + 1, patterns });
  }
  return settings;
}

function matchPatterns(criteria: string): readonly string[] | undefined {
  if (/^all$/i.test(criteria)) return undefined;
  const [, hosts] = /^(?:original)?host\s+"?([^"\s]+)"?$/i.exec(criteria) ?? [];
  return hosts?.split(",") ?? [];
}
