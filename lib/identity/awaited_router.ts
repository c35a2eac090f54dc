import type { SamEndpoint } from "../sam/socket.ts";
import { formatDuration } from "../config/duration.ts";
import { samErrorAdvice, samErrorText } from "../reasons/advice.ts";
import { refusalOf } from "../reasons/classify.ts";
import type { Log } from "../report/log.ts";
import { SamError } from "../sam/error.ts";
import { Backoff } from "./backoff.ts";

/** Longest pause between two looks for a router that is awaited, in milliseconds: to knock there costs nothing. */
export const AWAITED_RETRY_MAX = 2_000;

/** A router that may start after the program (`--wait`): for how long it is looked for, and how often. */
export class AwaitedRouter {
  readonly #endpoint: SamEndpoint;
  readonly #patience: number;
  readonly #log: Log;
  readonly #backoff = new Backoff();
  readonly #since: number = performance.now();
  #hasTold = false;

  /** Waits for what should answer at `endpoint`, for `patience` milliseconds from now on. */
  constructor(endpoint: SamEndpoint, patience: number, log: Log) {
    this.#endpoint = endpoint;
    this.#patience = patience;
    this.#log = log;
  }

  /** Whether a failure means that the router is not there, and there is time left. The first one is logged. */
  isWorthWaiting(error: unknown): error is SamError {
    if (!isRouterAway(error) || performance.now() - this.#since >= this.#patience) return false;
    if (!this.#hasTold) {
      this.#log.warn(`The router is not there yet. Waiting for it, up to ${formatDuration(this.#patience)}`, {
        cause: samErrorText(error, this.#endpoint),
        hint: samErrorAdvice(error, this.#endpoint),
      });
    }
    this.#hasTold = true;
    return true;
  }

  /** Milliseconds until the next look. */
  next(): number {
    const left = this.#patience - (performance.now() - this.#since);
    return Math.max(0, Math.min(this.#backoff.next(), AWAITED_RETRY_MAX, left));
  }
}

/** Whether a failure means that no router answers at the SAM port. */
export function isRouterAway(error: unknown): error is SamError {
  return error instanceof SamError && ["router-down", "router-silent"].includes(refusalOf(error).reason);
}
