import { encodeI2pBase64 } from "../i2p/base64.ts";
import { DatagramSocket } from "../io/datagrams.ts";
import { Deadline, sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { type DatagramStyle, type DatagramTarget, formatSamDatagram, parseSamDatagram } from "../sam/datagrams.ts";
import { SamError } from "../sam/error.ts";
import { PrimaryRefused } from "../sam/primary.ts";
import { createSession, type SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { Fault, type Step } from "./check_walk.ts";
import type { Fix } from "../reasons/reasons.ts";

/** Milliseconds for a datagram to arrive. */
const PATIENCE = 10_000;

/** Milliseconds until another one is sent: they get lost. */
const AGAIN = 1_000;

/** What to do where none has arrived. */
const NONE_CAME: Fix = {
  i2pd: "give --sam-udp the sam.portudp of i2pd.conf; where it has none, or 0, try 7655 and one below the port of SAM",
  java: "give --sam-udp the UDP port of the SAM application bridge, 7655 by default",
};

/** The kinds of datagrams that not every router has, and what is special about them. */
const LATER_STYLES: readonly (readonly [DatagramStyle, string])[] = [
  ["DATAGRAM2", "safe from replay"],
  ["DATAGRAM3", "whose sender is not proved"],
];

/** What is found out about datagrams. */
interface DatagramCheckOptions {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** Its UDP port, at the same host. */
  udpPort: number;
  /** The kind of datagrams that is used. */
  style: DatagramStyle;
  /** I2CP options of the sessions. */
  options: Readonly<Record<string, string>>;
}

/** Finds out what a router does with datagrams. Dispose of it when that is done, or given up. */
export class DatagramCheck implements AsyncDisposable {
  readonly #options: DatagramCheckOptions;
  readonly #stop = new AbortController();
  readonly #word = crypto.randomUUID();
  readonly #arrival = Promise.withResolvers<void>();
  #socket: DatagramSocket | undefined;
  #session: SamSession | undefined;
  /** The one that sends: Java I2P drops, since 2.5.0, what a destination sends to itself. */
  #sender: Promise<SamSession> | undefined;
  #styles: Promise<string[]> | undefined;

  /** Does nothing yet. */
  constructor(options: DatagramCheckOptions) {
    this.#options = options;
  }

  /** The steps, in their order. */
  get steps(): Step[] {
    return [
      { name: "destinations", title: "destinations", late: "not-ready", run: (signal) => this.#create(signal) },
      { name: "datagram-styles", title: "kinds of datagrams", late: "not-ready", run: () => this.#tellStyles() },
      { name: "datagrams", title: "datagrams", late: "not-ready", run: (signal) => this.#send(signal) },
    ];
  }

  /** Ends its sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("The check has ended"));
    this.#session?.close();
    const sender = this.#sender?.then((session) => session.close(), () => {});
    await Promise.all([this.#socket?.close(), this.#styles?.catch(() => {}), sender]);
  }

  /** Makes both sessions. */
  async #create(signal: Signal): Promise<string> {
    const { endpoint, options, style } = this.#options;
    const { hostname } = endpoint;
    const socket = new DatagramSocket(hostname, (bytes, from) => this.#receive(bytes, from));
    this.#socket = socket;
    const datagrams = { hostname, port: socket.port, style };
    // Together with the others: tunnels take their time.
    this.#styles = this.#findStyles(socket.port, signal);
    this.#styles.catch(() => {});
    this.#sender = createSession(endpoint, { options, datagrams }, signal);
    this.#sender.catch(() => {});
    const found = await this.#createReceiver(datagrams, signal);
    await this.#sender;
    return found;
  }

  /** Makes the session that receives: for streams and datagrams, or only for these. */
  async #createReceiver(datagrams: DatagramTarget, signal: Signal): Promise<string> {
    const { endpoint, options } = this.#options;
    try {
      this.#session = await createSession(endpoint, { options, datagrams, withStreams: true }, signal);
      return "one for streams and datagrams, which --identity keeps";
    } catch (error) {
      if (!(error instanceof PrimaryRefused)) throw error;
      this.#session = await createSession(endpoint, { options, datagrams }, signal);
      return `two: --identity keeps that of streams, and datagrams have a temporary one, because this router ${error.explanation}`;
    }
  }

  async #tellStyles(): Promise<string> {
    const found = await this.#styles ?? [];
    return `DATAGRAM, which all others understand; ${found.join("; ")}`;
  }

  /** Tries each of the later kinds: what a router does not have, it refuses at once. */
  async #findStyles(port: number, signal: Signal): Promise<string[]> {
    const { endpoint, options } = this.#options;
    const { hostname } = endpoint;
    using ending = new Deadline(Infinity, signal, this.#stop.signal);
    return await Promise.all(LATER_STYLES.map(async ([style, what]) => {
      try {
        const session = await createSession(
          endpoint,
          { options, datagrams: { hostname, port, style } },
          ending,
        );
        session.close();
        return `${style} (${what}): yes, with --udp-style ${style.toLowerCase()}`;
      } catch (error) {
        if (!(error instanceof SamError) || error.failure !== "refused") throw error;
        return `${style} (${what}): no, the router says "${error.text ?? error.result}"`;
      }
    }));
  }

  #receive(bytes: Uint8Array, from: Deno.NetAddr): void {
    const datagram = parseSamDatagram(bytes);
    if (from.port !== this.#options.udpPort || datagram === undefined) return;
    if (new TextDecoder().decode(datagram.payload) === this.#word) this.#arrival.resolve();
  }

  /**
   * Sends one from a session to the other through the bridge's UDP port: a wrong port swallows everything without a word, so
   * only what arrives shows that datagrams pass. Where the other is needs no question to the router, which may not find it.
   */
  async #send(signal: Signal): Promise<string> {
    const { endpoint, udpPort: port } = this.#options;
    const { hostname } = endpoint;
    const { destination = new Uint8Array() } = this.#session ?? {};
    const { datagramId = "" } = await this.#sender ?? {};
    const bytes = formatSamDatagram(datagramId, encodeI2pBase64(destination), new TextEncoder().encode(this.#word));
    let hasCome = false;
    using arrived = new Deadline(Infinity, signal);
    this.#arrival.promise.then(() => {
      hasCome = true;
      arrived.abort(new Error("It has arrived"));
    });
    const since = performance.now();
    for (; !hasCome && performance.now() - since < PATIENCE; await sleep(AGAIN, arrived)) {
      signal.throwIfAborted();
      await this.#socket?.send(bytes, { hostname, port });
    }
    signal.throwIfAborted();
    if (hasCome) return `one from a session to another arrived through UDP port ${port}`;
    throw new Fault("timed-out", `None that was sent to UDP port ${port} arrived`, NONE_CAME);
  }
}
