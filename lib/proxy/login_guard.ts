import type { Signal } from "../io/signal.ts";
import type { LoginBook } from "../config/login_book.ts";
import { sleep } from "../io/deadline.ts";
import type { Login } from "../socks/wire.ts";

/** Milliseconds before the first wrong login is answered; doubled with each further one. */
export const FIRST_DELAY = 100;

/** Longest of these waits, in milliseconds. */
export const LONGEST_DELAY = 3_000;

/** Milliseconds without a wrong login after which the delay starts over. */
export const FORGIVE_AFTER = 60_000;

/** Checks logins, and makes guessing slow: wrong ones are answered later and later. */
export class LoginGuard {
  readonly #book: LoginBook;
  #delay = FIRST_DELAY;
  #lastWrong = -Infinity;

  constructor(book: LoginBook) {
    this.#book = book;
  }

  /** Whether a login is right. Resolves at once when the signal is aborted. */
  async verify({ user, password }: Login, signal: Signal): Promise<boolean> {
    if (await this.#book.verify(user, password, signal)) return true;
    if (signal.aborted) return false;
    const now = performance.now();
    if (now - this.#lastWrong > FORGIVE_AFTER) this.#delay = FIRST_DELAY;
    this.#lastWrong = now;
    const wait = this.#delay;
    this.#delay = Math.min(2 * wait, LONGEST_DELAY);
    await sleep(wait, signal);
    return false;
  }
}
