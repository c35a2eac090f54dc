/** Milliseconds by which a timer must be late to show that the process was stopped in between. */
const STOPPED = 1_000;

/** Milliseconds at most that a timer which was late on that account waits once more. */
const LONGEST_GRACE = 5_000;

/** Milliseconds by which a timer may call back early: what the runtime's own timers cannot tell apart. */
export const RESOLUTION = 0.5;

/** Milliseconds that a timer of the runtime can hold; it would take more for one. */
const LONGEST = 2 ** 31 - 1;

/** A timer that has been started. */
export interface Timer {
  /** Stops it; nothing happens if it has called back or was stopped before. */
  stop(): void;
}

/** The timers under way, by their time in milliseconds. */
const lanes = new Map<number, Lane>();

const NEVER: Timer = { stop: () => {} };

/**
 * Calls back once, after a time in milliseconds; `Infinity` is never.
 *
 * Time in which the process was stopped (by SIGSTOP, a debugger, or a laptop's sleep where the system's steady clock goes
 * on) does not count in full: what has arrived in between is still unread, and is looked at before the time is declared
 * over. Jumps of the wall clock do not matter, for it is never asked.
 *
 * Made for time limits, of which a busy proxy starts and stops thousands a second: those of one length share a timer of
 * the runtime.
 */
export function startTimer(milliseconds: number, callback: () => void): Timer {
  if (milliseconds === Infinity) return NEVER;
  let lane = lanes.get(milliseconds);
  if (lane === undefined) lanes.set(milliseconds, lane = new Lane(milliseconds));
  return lane.start(callback);
}

/** The timers of one length. They end in the order in which they were started, so the runtime keeps time for the first. */
class Lane {
  readonly #milliseconds: number;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #runtimeTimer: ReturnType<typeof setTimeout> | undefined;
  /** When that is to ring, on the clock of `performance.now()`. */
  #rings = 0;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  start(callback: () => void): Entry {
    const entry = new Entry(this, performance.now() + this.#milliseconds, callback);
    entry.previous = this.#last;
    if (this.#last !== undefined) {
      this.#last.next = entry;
    } else {
      this.#first = entry;
      this.#arm(entry.due, this.#milliseconds);
    }
    this.#last = entry;
    return entry;
  }

  /** Takes a timer out. */
  remove({ previous, next }: Entry): void {
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#first !== undefined) return;
    // A process may end, and a lane be forgotten, when nothing waits.
    clearTimeout(this.#runtimeTimer);
    this.#runtimeTimer = undefined;
    if (lanes.get(this.#milliseconds) === this) lanes.delete(this.#milliseconds);
  }

  #arm(rings: number, milliseconds: number): void {
    this.#rings = rings;
    this.#runtimeTimer = setTimeout(() => this.#ring(), Math.min(milliseconds, LONGEST));
  }

  #ring(): void {
    const now = performance.now();
    const late = now - this.#rings;
    if (late >= STOPPED) {
      const grace = Math.min(late, this.#milliseconds, LONGEST_GRACE);
      return this.#arm(now + grace, grace);
    }
    try {
      for (let first = this.#first; first !== undefined && first.due <= now + RESOLUTION; first = this.#first) {
        first.stop();
        first.callback();
      }
    } finally {
      if (this.#first !== undefined) this.#arm(this.#first.due, this.#first.due - now);
    }
  }
}

/** A timer among those of its lane. */
class Entry implements Timer {
  readonly due: number;
  readonly callback: () => void;
  previous: Entry | undefined;
  next: Entry | undefined;
  #lane: Lane | undefined;

  constructor(lane: Lane, due: number, callback: () => void) {
    this.#lane = lane;
    this.due = due;
    this.callback = callback;
  }

  stop(): void {
    this.#lane?.remove(this);
    this.#lane = undefined;
  }
}
