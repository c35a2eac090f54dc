import type { Signal } from "../io/signal.ts";
import type { Log } from "../report/log.ts";
import type { DatagramStyle } from "../sam/datagrams.ts";
import { PrimaryRefused } from "../sam/primary.ts";
import { createSession, type SamSession, type SessionRequest } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";

/** How an application's datagrams go. */
export interface UdpOptions {
  /** UDP port of the bridge, at the same host. */
  port: number;
  /** Their kind. */
  style: DatagramStyle;
  /** Whether they share the destination of streams. */
  primary: PrimarySupport;
}

/**
 * Whether a router gives streams and datagrams one destination. That shows with the first session; a refusal is logged once,
 * and remembered: it is not asked again.
 */
export class PrimarySupport {
  readonly #log: Log;
  #isRefused = false;
  #hasWorked = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Whether it is known that it does not: then streams and datagrams have a session each. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /**
   * Creates a session for streams and datagrams, or where the router has none such, one for streams.
   *
   * @throws what {@linkcode createSession} does, but no {@linkcode PrimaryRefused}.
   */
  async create(
    endpoint: SamEndpoint,
    request: SessionRequest,
    signal: Signal,
    onGreeted: () => void,
  ): Promise<SamSession> {
    const forStreams = { ...request, datagrams: undefined };
    if (this.#isRefused) return await createSession(endpoint, forStreams, signal, onGreeted);
    try {
      const session = await createSession(endpoint, { ...request, withStreams: true }, signal, onGreeted);
      this.#hasWorked = true;
      return session;
    } catch (error) {
      if (!(error instanceof PrimaryRefused)) throw error;
      // Where it had such sessions before, a router that closes does not refuse them: it ends.
      if (this.#hasWorked && error.answer?.failure === "closed") throw error.answer;
      const style = request.datagrams?.style ?? "DATAGRAM";
      if (error.isCertain) this.#remember(error, style);
      const session = await createSession(endpoint, forStreams, signal, onGreeted);
      // A router that is full or about to end refuses in the same words; but then it refuses the other session too.
      this.#remember(error, style);
      return session;
    }
  }

  #remember({ step, explanation, answer }: PrimaryRefused, style: DatagramStyle): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    const routerSaid = answer?.text ?? answer?.result;
    if (step === "subsession" && /\bstyle\b/i.test(answer?.text ?? "")) {
      this.#log.info(`The router has no datagrams of the kind ${style}: there is no UDP`, {
        routerSaid,
        hint: "Most routers support --udp-style datagram; check --udp lists what this one supports",
      });
      return;
    }
    this.#log.info(`This router ${explanation}, so UDP uses a separate, temporary I2P address`, {
      routerSaid,
      hint: "--identity applies to streams only",
    });
  }
}
