import type { LeakMode, ScrubProtocol } from "../config/choices.ts";
import type { Trait } from "../guard/detector.ts";
import { type IdentifierFinder, makeFinder, type OwnIdentifiers } from "../guard/identifiers.ts";
import { type LeakKind, LEAKS } from "../guard/leak.ts";
import { PROTOCOLS } from "../guard/protocols.ts";
import { HttpScrubber } from "../guard/scrub_http.ts";
import { IrcScrubber } from "../guard/scrub_irc.ts";
import { type Scrubber, StreamGuard } from "../guard/stream_guard.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { type Reason, REASONS } from "../reasons/reasons.ts";

/** Cookies that are remembered, at most; the oldest are forgotten. */
export const MAX_COOKIES = 1_024;

/** Whose leaks are watched, and what is done about them. */
export interface LeakWatchOptions {
  mode: LeakMode;
  scrub: readonly ScrubProtocol[];
  /** What is this machine's and this user's own. */
  identifiers: OwnIdentifiers;
  /** Receives one line for each new kind of leak. */
  log: Log;
  /** Counts `leak-…` by kind, and `sign-…` for refusals that are taken for a leak. */
  counters: Counters;
  /** Takes what each site has seen. @default {no audit is under way} */
  book?: AuditBook | undefined;
}

/** Leaks that say the same of the user to each site. */
const LINKING: ReadonlySet<LeakKind> = new Set([
  "own-address",
  "own-home",
  "own-host-name",
  "own-user-name",
  "secret",
]);

const SCRUBBERS: Readonly<Record<ScrubProtocol, (host: string, onLeak: (kind: LeakKind) => void) => Scrubber>> = {
  irc: (_, onLeak) => new IrcScrubber(onLeak),
  http: (host, onLeak) => new HttpScrubber(host, onLeak),
};

/** Watches for leaks of one application, in its requests and in its streams. */
export class LeakWatch {
  readonly #options: LeakWatchOptions;
  readonly #finder: IdentifierFinder;
  readonly #explained = new Set<string>();
  /** The first IP address that was asked for. */
  #firstAddress: string | undefined;
  /** Host that a cookie went to first. The oldest ones stand first. */
  readonly #cookies = new Map<string, string>();

  constructor(options: LeakWatchOptions) {
    this.#options = options;
    this.#finder = makeFinder(options.identifiers);
  }

  /** The guard of a new stream; undefined where there is nothing to guard. */
  guard(host: string, destination: string | undefined): StreamGuard | undefined {
    const { mode, scrub, book } = this.#options;
    if (mode === "off" && scrub.length === 0) return undefined;
    return new StreamGuard({
      host,
      protocols: PROTOCOLS,
      finder: mode === "off" ? undefined : this.#finder,
      scrubbers: scrub.map((protocol) => (onLeak) => SCRUBBERS[protocol](host, onLeak)),
      blocks: mode === "block",
      onLeak: (kind) => {
        if (LINKING.has(kind)) book?.note(kind, "", host);
        this.#onLeak(kind, destination);
      },
      onTrait: (trait, value) => this.#onTrait(trait, value, host),
    });
  }

  /**
   * Takes note of a refusal, and explains what it says about the application, once. Requests for one and the same IP
   * address may be a test for a proxy that is repeated.
   *
   * @param host what a stream was asked for; undefined for a datagram, of which a resolver gets many.
   */
  refused(reason: Reason, host?: string): void {
    const { sign } = REASONS[reason];
    const { mode, log, counters } = this.#options;
    if (sign === null || mode === "off") return;
    if (reason === "ip" && host !== undefined && host === this.#firstAddress) return;
    if (reason === "ip" && this.#firstAddress === undefined) {
      this.#firstAddress = host ?? "";
      const either =
        "it looks for a proxy, or resolves names itself; if it asks for another one, that is taken for a DNS leak";
      log.info(`The application asked for an IP address: ${either}`, { fix: sign.fix });
      return;
    }
    counters.add(`sign-${sign.name}`);
    if (this.#isNew(sign.name)) log.warn(sign.message, { leak: sign.name, fix: sign.fix });
  }

  #onLeak(kind: LeakKind, destination: string | undefined): void {
    const { mode, log, counters } = this.#options;
    counters.add(`leak-${kind}`);
    const isNew = this.#isNew(kind);
    if (!isNew && mode !== "block") return;
    const { protocol, message, fix, isUnreadable } = LEAKS[kind];
    const what = isUnreadable === true
      ? "The application sends what cannot be looked at"
      : mode === "block"
      ? "Ended a stream before a leak"
      : "The application leaks";
    log.warn(`${what}: ${message}`, { leak: kind, protocol, fix: isNew ? fix : undefined, destination });
  }

  #onTrait(trait: Trait, value: string, host: string): LeakKind | undefined {
    const { book } = this.#options;
    if (trait !== "software") book?.note(trait, value, host);
    if (trait === "user-agent" || trait === "software") book?.name(value);
    return trait === "cookie" && this.#crosses(value, host) ? "http-cookie" : undefined;
  }

  #isNew(sign: string): boolean {
    if (this.#explained.has(sign)) return false;
    this.#explained.add(sign);
    return true;
  }

  /** Whether a cookie has been to another host. */
  #crosses(cookie: string, host: string): boolean {
    const first = this.#cookies.get(cookie) ?? host;
    this.#cookies.delete(cookie);
    this.#cookies.set(cookie, first);
    const [oldest] = this.#cookies.keys();
    if (this.#cookies.size > MAX_COOKIES && oldest !== undefined) this.#cookies.delete(oldest);
    return first !== host;
  }
}
