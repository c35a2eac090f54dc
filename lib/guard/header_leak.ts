import { hostOf, hostOfUrl, isHarmlessHost } from "./host.ts";
import type { LeakKind } from "./leak.ts";
import { type HeaderField, type RequestHead, valuesOf } from "./request_head.ts";
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

/** The hosts under which a request knows the site that it goes to, which may be called by name and by address. */
export function sitesOf(head: RequestHead, host: string): ReadonlySet<string> {
  const named = [hostOfUrl(head.target) ?? "", ...valuesOf(head, "host").map(hostOf)];
  return new Set([hostOf(host), ...named.filter((name) => name.endsWith(".i2p"))]);
}

/**
 * What a header field gives away. Pure.
 *
 * @param sites the hosts of the site that the request goes to, from {@linkcode sitesOf}.
 */
export function headerLeak({ name, value }: HeaderField, sites: ReadonlySet<string>): LeakKind | undefined {
  if (FORWARDED.has(name)) return namesNobody(value) ? undefined : "http-forwarded";
  switch (name) {
    case "user-agent":
      return namesSystem(value) && !UNIFORM.test(value) ? "http-user-agent" : undefined;
    case "via":
      return value === "" ? undefined : "http-via";
    case "referer":
      return isElsewhere(value, sites) ? "http-referer" : undefined;
    case "origin":
      return isElsewhere(value, sites) ? "http-origin" : undefined;
    case "host":
      return isForeignHost(hostOf(value), sites) ? "http-host" : undefined;
    default:
      return undefined;
  }
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

/** Proxies that are told to keep addresses to themselves still write the header. */
function namesNobody(value: string): boolean {
  return value === "" || /^"?(?:for=)?"?unknown"?$/i.test(value);
}
