import { findAddresses, normaliseAddress } from "./ip_addresses.ts";
import type { LeakKind } from "./leak.ts";
import { secretForms, wireText } from "./secrets.ts";

/** What tells this machine and its user apart. */
export interface OwnIdentifiers {
  /** IP addresses of its interfaces. */
  addresses: readonly string[];
  /** Its name, with or without a domain. @default nothing is looked for */
  hostName?: string;
  /** Name of the system's user. @default nothing is looked for */
  userName?: string;
  /** Path of the user's home folder. @default nothing is looked for */
  home?: string;
  /** Texts that no application may send. */
  secrets: readonly string[];
}

/** Looks for identifiers in what an application sends. */
export interface IdentifierFinder {
  /**
   * Which identifiers are in a text: Latin-1, one character a byte. A chunk of a stream is searched together with the
   * last {@linkcode overlap} characters before it.
   *
   * @param seen how many characters at the start were in the text before; what lies within them is not told again.
   * @default 0
   */
  readonly find: (text: string, seen?: number) => LeakKind[];
  /** How many characters of the text before are needed to miss nothing at the border of two chunks. At most 256. */
  readonly overlap: number;
}

/** Longest {@linkcode IdentifierFinder.overlap}; a longer secret may be missed at the border of two chunks. */
const MAX_OVERLAP = 256;

/** Characters in front of an address or a name that decide whether it is one. */
const CONTEXT = 16;

/** Longest IPv6 address. */
const LONGEST_ADDRESS = 45;

/** Fewest characters of a name: shorter ones are in any text. */
const MIN_NAME = 4;

/**
 * Names that tell nothing of a machine or a user, or that are words of protocols and of everyday talk: to look for them
 * would be to cry wolf.
 */
const EVERYDAY: ReadonlySet<string> = new Set([
  ..."admin administrator alarm amnesia anon anonymous arch archlinux centos computer debian default desktop docker"
    .split(" "),
  ..."fedora gentoo guest home host hostname i2pd i2psvc kali laptop linux linuxmint local localhost localdomain".split(
    " ",
  ),
  ..."machine mail manjaro mint nixos nobody opensuse owner parrot proxy public raspberry raspberrypi rocky root".split(
    " ",
  ),
  ..."router server service system tails test tester ubuntu unknown user username users vagrant whonix windows".split(
    " ",
  ),
  ..."workstation www-data".split(" "),
  // Words of HTTP, HTML, IRC and mail.
  ..."accept agent body cache close code connection content cookie data date expires file form from head html http"
    .split(" "),
  ..."https image join json length link list main mark message mode name news nick notice origin page part pass path"
    .split(" "),
  ..."ping post privmsg quit range site subject text time title topic type version video xmpp".split(" "),
  // Given names that are words as well.
  ..."april august bill chase dawn drew faith frank grace grant hope hunter jack june mason miles olive rich rose will"
    .split(" "),
]);

const WORD = /[\w\x80-\xff]/;

/** Something to look for in one view of a text, also given in lower case: whether it is there, ending behind `seen`. */
type Search = (text: string, lower: string, seen: number) => boolean;

/**
 * Makes a finder of these identifiers.
 *
 * Names are found as whole words, in any case, from 4 characters on; of a host name its first label, which its full
 * form has in it. Everyday names such as `user` and `debian` are not looked for, nor is a name right before `.i2p`.
 * Addresses that any machine may have are not either. All is found percent-encoded too; secrets, which are exact, in base64 as well.
 */
export function makeFinder(ids: OwnIdentifiers): IdentifierFinder {
  const own = new Set(
    ids.addresses.map(normaliseAddress).filter((address) => address !== undefined && !isUnspecific(address)),
  );
  const host = hostLabel(ids.hostName ?? "");
  const user = nameOf(ids.userName ?? "");
  const forms = [...new Set(ids.secrets.filter((secret) => secret !== "").flatMap(secretForms))];
  const searches: [LeakKind, Search][] = [
    ["own-host-name", makeNameSearch(host)],
    ["own-user-name", makeNameSearch(user)],
    ["own-home", makeHomeSearch(ids.home ?? "")],
    ["secret", (text, _, seen) => forms.some((form) => text.includes(form, Math.max(0, seen - form.length + 1)))],
  ];
  // Percent-encoding may make three characters of one.
  const longest = Math.max(
    LONGEST_ADDRESS,
    ...[host, user, wireText(ids.home ?? ""), ...forms].map((text) => text.length * 3),
  );
  return {
    overlap: Math.min(MAX_OVERLAP, longest + CONTEXT),
    find: (text, seen = 0) => {
      const kinds = new Set<LeakKind>();
      for (const [view, from] of viewsOf(text, seen)) {
        const lower = view.toLowerCase();
        for (const { address, end, isPublic } of findAddresses(view)) {
          if (end > from && own.has(address)) kinds.add("own-address");
          else if (end > from && isPublic) kinds.add("public-address");
        }
        for (const [kind, search] of searches) if (!kinds.has(kind) && search(view, lower, from)) kinds.add(kind);
      }
      return [...kinds];
    },
  };
}

/** A text as it is, and decoded where it is percent-encoded, each with what has been seen of it. */
function viewsOf(text: string, seen: number): (readonly [text: string, seen: number])[] {
  const views: [string, number][] = [[text, seen]];
  if (!/%[\da-f]{2}/i.test(text)) return views;
  // An escape that goes over the border is not seen yet.
  const before = decodePercent(text.slice(0, seen).replace(/%[\da-f]?$/i, "")).length;
  const decoded = decodePercent(text);
  views.push([decoded, before]);
  return views;
}

function decodePercent(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Whether any machine may have this address: loopback, unspecified, or link-local of IPv4. That of IPv6 is of one card. */
function isUnspecific(address: string): boolean {
  return /^127\.|^0\.0\.0\.0$|^169\.254\.|^0:0:0:0:0:0:0:[01]$/.test(address);
}

/** A name as it is looked for; empty if it is not. */
function nameOf(name: string): string {
  const text = wireText(name).toLowerCase();
  return [...name].length < MIN_NAME || EVERYDAY.has(text) ? "" : text;
}

function hostLabel(hostName: string): string {
  const [label = ""] = hostName.split(".", 1);
  return nameOf(label) || (hostName.startsWith("localhost") ? "" : nameOf(hostName));
}

function makeNameSearch(name: string): Search {
  if (name === "") return () => false;
  return (_, lower, seen) => {
    let at = lower.indexOf(name, Math.max(0, seen - name.length + 1));
    while (at >= 0) {
      const end = at + name.length;
      const isWord = !WORD.test(lower.slice(Math.max(0, at - 1), at)) && !WORD.test(lower.slice(end, end + 1));
      if (isWord && !/^\.i2p(?![\w-])/.test(lower.slice(end, end + 5))) return true;
      at = lower.indexOf(name, at + 1);
    }
    return false;
  };
}

/** Looks for a path with either slash, or with doubled ones as in JSON, with whatever stands for its drive in front. */
function makeHomeSearch(home: string): Search {
  const segments = wireText(home).split(/[\\/]+/).filter((segment) => segment !== "" && !/^[a-z]:$/i.test(segment));
  const last = segments.at(-1)?.toLowerCase() ?? "";
  if (segments.length < 2 || EVERYDAY.has(last)) return () => false;
  const escaped = segments.map((segment) => segment.replace(/[^\w\x80-\xff]/g, "\\$&"));
  const path = new RegExp(
    `${escaped.map((segment) => `[\\\\/]{1,2}${segment}`).join("")}(?![\\w\\-\\x80-\\xff])`,
    "gi",
  );
  return (_, lower, seen) =>
    lower.includes(last) && lower.matchAll(path).some((match) => match.index + match[0].length > seen);
}
