import type { LeakMode, ScrubProtocol } from "../config/choices.ts";
import { bittorrent } from "../guard/bittorrent.ts";
import type { Detector, LineProtocol } from "../guard/detector.ts";
import { cookiesOf, http } from "../guard/http.ts";
import { type IdentifierFinder, makeFinder, type OwnIdentifiers } from "../guard/identifiers.ts";
import { IRC } from "../guard/irc.ts";
import { type LeakKind, LEAKS } from "../guard/leak.ts";
import { MAIL } from "../guard/mail.ts";
import { HttpScrubber } from "../guard/scrub_http.ts";
import { IrcScrubber } from "../guard/scrub_irc.ts";
import { ssh } from "../guard/ssh.ts";
import { type Scrubber, StreamGuard } from "../guard/stream_guard.ts";
import { tls } from "../guard/tls.ts";
import { xmpp } from "../guard/xmpp.ts";
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
  /** Counts `leak-…` by kind. */
  counters: Counters;
}

const SCRUBBERS: Readonly<Record<ScrubProtocol, (host: string) => Scrubber>> = {
  irc: () => new IrcScrubber(),
  http: (host) => new HttpScrubber(host),
};

const LINE_PROTOCOLS: readonly LineProtocol[] = [IRC, MAIL];

/** Watches what one application gives away, at the door and in its streams. */
export class LeakWatch {
  readonly #options: LeakWatchOptions;
  readonly #finder: IdentifierFinder;
  readonly #detectors: readonly Detector[] = [(head) => this.#http(head), tls, ssh, bittorrent, xmpp];
  readonly #explained = new Set<string>();
  /** Host that a cookie went to first. The oldest ones stand first. */
  readonly #cookies = new Map<string, string>();

  constructor(options: LeakWatchOptions) {
    this.#options = options;
    this.#finder = makeFinder(options.identifiers);
  }

  /** The guard of a new stream; undefined where there is nothing to guard. */
  guard(host: string, destination: string | undefined): StreamGuard | undefined {
    const { mode, scrub } = this.#options;
    if (mode === "off" && scrub.length === 0) return undefined;
    const watches = mode !== "off";
    return new StreamGuard({
      host,
      detectors: watches ? this.#detectors : [],
      lineProtocols: watches ? LINE_PROTOCOLS : [],
      finder: watches ? this.#finder : undefined,
      scrubbers: scrub.map((protocol) => SCRUBBERS[protocol](host)),
      blocks: mode === "block",
      found: (kind) => this.#found(kind, destination),
    });
  }

  /** Takes note of a refusal, and explains what it says about the application, once. */
  refused(reason: Reason): void {
    const { sign } = REASONS[reason];
    if (sign === null || this.#options.mode === "off" || !this.#isNew(sign.name)) return;
    this.#options.log.warn(sign.message, { leak: sign.name, fix: sign.fix });
  }

  #found(kind: LeakKind, destination: string | undefined): void {
    const { mode, log, counters } = this.#options;
    counters.add(`leak-${kind}`);
    const isNew = this.#isNew(kind);
    if (!isNew && mode !== "block") return;
    const { protocol, story, fix } = LEAKS[kind];
    const what = mode === "block" ? "Ended a stream before it gave this away" : "The application gives this away";
    log.warn(`${what}: ${story}`, { leak: kind, protocol, fix: isNew ? fix : undefined, destination });
  }

  #isNew(sign: string): boolean {
    if (this.#explained.has(sign)) return false;
    this.#explained.add(sign);
    return true;
  }

  #http: Detector = (head) => {
    const verdict = http(head);
    if (verdict === undefined) return undefined;
    const crosses = cookiesOf(head).filter((cookie) => this.#crosses(cookie, head.host)).length > 0;
    return crosses ? { ...verdict, leaks: [...verdict.leaks, "http-cookie"] } : verdict;
  };

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
