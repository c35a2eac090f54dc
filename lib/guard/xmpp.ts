import type { Detector, Head, Verdict } from "./detector.ts";
import { hostOf, isHarmlessHost } from "./host.ts";

/** What may come before a stream's opening tag: white space, and a declaration of a length that is not absurd. */
const PROLOGUE = /^\s{0,64}(?:<\?xml[^<>]{0,256}>\s{0,64})?/;

/** A stream's opening tag (RFC 6120 §4.7). An attribute's value may hold `>`, but no client sends one. */
const OPENING = /<(?:stream:)?stream\s[^<>]{0,2048}>/g;

const ADDRESS = /\s(?:to|from)\s{0,8}=\s{0,8}(?:"([^"]{0,1023})"|'([^']{0,1023})')/g;

/**
 * The opening of an XMPP client's stream, and those that follow it after a login without TLS, for the domains in it.
 *
 * Not seen: what comes behind STARTTLS, which with most servers is everything but the first opening, and addresses in
 * what is said within a stream, which go to the server that the application has chosen.
 */
export const xmpp: Detector = ({ sent }: Head): Verdict | undefined => {
  const start = PROLOGUE.exec(sent)?.[0].length ?? 0;
  if (!/^<(?:stream:)?stream\s/.test(sent.slice(start, start + 16))) return undefined;
  // deno-lint-ignore no-control-regex
  const encrypted = /<starttls\b[^<>]{0,256}>(?:\s{0,64}<\/starttls\s{0,8}>)?\s{0,64}\x16\x03/.exec(sent);
  const plain = sent.slice(start, encrypted?.index);
  const openings = plain.match(OPENING) ?? [];
  const isLeak = openings.flatMap(domainsOf).some((domain) => !isHarmlessHost(domain));
  return { leaks: isLeak ? ["xmpp-domain"] : [], isDone: isLeak || encrypted !== null };
};

/** The domains of the addresses, `user@domain/resource`, in an opening tag. */
function domainsOf(opening: string): string[] {
  return [...opening.matchAll(ADDRESS)].map(([, double, single]) =>
    hostOf((double ?? single ?? "").replace(/\/.*/s, ""))
  );
}
