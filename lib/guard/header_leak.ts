import { hostOf, hostOfUrl, isHarmlessHost } from "./host.ts";
import type { LeakKind } from "./leak.ts";
import type { HeaderField } from "./request.ts";
import { namesSystem } from "./system_words.ts";

/** Headers in which proxies write where a request came from. X-Forwarded-Proto and -Port say nothing of that. */
const FORWARDED: ReadonlySet<string> = new Set([
  "cf-connecting-ip",
  "cf-connecting-ipv6",
  "client-ip",
  "fastly-client-ip",
  "forwarded",
  "forwarded-for",
  "proxy-client-ip",
  "true-client-ip",
  "wl-proxy-client-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-forwarded",
  "x-forwarded-by",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-server",
  "x-original-forwarded-for",
  "x-originating-ip",
  "x-real-ip",
  "x-remote-addr",
  "x-remote-ip",
]);

/**
 * Firefox's User-Agent where it resists fingerprinting: Tor Browser and LibreWolf send it on every system, so it says
 * nothing, although it names one.
 */
const UNIFORM = /^Mozilla\/5\.0 \(Windows NT 10\.0; rv:\d{1,3}\.\d\) Gecko\/20100101 Firefox\/\d{1,3}\.\d$/;

/** Client hints, of Chromium and of older browsers, that name the system, the device or its hardware. */
const HINT = new RegExp(
  "^(?:sec-ch-ua-(?:platform|platform-version|arch|bitness|model|wow64|form-factors)|ua-(?:cpu|os|pixels|color)|" +
    "(?:sec-ch-)?(?:device-memory|dpr|viewport-(?:width|height))|x-wap-profile)$",
);

/** Words in names of headers of other programs, which name the system if their value does. */
const ABOUT_CLIENT = new RegExp(
  "(?:^|-)(?:agent|app|application|arch|architecture|client|cpu|device|distribution|kernel|machine|model|os|platform|runtime|system|ua)" +
    "(?:-(?:arch|info|name|type|version))?$",
);

/** What a request that names no other host had last: most are like that, and go where the last one went. */
let lastSites: { host: string; sites: ReadonlySet<string> } = { host: "", sites: new Set() };

/** The hosts under which a request knows the site that it goes to, which may be called by name and by address. */
export function sitesOf(request: { target: string; hosts: readonly string[] }, host: string): ReadonlySet<string> {
  const isPlain = /^\/(?!\/)/.test(request.target) && request.hosts.every((named) => named === host);
  if (isPlain && host === lastSites.host) return lastSites.sites;
  const sites = new Set([hostOf(host)]);
  const add = (name: string): void => {
    if (name.endsWith(".i2p")) sites.add(name);
  };
  add(hostOfUrl(request.target) ?? "");
  for (const named of request.hosts) add(hostOf(named));
  if (isPlain) lastSites = { host, sites };
  return sites;
}

/**
 * Which leak a header field is. Pure.
 *
 * @param sites the hosts of the site that the request goes to, from {@linkcode sitesOf}.
 */
export function headerLeak({ name, value }: HeaderField, sites: ReadonlySet<string>): LeakKind | undefined {
  if (FORWARDED.has(name)) return namesNobody(value) ? undefined : "http-forwarded";
  switch (name) {
    case "user-agent":
      return isLeakyAgent(value) ? "http-user-agent" : undefined;
    case "from":
      return value.includes("@") ? "http-from" : undefined;
    case "via":
      return value === "" ? undefined : "http-via";
    case "referer":
      return isElsewhere(value, sites) ? "http-referer" : undefined;
    case "origin":
      return isElsewhere(value, sites) ? "http-origin" : undefined;
    case "host":
      return isForeignHost(hostOf(value), sites) ? "http-host" : undefined;
    default:
      return isHint(name, value) ? "http-client-hints" : undefined;
  }
}

function isHint(name: string, value: string): boolean {
  if (name === "sec-ch-ua-mobile") return value === "?1";
  switch (sortOf(name)) {
    case "hint":
      // Chromium sends empty ones where it has nothing to say.
      return /\w/.test(value) && value !== "?0";
    case "client":
      return namesSystem(value);
    case "other":
      return false;
  }
}

/** What the name of a header says of its value: that it is a hint, that it may be of the client, or nothing. */
type Sort = "hint" | "client" | "other";

/** Names of headers that are remembered, at most, and their longest: programs send the same few again and again. */
const [MAX_SORTS, LONGEST_SORT] = [256, 32];

const sorts = new Map<string, Sort>();

function sortOf(name: string): Sort {
  const known = sorts.get(name);
  if (known !== undefined) return known;
  const sort = HINT.test(name) ? "hint" : ABOUT_CLIENT.test(name) ? "client" : "other";
  if (name.length <= LONGEST_SORT && sorts.size < MAX_SORTS) sorts.set(name, sort);
  return sort;
}

/** The User-Agent that was looked at last, and whether it is a leak: a program has one. */
let lastAgent = { value: "", isLeak: false };

function isLeakyAgent(value: string): boolean {
  if (value !== lastAgent.value) lastAgent = { value, isLeak: namesSystem(value) && !UNIFORM.test(value) };
  return lastAgent.isLeak;
}

/** Whether a request's host is neither one of I2P, nor the one that it goes to, nor this machine. */
export function isForeignHost(host: string, sites: ReadonlySet<string>): boolean {
  return !isHarmlessHost(host) && !sites.has(host);
}

/** Whether a URL names another site. A relative one, `null` and `about:blank` name none. */
function isElsewhere(url: string, sites: ReadonlySet<string>): boolean {
  const host = hostOfUrl(url);
  return host !== undefined && !sites.has(host);
}

/** Proxies that are set to hide addresses still write the header. */
function namesNobody(value: string): boolean {
  return value === "" || /^"?(?:for=)?"?unknown"?$/i.test(value);
}
