import { assertEquals, assertMatch } from "@std/assert";
import { type SamBridge, type SamBridgeOptions, startSamBridge } from "./bridge.ts";

/** How long (ms) a probe waits for what must come. */
const PATIENCE = 3000;

/** How long (ms) a probe waits to be sure that nothing comes. */
const QUIET = 120;

const LF = 10;

/** Probes of the running test, for {@linkcode withBridge} to close. */
const opened = new Set<Probe>();

/** A plain TCP client for tests of the bridge: says bytes, hears lines, and knows when nothing more comes. */
export class Probe {
  readonly conn: Deno.TcpConn;
  #heard = new Uint8Array();
  #ended = false;
  #pending: Promise<void> | undefined;
  #closed = false;

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
    opened.add(this);
  }

  /** Connects without a word. */
  static async open(bridge: SamBridge): Promise<Probe> {
    return new Probe(await Deno.connect({ hostname: "127.0.0.1", port: bridge.port }));
  }

  /** Connects and says HELLO, for exactly one version. */
  static async greet(bridge: SamBridge, version = "3.1"): Promise<Probe> {
    const probe = await Probe.open(bridge);
    await probe.say(`HELLO VERSION MIN=${version} MAX=${version}\n`);
    assertEquals(await probe.line(), `HELLO REPLY RESULT=OK VERSION=${version}`);
    return probe;
  }

  /** Creates a session, with pairs of its own (`rest`, each after a space). */
  static async session(bridge: SamBridge, id: string, version = "3.1", rest = ""): Promise<SessionProbe> {
    const control = await Probe.greet(bridge, version);
    await control.say(`SESSION CREATE STYLE=STREAM ID=${id} DESTINATION=TRANSIENT SIGNATURE_TYPE=7${rest}\n`);
    const reply = await control.line();
    assertMatch(reply ?? "", /^SESSION STATUS RESULT=OK DESTINATION=[A-Za-z0-9~-]{906}==$/);
    await control.say("NAMING LOOKUP NAME=ME\n");
    const destination = (await control.line() ?? "").split(" VALUE=")[1] ?? "";
    const b32 = bridge.sessions.find((session) => session.id === id)?.b32 ?? "";
    return { control, blob: reply?.split(" DESTINATION=")[1] ?? "", destination, b32 };
  }

  /** Greets, says one line, checks what comes, and leaves. */
  static async ask(bridge: SamBridge, line: string, reply: string | RegExp | null): Promise<void> {
    const probe = await Probe.greet(bridge);
    await probe.expect(line, reply);
    await probe.close();
  }

  /** Starts an acceptor of a session, and waits until it is one. */
  static async accepting(bridge: SamBridge, id: string, version = "3.1"): Promise<Probe> {
    const probe = await Probe.greet(bridge, version);
    await probe.expect(`STREAM ACCEPT ID=${id}`, "STREAM STATUS RESULT=OK");
    return probe;
  }

  async say(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
  }

  /** The next line without its line feed; what is left if the end comes first; `null` at the end. */
  async line(): Promise<string | null> {
    await this.#until(() => this.#heard.includes(LF));
    if (this.#heard.length === 0) return null;
    return this.#take(this.#heard.indexOf(LF) + 1 || this.#heard.length).replace(/\n$/, "");
  }

  /** So many bytes as text, fewer if the end comes first. */
  async text(length: number): Promise<string> {
    await this.#until(() => this.#heard.length >= length);
    return this.#take(length);
  }

  /** Everything up to the end, as text. */
  async rest(): Promise<string> {
    await this.#until(() => false);
    return this.#take(this.#heard.length);
  }

  /** Whether neither bytes nor the end come for a while. */
  async isQuiet(): Promise<boolean> {
    await this.#wait(QUIET);
    return this.#heard.length === 0 && !this.#ended;
  }

  /** Says a line and checks what comes: `null` is the end without a word. */
  async expect(line: string, reply: string | RegExp | null): Promise<void> {
    await this.say(`${line}\n`);
    const heard = await this.line();
    if (reply instanceof RegExp) assertMatch(heard ?? "(end)", reply, `after ${line}`);
    else assertEquals(heard, reply, `after ${line}`);
  }

  /** Ends what this side says, and goes on listening. */
  async endSaying(): Promise<void> {
    await this.conn.closeWrite();
  }

  async close(): Promise<void> {
    if (!this.#closed) this.conn.close();
    this.#closed = true;
    await this.#pending;
  }

  #take(length: number): string {
    const taken = this.#heard.subarray(0, length);
    this.#heard = this.#heard.subarray(length);
    return new TextDecoder().decode(taken);
  }

  async #until(enough: () => boolean): Promise<void> {
    const late = Date.now() + PATIENCE;
    while (!this.#ended && !enough()) {
      if (!await this.#wait(late - Date.now())) throw new Error(`Nothing came: ${this.#heard.length} bytes so far`);
    }
  }

  /** Waits for one read; `false` if it takes too long. The read goes on. */
  async #wait(ms: number): Promise<boolean> {
    this.#pending ??= this.#read().finally(() => this.#pending = undefined);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    const heard = await Promise.race([promise, this.#pending.then(() => true)]);
    clearTimeout(timer);
    return heard;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      const length = await this.conn.read(buffer);
      if (length === null) this.#ended = true;
      const heard = new Uint8Array(this.#heard.length + (length ?? 0));
      heard.set(this.#heard);
      heard.set(buffer.subarray(0, length ?? 0), this.#heard.length);
      this.#heard = heard;
    } catch {
      this.#ended = true;
    }
  }
}

/** A session's control socket, and what the bridge said about it. */
export interface SessionProbe {
  control: Probe;
  blob: string;
  destination: string;
  b32: string;
}

/** Runs a test with a bridge that ends with it: while its clients are still there, as `close` must not need them. */
export async function withBridge(
  options: SamBridgeOptions,
  test: (bridge: SamBridge) => Promise<void>,
): Promise<void> {
  const bridge = await startSamBridge(options);
  try {
    await test(bridge);
  } finally {
    await bridge.close();
    for (const probe of opened) await probe.close();
    opened.clear();
  }
}
