import { Random } from "../support/random.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { KINDS } from "./clients.ts";
import type { World } from "./dial.ts";
import { Faults, GROUP_OPTIONS } from "./faults.ts";
import { findTrends, Meter, type Reading } from "./meter.ts";
import { Lag } from "./lag.ts";
import { Tally } from "./tally.ts";
import { fulfil } from "./traffic.ts";
import { delay } from "../support/wait.ts";

/** How to soak. */
export interface SoakOptions {
  /** Where chance begins. */
  seed: number;
  /** Milliseconds from the first client until no new round begins. */
  duration: number;
  /** Milliseconds of clients before each quiet point. */
  round: number;
  /** Is told of each reading. */
  onReading: (reading: QuietReading) => void;
  /** Runs after each client: to leak something, and see that the meter finds it. */
  afterClient: () => void;
}

/** A reading at a quiet point. */
export interface QuietReading extends Reading {
  /** Milliseconds since the beginning. */
  at: number;
  /** Clients so far. */
  clients: number;
}

/** What a soak has seen. */
export interface SoakReport {
  /** Clients by kind and outcome. */
  clients: Tally;
  /** Faults by what they hit and what they were. */
  faults: Tally;
  /** The proxy's own counters. */
  counters: Readonly<Record<string, number>>;
  /** What is wrong, one sentence each. */
  problems: readonly string[];
  /** The proxy's last log lines. */
  log: readonly string[];
}

/** Clients at work at the same time. */
const WORKERS = 32;

/** Milliseconds until they all are. */
const RAMP = 500;

/**
 * Those among them that move megabytes. With more, what lies in the buffers of all the sockets takes longer than the idle
 * timeout to get to the service.
 */
const MAX_HEAVY = 3;

/** Milliseconds that any client may take, and that everything may take to become quiet. */
const CLIENT_BOUND = 20_000;
const QUIET_BOUND = 15_000;

/** Clients that a limit of time may hit for no reason to be seen, besides one in a hundred. */
const MAX_STRAINED = 3;

/** Fewer readings show no trend. */
const MIN_READINGS = 3;

/** Identities of groups: fewer than there are groups. */
const MAX_IDENTITIES = 4;

/** Time limits of the proxy, short, so that everything turns over quickly; in milliseconds. */
const TIMEOUTS = { handshake: 1_000, connect: 2_000, idle: 2_000 };
const IDENTITY_IDLE = 200;

/**
 * Milliseconds that everything must have been quiet. What cannot be seen from here is gone by then: identities of groups
 * that wait before they build a session anew, and the bridge's sockets towards the service.
 */
const SETTLING = IDENTITY_IDLE + 500;

/** A proxy under clients of all kinds, in front of a bridge that misbehaves. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const faults = new Faults(new Random(options.seed + 1));
  using meter = new Meter();
  using lag = new Lag();
  await using harness = await startHarness({
    bridge: {
      manners: options.seed % 2 === 0 ? "i2pd" : "java",
      intercept: (line, socket) => faults.intercept(line, socket),
      keepLines: false,
    },
    settings: {
      isolation: ["auth"],
      sessionOptions: GROUP_OPTIONS,
      timeouts: { ...TIMEOUTS, identityIdle: IDENTITY_IDLE },
      limits: { connections: 1_000, perClient: 1_000, identities: MAX_IDENTITIES },
    },
    service: fulfil,
    logLines: 60,
  });
  const run = new Soak(options, faults, lag, meter, harness);
  await run.toTheEnd();
  return run.report();
}

class Soak {
  readonly #options: SoakOptions;
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #meter: Meter;
  readonly #harness: Harness;
  readonly #world: World;
  readonly #outcomes = new Tally();
  readonly #problems: string[] = [];
  readonly #readings: Reading[] = [];
  #clients = 0;
  #heavy = 0;

  constructor(options: SoakOptions, faults: Faults, lag: Lag, meter: Meter, harness: Harness) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#faults = faults;
    this.#meter = meter;
    this.#harness = harness;
    const { port, name, b32 } = harness;
    this.#world = { port, hosts: [name, b32], faults, timeouts: TIMEOUTS, lag, crowdedOut: 0, strained: [] };
  }

  async toTheEnd(): Promise<void> {
    const since = performance.now();
    const elapsed = (): number => performance.now() - since;
    while (elapsed() < this.#options.duration || this.#readings.length < MIN_READINGS) {
      await this.#round();
      if (this.#problems.length > 0 || !await this.#becomesQuiet()) break;
      const reading = { ...this.#withoutIdle(await this.#meter.read()), at: elapsed(), clients: this.#clients };
      this.#readings.push(reading);
      this.#options.onReading(reading);
    }
    this.#problems.push(...findTrends(this.#readings));
  }

  report(): SoakReport {
    return {
      clients: this.#outcomes,
      faults: this.#faults.counts,
      counters: this.#harness.counters.all(),
      problems: this.#problems,
      log: this.#harness.log,
    };
  }

  /** Clients while streams fail, and in the second half sessions as well. */
  async #round(): Promise<void> {
    const end = performance.now() + this.#options.round;
    const middle = performance.now() + this.#options.round * (0.4 + 0.4 * this.#random.next());
    this.#faults.begin();
    const workers = Array.from({ length: WORKERS }, () => this.#work(end));
    while (performance.now() < end && this.#problems.length === 0) {
      await delay(Math.min(100 + this.#random.below(600), end - performance.now()));
      if (performance.now() > middle) this.#faults.strike(this.#harness.bridge);
    }
    await Promise.all(workers);
    this.#faults.calm(this.#harness.bridge);
  }

  async #work(end: number): Promise<void> {
    await delay(this.#random.below(RAMP));
    while (performance.now() < end && this.#problems.length === 0) {
      await this.#client(this.#chooseKind());
      this.#options.afterClient();
    }
  }

  #chooseKind(): string {
    const kinds = Object.entries(KINDS).filter(([, { isHeavy }]) => !isHeavy || this.#heavy < MAX_HEAVY);
    let at = this.#random.below(kinds.reduce((sum, [, { weight }]) => sum + weight, 0));
    return kinds.find(([, { weight }]) => (at -= weight) < 0)?.[0] ?? "";
  }

  async #client(name: string): Promise<void> {
    const kind = KINDS[name];
    const random = new Random(this.#random.below(2 ** 32));
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`It hung for ${CLIENT_BOUND} ms`)), CLIENT_BOUND);
    if (kind?.isHeavy) this.#heavy++;
    try {
      this.#outcomes.add(name, `${await Promise.race([tooLate, kind?.run(this.#world, random)])}`);
    } catch (error) {
      this.#problems.push(`A client, ${name}: ${error instanceof Error ? error.message : error}`);
    } finally {
      clearTimeout(timer);
      if (kind?.isHeavy) this.#heavy--;
      this.#clients++;
    }
  }

  /** Leaves out sockets that wait at the bridge for the next streams, both of their ends, and the timer that ages them. */
  #withoutIdle({ descriptors, timers, ...rest }: Reading): Reading {
    const idle = this.#harness.bridge.idleSockets;
    return { ...rest, descriptors: descriptors && descriptors - 2 * idle, timers: timers - Math.min(idle, 1) };
  }

  /** Whether nothing is left of the clients, nothing was wrong, and the proxy serves. Notes what is the matter. */
  async #becomesQuiet(): Promise<boolean> {
    await this.#waitForQuiet();
    if (this.#problems.length > 0) return false;
    await this.#client("small echo");
    await this.#waitForQuiet();
    const { counters } = this.#harness;
    const noPlace = counters.get("refused-too-many-identities");
    const { crowdedOut, strained } = this.#world;
    if (crowdedOut > noPlace) {
      this.#problems.push(`${crowdedOut} clients got code 1 for want of an identity, ${noPlace} may`);
    }
    if (strained.length > MAX_STRAINED + this.#clients / 100) {
      const problem =
        `${strained.length} of ${this.#clients} clients were hit by a limit of time, and no fault was near`;
      this.#problems.push([problem, ...strained.slice(-20)].join("\n  "));
    }
    if (counters.get("refused-internal") > 0) this.#problems.push("The proxy had an internal error");
    this.#problems.push(...this.#faults.violations);
    return this.#problems.length === 0;
  }

  async #waitForQuiet(): Promise<void> {
    const { proxy, bridge, streams } = this.#harness;
    const look = (): number[] => [proxy.connections, bridge.sessions.length, streams(), this.#faults.pending];
    // Two sessions are those of the service and of the base identity, whose control sockets are no streams.
    const isQuiet = (): boolean => look().join() === "0,2,0,0";
    const end = performance.now() + QUIET_BOUND;
    for (let since = performance.now(); performance.now() < end; await delay(20)) {
      if (!isQuiet()) since = performance.now();
      else if (performance.now() - since > SETTLING) return;
    }
    const sessions = bridge.sessions.map(({ id, options }) => `${id} ${JSON.stringify(options)}`).join(" and ");
    this.#problems.push(
      `Not quiet in ${QUIET_BOUND} ms; clients, sessions, streams, faults: ${look().join(", ")}; sessions: ${sessions}`,
    );
  }
}
