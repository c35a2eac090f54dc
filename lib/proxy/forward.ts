import { errorText } from "../io/error_text.ts";
import type { CallerRules, ForwardRule, ForwardSettings } from "../config/forward.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import type { Counters } from "../report/counters.ts";
import { type Log, Once } from "../report/log.ts";
import { closeQuietly, connectTcp, isOfRuntime, writeAll } from "../io/conn.ts";
import { Deadline, sleep, TimeoutError } from "../io/deadline.ts";
import { SharedSignal, type Signal } from "../io/signal.ts";
import type { IncomingStream } from "../sam/accept.ts";
import { SamError } from "../sam/error.ts";
import { LINE_BUFFER } from "../sam/line_reader.ts";
import type { SamSession } from "../sam/session.ts";
import { ROUTERS, type SamEndpoint, SamSocket } from "../sam/socket.ts";
import type { Identity } from "../identity/identity.ts";
import type { CallerRefusal } from "../reasons/caller_refusals.ts";
import { ReadAhead } from "../relay/read_ahead.ts";
import { relay, type RelayOptions, SILENT_STORY } from "../relay/relay.ts";
import { logLeftovers, PendingAccept } from "./pending_accept.ts";
import { mayCall } from "./policy.ts";

/** Milliseconds for the local service to take a connection. */
export const SERVICE_TIMEOUT = 10_000;

/**
 * Waits for a caller at once, with routers that may have several: of a hundred who call Java I2P at the same time it keeps no
 * more than 64 in its queue.
 */
export const MAX_WAITS = 16;

/** Milliseconds until the next attempt, where the router does not let us wait: the first one, and the longest. */
const [ACCEPT_RETRY_FIRST, ACCEPT_RETRY_MAX] = [50, 5_000];

interface ForwarderOptions extends Pick<RelayOptions, "pool" | "gate" | "halfClosed" | "keepLimit" | "keptBytes"> {
  settings: ForwardSettings;
  endpoint: SamEndpoint;
  /** Whose destination it is that callers call. */
  identity: Pick<Identity, "session">;
  /** Who is let in. */
  callers: CallerRules;
  log: Log;
  /** Counts callers, and what becomes of them. */
  counters: Counters;
}

/**
 * Brings callers from I2P to local services.
 *
 * All rules of an application share one destination, so all callers come through the same waiting socket, and the I2P port
 * that they called tells which rule is meant, where the router says it. With Java I2P {@linkcode MAX_WAITS} sockets wait,
 * with others one: where there were three, i2pd 2.45.1 brought two callers into one of them, and let others wait for ever.
 * The router queues those who call in between.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #log: Log;
  /** Ends the waiting. */
  readonly #accepting = new AbortController();
  /** Ends the streams. */
  readonly #stop = new SharedSignal();
  readonly #waiting: Promise<unknown>;
  readonly #streams = new Set<Promise<void>>();
  /** Streams of each caller, by its address, which cannot be forged: the router has checked its key. */
  readonly #perCaller = new Map<string, number>();
  /** What was warned of, and lasts. */
  readonly #once = new Once();

  /** Begins to wait for callers, as soon as the identity has a session. */
  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#waiting = this.#acceptAll();
  }

  /** Streams of callers that are open now. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Serves no more callers. Resolves when none is waited for; what waits in the router is left to a successor. */
  async stopAccepting(): Promise<void> {
    this.#accepting.abort(new Error("No more callers are waited for"));
    await this.#waiting;
  }

  /** Waits until no caller is served any more, and none is waited for. */
  async ended(): Promise<void> {
    await this.#waiting;
    await Promise.all(this.#streams);
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    const stopped = this.stopAccepting();
    this.#stop.abort(new Error("The proxy is ending"));
    await stopped;
    await Promise.all(this.#streams);
  }

  /** Waits for one caller after the other, over as many sessions as there are. Never throws. */
  async #acceptAll(): Promise<void> {
    const { signal } = this.#accepting;
    let session: SamSession | undefined;
    while (!signal.aborted) {
      // The identity may not have noticed yet that its session has ended.
      if (session?.ended.aborted) await session.lost;
      try {
        session = await this.#options.identity.session(signal);
      } catch {
        // The identity was closed or never had a session, which is logged elsewhere.
        return;
      }
      const on = session;
      logLeftovers(session, this.#log);
      const waits = await this.#takesSeveral(signal) ? MAX_WAITS : 1;
      await Promise.all(Array.from({ length: waits }, () => this.#acceptOn(on, signal)));
    }
  }

  /** Whether callers may be waited for by several sockets at once: with Java I2P, which shows by its version. */
  async #takesSeveral(signal: Signal): Promise<boolean> {
    try {
      const socket = await SamSocket.open(this.#options.endpoint, signal, "any");
      socket.close();
      return ROUTERS[socket.version] === "Java I2P";
    } catch {
      // Who waits learns the reason.
      return false;
    }
  }

  /** Waits for one caller after the other, until the session has ended. */
  async #acceptOn(session: SamSession, signal: Signal): Promise<void> {
    for (let pause = ACCEPT_RETRY_FIRST; !signal.aborted && !session.ended.aborted;) {
      if (await this.#acceptOne(session, signal)) {
        pause = ACCEPT_RETRY_FIRST;
        continue;
      }
      using rest = new Deadline(Infinity, signal, session.ended);
      await sleep(pause, rest);
      pause = Math.min(2 * pause, ACCEPT_RETRY_MAX);
    }
  }

  /** Waits for one caller, and says whether one has come. */
  async #acceptOne(session: SamSession, signal: Signal): Promise<boolean> {
    using attempt = new Deadline(Infinity, signal, session.ended);
    const { endpoint, counters } = this.#options;
    try {
      const wait = PendingAccept.of(endpoint, session);
      const stream = await wait.take(attempt, () => this.#once.clear("accept"));
      const serving = this.#serve(stream, session).finally(() => this.#streams.delete(serving));
      this.#streams.add(serving);
      return true;
    } catch (error) {
      if (attempt.aborted) return false;
      if (!(error instanceof SamError)) {
        this.#log.error(`Failed to wait for a caller: ${error}`);
        return false;
      }
      // The router has forgotten the session: its end is about to be noticed, or the control socket stays open.
      if (error.saysSessionIsOver) session.close(error);
      // The router may close what waits, and the one before may not have gone yet where only one may wait.
      const isOrdinary = error.failure === "closed" || /already.accepting/i.test(`${error.result} ${error.text}`);
      if (isOrdinary) return false;
      counters.add("inbound-accept-failed");
      this.#warnOnce("accept", error.message, { routerSaid: error.text });
      return false;
    }
  }

  /** Brings one caller to its service. Never throws, and closes both sides. */
  async #serve(stream: IncomingStream, session: SamSession): Promise<void> {
    const { callers, settings, counters } = this.#options;
    const { caller } = stream;
    try {
      counters.add("inbound-callers");
      if (!mayCall(caller, callers)) {
        this.#count("denied");
        this.#log.debug("Denied a caller", { destination: caller });
        return;
      }
      // This one is not among them yet.
      if (this.#streams.size >= settings.maxInbound) {
        this.#count("too-many");
        this.#warnOnce("too-many", "Too many callers at once: the limit is --max-inbound");
        return;
      }
      this.#once.clear("too-many");
      if ((this.#perCaller.get(caller) ?? 0) >= settings.maxPerCaller) {
        this.#count("too-many-per-caller");
        this.#warnOnce("too-many-per-caller", "A caller has too many connections: the limit is --max-per-caller", {
          destination: caller,
        });
        return;
      }
      using _counted = this.#countCaller(caller);
      const rule = this.#choose(stream.toPort);
      if (rule === undefined) {
        this.#count("no-rule");
        this.#log.debug("A caller came to a port that no --forward names", { destination: caller });
        return;
      }
      const service = await this.#reach(rule);
      if (service !== undefined) await this.#relay(service, stream, session);
    } catch (error) {
      this.#log.error(`Failed to serve a caller: ${error}`, { destination: caller });
    } finally {
      closeQuietly(stream.conn);
    }
  }

  /** Counts a stream of a caller until the result is disposed of. */
  #countCaller(caller: string): Disposable {
    this.#perCaller.set(caller, (this.#perCaller.get(caller) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#perCaller.get(caller) ?? 0) - 1;
        if (left > 0) this.#perCaller.set(caller, left);
        else this.#perCaller.delete(caller);
      },
    };
  }

  /** The rule for a port. If the router or the caller names none: the rule without a port, else the first one. */
  #choose(toPort: number | undefined): ForwardRule | undefined {
    const { rules } = this.#options.settings;
    const named = toPort !== undefined && toPort !== 0;
    const open = rules.find(({ port }) => port === undefined);
    if (named) return rules.find(({ port }) => port === toPort) ?? open;
    const rule = open ?? rules[0];
    if (toPort === undefined && rules.length > 1 && rule !== undefined && this.#once.isNew("ports")) {
      this.#log.warn("The router does not tell which I2P port a caller wants: one --forward gets all of them", {
        forward: formatEndpoint(rule.target),
      });
    }
    return rule;
  }

  async #reach({ target }: ForwardRule): Promise<Deno.TcpConn | undefined> {
    const what = `down ${formatEndpoint(target)}`;
    using deadline = new Deadline(SERVICE_TIMEOUT, this.#stop);
    try {
      const conn = await connectTcp(target, deadline);
      conn.setNoDelay(true);
      this.#once.clear(what);
      return conn;
    } catch (error) {
      if (this.#stop.aborted) return undefined;
      this.#count("service-down");
      const reason = deadline.reason instanceof TimeoutError ? "it does not answer" : errorText(error);
      this.#warnOnce(what, `Cannot bring a caller to ${formatEndpoint(target)}: ${reason}`);
      return undefined;
    }
  }

  async #relay(service: Deno.TcpConn, stream: IncomingStream, session: SamSession): Promise<void> {
    const { settings, pool, gate, halfClosed, keepLimit, keptBytes, counters } = this.#options;
    try {
      // Not with the reply of the relay: a service that closes at once has seen it nevertheless.
      if (settings.header) await writeAll(service, new TextEncoder().encode(`${stream.caller}\n`));
      counters.add("inbound-connected");
      const { end, ...bytes } = await relay(
        service,
        new ReadAhead(service, new Uint8Array(LINE_BUFFER), () => {}),
        stream,
        {
          clientAddress: service.remoteAddr.hostname,
          pool,
          gate,
          halfClosed,
          keepLimit,
          keptBytes,
          reply: NOTHING,
          toClient: stream.early,
          toStream: NOTHING,
          idleTimeout: settings.idleTimeout,
          signal: this.#stop,
          sessionEnded: session.ended,
          clientEndsStream: true,
          onSilent: () => this.#log.info(SILENT_STORY, { destination: stream.caller }),
          sentBytes: counters.counter("inbound-bytes-sent"),
          receivedBytes: counters.counter("inbound-bytes-received"),
        },
      );
      if (end === "idle") counters.add("inbound-idle");
      this.#log.debug(`Stream of a caller ended: ${end}`, { ...bytes, destination: stream.caller });
    } catch (error) {
      // The service has closed or reset.
      if (!isOfRuntime(error)) throw error;
    } finally {
      closeQuietly(service);
    }
  }

  #count(reason: CallerRefusal): void {
    this.#options.counters.add(`inbound-${reason}`);
  }

  /** Warns of something that lasts, once. */
  #warnOnce(what: string, text: string, fields: Record<string, string | undefined> = {}): void {
    this.#log[this.#once.isNew(what) ? "warn" : "debug"](text, fields);
  }
}

const NOTHING = new Uint8Array();
