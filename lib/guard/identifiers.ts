import { ipBytes } from "../i2p/ip_address.ts";
import { ADDRESS_CONTEXT, findAddresses, isAmongNumbers, isSomebodys, normaliseAddress } from "./ip_addresses.ts";
import type { LeakKind } from "./leak.ts";
import { secretForms, wireText } from "./secrets.ts";

/** What identifies this machine and its user. */
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
   * Which identifiers are in a whole text: Latin-1, one character a byte.
   *
   * @param seen how many characters at the start were in the text before; what lies within them is not reported again.
   * @default 0
   */
  readonly find: (text: string, seen?: number) => LeakKind[];
  /** How many characters of the text before are needed to miss nothing at the border of two chunks. */
  readonly overlap: number;
  /** Begins to look through a text that comes in chunks. */
  readonly open: (onLeak: (kind: LeakKind) => void) => Scanner;
}

/** Looks through a text that comes in chunks, and finds the same whatever these are. */
export interface Scanner {
  /**
   * Takes the next characters.
   *
   * @returns how many characters at the end are, or are not, an identifier, depending on what follows.
   */
  push(text: string): number;
  /** Takes the end of the text, or of a word in it. */
  end(): void;
}

/** Characters in front of an address or a name that decide whether it is one. */
const CONTEXT = ADDRESS_CONTEXT.before;

/** Characters behind an address or a name that decide whether it is one: `.i2p` and the next. */
const LOOKAHEAD = 6;

/** Longest IPv6 address. */
const LONGEST_ADDRESS = 45;

/** Fewest characters of a name: shorter ones are in any text. */
const MIN_NAME = 4;

/** Names that identify no machine and no user, or that are words of protocols and of everyday talk. */
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

/** How the message of NTLM begins that has the names in it, as it is and in base64. */
const NTLM_LOGIN = ["NTLMSSP\0\x03\0\0\0", "TlRMTVNTUAAD"];

/** Letters, also parts of those in UTF-8, which has no byte above 0xf4. */
const WORD = /[\w\x80-\xf4]/;

/** A text to be searched, as it is or decoded. */
interface View {
  text: string;
  /** Only what ends behind this is looked for. */
  from: number;
  /** Whether nothing follows the text. */
  isEnd: boolean;
  /** Whether words stand side by side in it, as in messages whose lengths stand elsewhere. */
  isDense: boolean;
  /** How many characters of the text one of the view may stand for. */
  width: number;
}

/** Takes where something begins, and whether it is decided that it is there, or depends on what follows. */
type OnMatch = (kind: LeakKind, start: number, isDecided: boolean) => void;

/** Looks for something in one view. */
type Search = (view: View, onMatch: OnMatch) => void;

/** The same for what is found in any case; gets the text of the view in lower case as well. */
type NameSearch = (view: View, lower: string, onMatch: OnMatch) => void;

/** What is in a text, and how much of its end is undecided. */
interface Found {
  kinds: ReadonlySet<LeakKind>;
  undecided: number;
}

const NO_KINDS: ReadonlySet<LeakKind> = new Set();

/** What is in most texts. */
const NOTHING: Found = { kinds: NO_KINDS, undecided: 0 };

/**
 * Makes a finder of these identifiers.
 *
 * Names are found as whole words, in any case, from 4 characters on; of a host name its first label, which its full
 * form has in it. Everyday names such as `user` and `debian` are not looked for, nor is a name right before `.i2p`.
 * Addresses that any machine may have are not either. All is found percent-encoded and in UTF-16 too; secrets, which are
 * exact, in base64 as well.
 */
export function makeFinder(ids: OwnIdentifiers): IdentifierFinder {
  const own = new Set(
    ids.addresses.map(normaliseAddress).filter((address) => address !== undefined && !isUnspecific(address)),
  );
  const host = hostLabel(ids.hostName ?? "");
  const user = nameOf(ids.userName ?? "");
  const forms = [...new Set(ids.secrets.filter((secret) => secret !== "").flatMap(secretForms))];
  const home = homeSegments(ids.home ?? "");
  const names: NameSearch[] = [
    makeNameSearch("own-host-name", host),
    makeNameSearch("own-user-name", user),
    makeHomeSearch(home),
  ];
  const mayName = anyOf([host, user, home.at(-1)?.toLowerCase() ?? ""]);
  const searches: Search[] = [
    makeTextSearch("own-address", binaryForms([...own])),
    makeTextSearch("secret", forms),
    makeTextSearch("ntlm-names", NTLM_LOGIN),
  ];
  // Percent-encoding may make three characters of one; a path may have its slashes doubled.
  const longest = Math.max(
    LONGEST_ADDRESS,
    ...[host, user, wireText(ids.home ?? "").replace(/[\\/]/g, "//"), ...forms].map((text) => text.length),
  );
  const overlap = 3 * (longest + CONTEXT + LOOKAHEAD);

  const search = (text: string, seen: number, isEnd: boolean): Found => {
    let kinds: Set<LeakKind> | undefined;
    let undecided = 0;
    let view: View;
    const note: OnMatch = (kind, start, isDecided) => {
      if (isDecided) (kinds ??= new Set()).add(kind);
      else undecided = Math.max(undecided, Math.min(text.length, view.width * (view.text.length - start)));
    };
    for (view of viewsOf(text, seen, isEnd)) {
      for (const found of findAddresses(view.text)) {
        if (found.end <= view.from) continue;
        const start = found.end - (found.address.includes(":") ? LONGEST_ADDRESS : found.address.length);
        const isDecided = isAddressDecided(view, found.end);
        const isNumber = !found.address.includes(":") && isAmongNumbers(view.text, start, found.end);
        if (own.has(found.address) && !isNumber) note("own-address", start, isDecided);
        else if (isSomebodys(found, view.text)) note("public-address", start, isDecided);
      }
      for (const find of searches) find(view, note);
      // Most texts have no name in them, and a copy in lower case costs more than to find that out.
      if (mayName?.test(view.text) !== true) continue;
      const lower = view.text.toLowerCase();
      for (const find of names) find(view, lower, note);
    }
    return kinds === undefined && undecided === 0 ? NOTHING : { kinds: kinds ?? NO_KINDS, undecided };
  };

  return {
    overlap,
    find: (text, seen = 0) => [...search(text, seen, true).kinds],
    open: (onLeak) => new ChunkScanner(search, overlap, onLeak),
  };
}

/** Keeps as much of the text as decides about what comes next. */
class ChunkScanner implements Scanner {
  readonly #search: (text: string, seen: number, isEnd: boolean) => Found;
  readonly #overlap: number;
  readonly #onLeak: (kind: LeakKind) => void;
  #tail = "";
  #undecided = 0;

  constructor(
    search: (text: string, seen: number, isEnd: boolean) => Found,
    overlap: number,
    onLeak: (kind: LeakKind) => void,
  ) {
    this.#search = search;
    this.#overlap = overlap;
    this.#onLeak = onLeak;
  }

  push(text: string): number {
    if (text === "") return 0;
    const all = this.#tail + text;
    this.#undecided = this.#scan(all, false);
    this.#tail = all.slice(-Math.max(this.#overlap, this.#undecided));
    return this.#undecided;
  }

  end(): void {
    if (this.#undecided > 0) this.#scan(this.#tail, true);
    this.#tail = "";
    this.#undecided = 0;
  }

  #scan(all: string, isEnd: boolean): number {
    // What ended a little before the border was not decided then.
    const { kinds, undecided } = this.#search(all, Math.max(0, this.#tail.length - LOOKAHEAD * 3), isEnd);
    for (const kind of kinds) this.#onLeak(kind);
    return undecided;
  }
}

/** A text as it is, and decoded as far as it is encoded. */
function viewsOf(text: string, seen: number, isEnd: boolean): View[] {
  const views = [makeView(text, seen, isEnd, 1)];
  if (text.includes("%") && /%[\da-f]{2}/i.test(text)) {
    // An escape that goes over a border is not seen yet.
    const before = decodePercent(text.slice(0, seen).replace(/%[\da-f]?$/i, "")).length;
    const decoded = decodePercent(isEnd ? text : text.replace(/%[\da-f]?$/i, ""));
    views.push(makeView(decoded, before, isEnd, 3));
  }
  if (isWrapped(text)) views.push(makeView(unwrap(text), 0, isEnd, 3));
  if (text.includes("\0")) {
    for (const match of text.matchAll(WIDE)) {
      const [run, letters = "", last = ""] = match;
      const isOpen = !isEnd && match.index + run.length >= text.length - 1;
      const wide = wireText(letters.replaceAll("\0", ""));
      // With the high byte in front, the last letter has no zero behind it.
      views.push(
        makeView(wide, 0, !isOpen, 3, true),
        ...(last === "" ? [] : [makeView(wide + wireText(last), 0, !isOpen, 3, true)]),
      );
    }
  }
  return views;
}

function makeView(text: string, from: number, isEnd: boolean, width: number, isDense = false): View {
  return { text, from, isEnd, isDense, width };
}

/** A line of base64 that may go on in the next one. */
const BASE64_BREAK = /(?<=[A-Za-z0-9+/]{20})\r?\n(?=[A-Za-z0-9+/])/g;

/** Whether lines may be parts of a longer one: of quoted-printable, or of base64. */
function isWrapped(text: string): boolean {
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    const end = text[at - 1] === "\r" ? at - 1 : at;
    if (text[end - 1] === "=") return true;
    // Where the next line cannot go on with it, nothing is joined.
    if (isOfBase64(text, at + 1) && endsInBase64(text, end)) return true;
  }
  return false;
}

/** Whether the 20 characters in front of a place are of base64. */
function endsInBase64(text: string, end: number): boolean {
  for (let at = end - 1; at >= end - 20; at--) if (!isOfBase64(text, at)) return false;
  return true;
}

function isOfBase64(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 47 && code <= 57) || code === 43;
}

/** Joins the lines of quoted-printable and base64. */
function unwrap(text: string): string {
  return text.replace(/=\r?\n/g, "").replace(BASE64_BREAK, "");
}

/** Letters of UTF-16, of either byte order: each with a zero byte beside it. */
const WIDE = /((?:[\x20-\x7e\xa0-\xff]\0){4,})([\x20-\x7e\xa0-\xff]?)/g;

function decodePercent(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Whether what follows an address is known, as far as it decides about it. A line's end ends everything. */
function isAddressDecided({ text, isEnd }: View, end: number): boolean {
  const behind = text.slice(end, end + ADDRESS_CONTEXT.behind);
  return isEnd || behind.length === ADDRESS_CONTEXT.behind || /[\r\n]/.test(behind);
}

/** Addresses as binary messages have them, in 16 bytes. The four of IPv4 alone are in any text by chance. */
function binaryForms(addresses: readonly (string | undefined)[]): string[] {
  return addresses.map((address = "") => {
    const bytes = ipBytes(address) ?? [];
    return `${bytes.length === 4 ? "\0\0\0\0\xff\xff" : ""}${String.fromCharCode(...bytes)}`;
  });
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

/** Finds any of these texts, in any case; undefined where all are empty. */
function anyOf(texts: readonly string[]): RegExp | undefined {
  const escaped = texts.filter((text) => text !== "").map(escapeForRegExp);
  return escaped.length === 0 ? undefined : new RegExp(escaped.join("|"), "i");
}

function escapeForRegExp(text: string): string {
  return text.replace(/[^\w\x80-\xff]/g, "\\$&");
}

function makeNameSearch(kind: LeakKind, name: string): NameSearch {
  if (name === "") return () => {};
  return ({ from, isEnd, isDense }, lower, onMatch) => {
    let at = lower.indexOf(name, Math.max(0, from - name.length + 1));
    for (; at >= 0; at = lower.indexOf(name, at + 1)) {
      const end = at + name.length;
      if (isDense) return onMatch(kind, at, true);
      if (WORD.test(lower.charAt(at - 1))) continue;
      const endsHere = endsName(lower.slice(end, end + LOOKAHEAD), isEnd);
      if (endsHere !== false) onMatch(kind, at, endsHere === true);
    }
  };
}

/**
 * Whether a name ends where this follows it; undefined if that depends on more. `alices`, `alice-springs` and `alice's`
 * are other words, and `alice.i2p` is a name of I2P.
 */
function endsName(behind: string, isEnd: boolean): boolean | undefined {
  const [first, second] = behind;
  if (first === undefined) return isEnd || undefined;
  if (WORD.test(first)) return false;
  if (first === "-" || first === "'") return second === undefined ? isEnd || undefined : !WORD.test(second);
  if (!".i2p".startsWith(behind.slice(0, 4))) return true;
  if (behind.length < 5 && !isEnd) return undefined;
  return behind.length < 4 || /[\w-]/.test(behind.charAt(4));
}

function makeTextSearch(kind: LeakKind, forms: readonly string[]): Search {
  return ({ text, from }, onMatch) => {
    for (const form of forms) {
      const at = text.indexOf(form, Math.max(0, from - form.length + 1));
      if (at >= 0) return onMatch(kind, at, true);
    }
  };
}

/** The parts of a home folder's path; none where it says nothing of the user. */
function homeSegments(home: string): string[] {
  const segments = wireText(home).split(/[\\/]+/).filter((segment) => segment !== "" && !/^[a-z]:$/i.test(segment));
  return segments.length < 2 || EVERYDAY.has(segments.at(-1)?.toLowerCase() ?? "") ? [] : segments;
}

/** Looks for a path with either slash, or with doubled ones as in JSON, with whatever stands for its drive in front. */
function makeHomeSearch(segments: readonly string[]): NameSearch {
  const last = segments.at(-1)?.toLowerCase();
  if (last === undefined) return () => {};
  const path = new RegExp(
    `${segments.map((segment) => `[\\\\/]{1,2}${escapeForRegExp(segment)}`).join("")}(?![\\w\\-\\x80-\\xff])`,
    "gi",
  );
  return ({ from, isEnd }, lower, onMatch) => {
    if (!lower.includes(last)) return;
    for (const { index, 0: { length } } of lower.matchAll(path)) {
      if (index + length > from) onMatch("own-home", index, isEnd || index + length < lower.length);
    }
  };
}
