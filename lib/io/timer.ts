/** Milliseconds by which a timer must be late to show that the process was stopped in between. */
const STOPPED = 1_000;

/** Milliseconds at most that a timer which was late on that account waits once more. */
const LONGEST_GRACE = 5_000;

/** Milliseconds by which a timer may call back early: what the runtime's own timers cannot tell apart. */
export const RESOLUTION = 0.5;

/** Milliseconds that a timer of the runtime can hold; it would take more for one. */
const LONGEST = 2 ** 31 - 1;

/**
 * Milliseconds until the runtime is asked to keep time for a limit: most are stopped before, and to ask and not to need it
 * costs more than the rest of a timer. For times shorter than two of these it is asked at once.
 */
const ASK_AFTER = 5;

/** A timer that has been started. */
export interface Timer {
  /** Stops it; nothing happens if it has called back or was stopped before. */
  stop(): void;
}

/** The timers under way, by their time in milliseconds. */
const lanes = new Map<number, Lane>();

/** Lanes for which the runtime keeps no time yet. */
const unasked = new Set<Lane>();

/** Asks the runtime for them. */
let asking: ReturnType<typeof setTimeout> | undefined;

/** Timers under way. */
let count = 0;

const NOTHING = (): void => {};

const NEVER: Timer = { stop: NOTHING };

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
  return milliseconds === Infinity ? NEVER : laneOf(milliseconds).start(callback, false);
}

/** The same for a time limit that will most likely be stopped within a few milliseconds, and costs less if it is. */
export function startLimit(milliseconds: number, callback: () => void): Timer {
  return milliseconds === Infinity ? NEVER : laneOf(milliseconds).start(callback, true);
}

function laneOf(milliseconds: number): Lane {
  let lane = lanes.get(milliseconds);
  if (lane === undefined) lanes.set(milliseconds, lane = new Lane(milliseconds));
  return lane;
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

  /** @param isShort whether it will most likely be stopped at once, so that the runtime is asked in a while. */
  start(callback: () => void, isShort: boolean): Entry {
    const entry = new Entry(this, performance.now() + this.#milliseconds, callback);
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    if (this.#runtimeTimer === undefined) {
      const { due } = this.#first ?? entry;
      if (isShort && this.#milliseconds >= 2 * ASK_AFTER) this.#ask();
      else this.#arm(due, due - entry.due + this.#milliseconds);
    }
    this.#last = entry;
    count++;
    return entry;
  }

  /** Has the runtime keep time, unless it is over: returns whether it is. */
  isDue(now: number): boolean {
    if (this.#first === undefined) return false;
    const { due } = this.#first;
    if (due <= now + RESOLUTION) return true;
    this.#arm(due, due - now);
    return false;
  }

  /** Ends those timers whose time is over, although the runtime was not asked. */
  ring(): void {
    this.#rings = this.#first?.due ?? Infinity;
    this.#ring();
  }

  /** Has the runtime asked in a while. */
  #ask(): void {
    unasked.add(this);
    asking ??= setTimeout(askForAll, ASK_AFTER);
  }

  /** Takes a timer out. */
  remove(entry: Entry): void {
    const { previous, next } = entry;
    // One that has grown old in memory would keep all that came behind it until the next large collection of garbage.
    entry.previous = entry.next = undefined;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    count--;
    if (count === 0) {
      clearTimeout(asking);
      asking = undefined;
    }
    if (this.#first !== undefined) return;
    unasked.delete(this);
    // A process may end, and a lane be forgotten, when nothing waits.
    clearTimeout(this.#runtimeTimer);
    this.#runtimeTimer = undefined;
    if (lanes.get(this.#milliseconds) === this) lanes.delete(this.#milliseconds);
  }

  #arm(rings: number, milliseconds: number): void {
    unasked.delete(this);
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
        const { callback } = first;
        first.stop();
        callback();
      }
    } finally {
      // What was called may have started another one already.
      clearTimeout(this.#runtimeTimer);
      if (this.#first !== undefined) this.#arm(this.#first.due, this.#first.due - now);
    }
  }
}

/** Has the runtime keep time for all that it was not asked for. */
function askForAll(): void {
  asking = undefined;
  const now = performance.now();
  const due = [...unasked].filter((lane) => lane.isDue(now));
  unasked.clear();
  ringAll(due);
}

/** Ends what is due in each lane; what one timer throws keeps no other from its end. */
function ringAll(due: Lane[]): void {
  try {
    for (let lane = due.shift(); lane !== undefined; lane = due.shift()) lane.ring();
  } finally {
    if (due.length > 0) setTimeout(() => ringAll(due), 0);
  }
}

/** A timer among those of its lane. */
class Entry implements Timer {
  readonly due: number;
  callback: () => void;
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
    this.callback = NOTHING;
  }
}
