import { garlicatHost, garlicatName } from "../i2p/garlicat.ts";

/**
 * The host of `host`, `host:port`, `[address]:port` or `user@host:port`: lower case, without port, brackets and
 * trailing dot, and `.i2p.alt` (RFC 9476) as `.i2p`. Empty where there is none.
 */
export function hostOf(authority: string): string {
  const bare = authority.slice(authority.lastIndexOf("@") + 1).trim().toLowerCase();
  const named = withoutPort(bare);
  const name = named.endsWith(".") ? named.slice(0, -1) : named;
  const host = name.endsWith(".i2p.alt") ? name.slice(0, -".alt".length) : name;
  return (host.includes(":") ? garlicatName(host) : garlicatHost(host)) ?? host;
}

/** The host that an absolute URL names; undefined for a relative one, and for those without an authority (`about:`). */
export function hostOfUrl(url: string): string | undefined {
  if (!url.includes("//")) return undefined;
  const [, authority] = /^(?:[a-z][a-z0-9+.-]{0,31}:)?\/\/([^/?#\\]*)/i.exec(url) ?? [];
  return authority === undefined ? undefined : hostOf(authority);
}

/** Whether a host, as {@linkcode hostOf} gives it, names nothing outside: it is one of I2P, this machine, or empty. */
export function isHarmlessHost(host: string): boolean {
  return host === "" || host.endsWith(".i2p") || host === "localhost" || host.endsWith(".localhost") ||
    host === "::1" ||
    /^127(?:\.\d{1,3}){3}$/.test(host);
}

function withoutPort(authority: string): string {
  if (authority.startsWith("[")) return authority.slice(1).replace(/\].*$/s, "");
  const colon = authority.indexOf(":");
  const isAddress = colon >= 0 && authority.includes(":", colon + 1);
  return colon < 0 || isAddress ? authority : authority.slice(0, colon);
}
