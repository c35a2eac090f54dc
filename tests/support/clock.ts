/** What `setTimeout()` returns. */
type Handle = ReturnType<typeof setTimeout>;

/** A timer that has not rung. */
interface Timer {
  due: number;
  ring: () => void;
  /** The system's timer that rings for it. */
  bell: Handle;
}

/** Most timers that ring in one skip: more are a loop without an end. */
const MOST_RINGS = 10_000;

/** Milliseconds that a timer of the system can hold. */
const FOREVER = 2 ** 31 - 1;

/** How a {@linkcode Clock} behaves. */
export interface ClockOptions {
  /** Whether it goes on by itself, as sockets and files need it; else it stands still between skips. @default {true} */
  runs?: boolean;
}

/**
 * A clock that can be put forward: while it is in use, `performance.now()` and `setTimeout()` of this process follow it.
 *
 * Make it after what it is to be disposed of before: what ends may need a clock that runs.
 */
export class Clock implements Disposable {
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;
  #runs: boolean;
  #isDisposed = false;
  /** A whole number, so that sums of whole numbers stay exact. */
  readonly #start = Math.round(performance.now());
  /** By what the caller has: the first bell, also where a second one has taken its place. */
  readonly #timers = new Map<Handle, Timer>();
  #ahead = 0;

  /** Puts the clock in the place of the system's. */
  constructor({ runs = true }: ClockOptions = {}) {
    this.#runs = runs;
    // Whole milliseconds, as the system's: what is left of a time from before, to the last bit, would ring for ever.
    const set = (ring: () => void, milliseconds = 0): Handle => this.#set(this.#now() + Math.ceil(milliseconds), ring);
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((handle: Handle) => this.#clear(handle)) as typeof clearTimeout;
    performance.now = () => this.#now();
  }

  /** Milliseconds to each timer that is set, the next one first. */
  get pending(): number[] {
    return this.#inOrder().map(({ due }) => Math.round(due - this.#now()));
  }

  /**
   * Puts the clock forward, in milliseconds. Timers that are due by then ring one after the other, each at its time, and
   * what one sets in motion gets a turn before the next.
   */
  async skip(milliseconds: number): Promise<void> {
    const end = this.#now() + milliseconds;
    for (let rings = 0; rings < MOST_RINGS; rings++) {
      const [first] = this.#inOrder();
      if (first === undefined || first.due > end) return await this.jump(end - this.#now());
      this.#forward(first.due - this.#now());
      first.ring();
      await this.#turn();
    }
    throw new Error(`More than ${MOST_RINGS} timers rang within ${milliseconds} ms`);
  }

  /** Puts the clock forward at once, as for a process that was stopped meanwhile: timers ring late. */
  async jump(milliseconds: number): Promise<void> {
    this.#forward(milliseconds);
    for (const { due, ring } of this.#inOrder()) {
      if (due <= this.#now()) ring();
    }
    await this.#turn();
  }

  /** Waits for something to come true, ten seconds of real time at most, while this clock stands still or runs. */
  async until(what: string, isTrue: () => boolean): Promise<void> {
    for (let i = 0; i < 5_000; i++) {
      if (isTrue()) return;
      await this.#turn();
    }
    throw new Error(`Not in real time: ${what}`);
  }

  /** Lets it run, and gives the system's clock back when the last of its timers has rung or was cleared. */
  [Symbol.dispose](): void {
    this.#ahead = this.#now() - Performance.prototype.now.call(performance);
    this.#runs = true;
    this.#isDisposed = true;
    this.#forward(0);
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#isDisposed || this.#timers.size > 0) return;
    globalThis.setTimeout = this.#setTimeout;
    globalThis.clearTimeout = this.#clearTimeout;
    Reflect.deleteProperty(performance, "now");
  }

  #clear(handle: Handle): void {
    const timer = this.#timers.get(handle);
    this.#timers.delete(handle);
    this.#clearTimeout.call(globalThis, timer?.bell ?? handle);
    this.#giveBack();
  }

  #inOrder(): Timer[] {
    return [...this.#timers.values()].sort((a, b) => a.due - b.due);
  }

  #now(): number {
    return (this.#runs ? Performance.prototype.now.call(performance) : this.#start) + this.#ahead;
  }

  #forward(milliseconds: number): void {
    this.#ahead += Math.max(milliseconds, 0);
    for (const timer of this.#timers.values()) {
      this.#clearTimeout.call(globalThis, timer.bell);
      timer.bell = this.#bell(timer.due, timer.ring);
    }
  }

  #set(due: number, callback: () => void): Handle {
    const ring = (): void => {
      this.#clear(handle);
      callback();
    };
    const handle = this.#bell(due, ring);
    this.#timers.set(handle, { due, ring, bell: handle });
    return handle;
  }

  #bell(due: number, ring: () => void): Handle {
    const left = Math.max(due - this.#now(), 0);
    return this.#setTimeout.call(globalThis, ring, this.#runs || left === 0 ? left : FOREVER);
  }

  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => void this.#setTimeout.call(globalThis, resolve, 1));
  }
}
