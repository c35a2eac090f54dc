import { formatDuration } from "../config/duration.ts";
import type { Signal } from "../io/signal.ts";
import { NO_ANSWERS } from "../reasons/reasons.ts";
import type { RelayResult } from "../relay/relay.ts";
import type { Counter } from "../report/counters.ts";
import type { Log } from "../report/log.ts";

/** Streams of a session in a row without a byte from the other side, until the log says so. */
export const SILENT_STREAMS = 5;

/** Milliseconds that the session must have been silent by then, from the end of the first of them. */
export const SILENT_TIME = 60_000;

/** Milliseconds that such a stream has waited at least: what ends sooner was ended by a site or by an impatient client. */
export const SILENT_WAIT = 10_000;

/** What is known of a session. */
interface Hearing {
  readonly received: Tally;
  /** Bytes received when the first of the silent streams ended. */
  receivedThen: number;
  /** When that was. */
  since: number;
  /** Silent streams since. */
  streams: number;
  /** Whether the log has it. */
  isTold: boolean;
}

/**
 * Notices that no stream of a session brings a byte any more, though the router says that all is well: i2pd 2.45.1 did so
 * for a quarter of an hour after a router in between had gone, and for one of several sessions only.
 *
 * It is told to people and nothing is done about it, since it may as well be the sites that are gone.
 */
export class SilenceWatch {
  readonly #log: Log;
  readonly #total: Counter;
  /** By what ends with the session. */
  readonly #sessions = new WeakMap<Signal, Hearing>();

  /** @param total grows with the bytes that all sessions receive. */
  constructor(log: Log, total: Counter) {
    this.#log = log;
    this.#total = total;
  }

  /** A counter of received bytes, for a stream of this session. */
  received(session: Signal): Counter {
    return this.#hearing(session).received;
  }

  /**
   * Takes note of the end of a stream.
   *
   * @param whose the session is, in words.
   * @param lasted milliseconds from its opening.
   * @returns whether the log was told just now that the session is silent.
   */
  ended(session: Signal, whose: string, { sent, received, end }: RelayResult, lasted: number): boolean {
    const hearing = this.#hearing(session);
    if (received > 0) this.#hear(hearing, whose);
    const isSilent = received === 0 && sent > 0 && lasted >= SILENT_WAIT && !session.aborted &&
      (end === "peer closed" || end === "client closed" || end === "idle");
    if (!isSilent) return false;
    const now = performance.now();
    if (hearing.streams === 0 || hearing.received.value !== hearing.receivedThen) {
      this.#hear(hearing, whose);
      hearing.since = now;
    }
    hearing.streams++;
    if (hearing.isTold || hearing.streams < SILENT_STREAMS || now - hearing.since < SILENT_TIME) return false;
    hearing.isTold = true;
    const { reason, hint } = NO_ANSWERS;
    const lasts = formatDuration(now - hearing.since + lasted);
    this.#log.warn(`The last ${hearing.streams} streams have brought no byte for ${lasts}`, {
      identity: whose,
      reason,
      hint,
    });
    return true;
  }

  #hear(hearing: Hearing, whose: string): void {
    if (hearing.isTold) this.#log.info("Streams bring bytes again", { identity: whose });
    hearing.isTold = false;
    hearing.streams = 0;
    hearing.receivedThen = hearing.received.value;
  }

  #hearing(session: Signal): Hearing {
    let hearing = this.#sessions.get(session);
    if (hearing === undefined) {
      hearing = { received: new Tally(this.#total), receivedThen: 0, since: 0, streams: 0, isTold: false };
      this.#sessions.set(session, hearing);
    }
    return hearing;
  }
}

/** A part of a total, which grows with it. */
class Tally implements Counter {
  readonly #total: Counter;
  #value = 0;

  constructor(total: Counter) {
    this.#total = total;
  }

  get value(): number {
    return this.#value;
  }

  set value(value: number) {
    this.#total.value += value - this.#value;
    this.#value = value;
  }
}
