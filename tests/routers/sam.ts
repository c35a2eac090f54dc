import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { concat } from "../support/bytes.ts";
import { writeAll } from "../clients/socks_client.ts";
import { within } from "./router.ts";

/**
 * A plain SAM client, written without any part of the program: what it sees is the router's own doing. It says 3.1, as
 * most clients do.
 */

/** Milliseconds for an answer of the bridge to anything but SESSION CREATE. */
const ANSWER_TIMEOUT = 60_000;

/** Milliseconds for a session. */
const SESSION_TIMEOUT = 300_000;

/** A connection to the bridge, greeted. */
export class SamSocket implements Disposable {
  readonly conn: Deno.TcpConn;
  /** Bytes that came behind a line. */
  rest: Uint8Array = new Uint8Array();

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  /** Connects and says HELLO. */
  static async open(port: number): Promise<SamSocket> {
    const socket = await SamSocket.connect(port);
    await socket.ask("HELLO VERSION MIN=3.1 MAX=3.1");
    return socket;
  }

  /** Connects, and says nothing. */
  static async connect(port: number): Promise<SamSocket> {
    return new SamSocket(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends a line and gives the next one; `""` where the bridge closes instead. */
  async ask(line: string, timeout: number = ANSWER_TIMEOUT): Promise<string> {
    await writeAll(this.conn, new TextEncoder().encode(`${line}\n`));
    return await within(timeout, line.slice(0, 40), this.line());
  }

  /** The next line, without its end; what came of it where the bridge closes. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.rest.indexOf(10);
      if (end >= 0) {
        const line = new TextDecoder().decode(this.rest.subarray(0, end));
        this.rest = this.rest.subarray(end + 1);
        return line;
      }
      const part = await this.read();
      if (part === null) {
        const line = new TextDecoder().decode(this.rest);
        this.rest = new Uint8Array();
        return line;
      }
      this.rest = concat(this.rest, part);
    }
  }

  /** Bytes of the stream, first those that came behind a line; null at the end. */
  async next(): Promise<Uint8Array | null> {
    if (this.rest.length === 0) return await this.read();
    const part = this.rest;
    this.rest = new Uint8Array();
    return part;
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }

  async read(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(65_536);
    try {
      const count = await this.conn.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    }
  }
}

/** A session of streams. */
export class SamSession implements Disposable {
  readonly port: number;
  readonly id: string;
  readonly control: SamSocket;
  /** Its destination with its private keys, in I2P base64. */
  readonly keys: string;
  /** Whether the bridge has closed it. */
  isOver = false;

  private constructor(port: number, id: string, control: SamSocket, keys: string) {
    this.port = port;
    this.id = id;
    this.control = control;
    this.keys = keys;
    control.read().catch(() => null).then(() => this.isOver = true);
  }

  /** @throws {Error} with the bridge's answer, if it does not make one. */
  static async create(port: number, options: readonly string[], destination = "TRANSIENT"): Promise<SamSession> {
    const control = await SamSocket.open(port);
    const id = `plain-${crypto.randomUUID().slice(0, 8)}`;
    const signature = destination === "TRANSIENT" ? " SIGNATURE_TYPE=7" : "";
    const answer = await control.ask(
      `SESSION CREATE STYLE=STREAM ID=${id} DESTINATION=${destination}${signature} ${options.join(" ")}`,
      SESSION_TIMEOUT,
    );
    const keys = / DESTINATION=(\S+)/.exec(answer)?.[1];
    if (keys === undefined) {
      control[Symbol.dispose]();
      throw new Error(answer || "the bridge closed");
    }
    return new SamSession(port, id, control, keys);
  }

  /** A stream to a peer. @throws {Error} with the bridge's answer, if there is none. */
  async connect(destination: string): Promise<SamSocket> {
    const socket = await SamSocket.open(this.port);
    const answer = await socket.ask(`STREAM CONNECT ID=${this.id} DESTINATION=${destination} SILENT=false`);
    if (answer.includes("RESULT=OK")) return socket;
    socket[Symbol.dispose]();
    throw new Error(answer || "the bridge closed");
  }

  /** Waits for a caller, and tells when the bridge knows that it waits. */
  async accept(): Promise<{ socket: SamSocket; caller: Promise<string> }> {
    const socket = await SamSocket.open(this.port);
    const answer = await socket.ask(`STREAM ACCEPT ID=${this.id} SILENT=false`);
    // i2pd tells who calls before it says that it waits, where a caller was there already.
    const early = answer.startsWith("STREAM STATUS") ? undefined : answer;
    const status = early === undefined ? answer : await socket.line();
    if (!status.includes("RESULT=OK")) throw new Error(status || "the bridge closed");
    const caller = early === undefined ? socket.line() : Promise.resolve(early);
    const destination = caller.then((line) => line.split(" ")[0] ?? "");
    destination.catch(() => {});
    return { socket, caller: destination };
  }

  /** Its destination, in I2P base64. */
  get destination(): string {
    return encodeI2pBase64(publicPart(decodeI2pBase64(this.keys)));
  }

  /** Its address. */
  get b32(): Promise<string> {
    return b32Address(publicPart(decodeI2pBase64(this.keys)));
  }

  /** Looks a name up: the answer. */
  async lookUp(name: string): Promise<string> {
    using socket = await SamSocket.open(this.port);
    return await socket.ask(`NAMING LOOKUP NAME=${name}`);
  }

  [Symbol.dispose](): void {
    this.control[Symbol.dispose]();
  }
}

/** The address of a destination in I2P base64. */
export async function addressOf(destination: string): Promise<string> {
  return await b32Address(publicPart(decodeI2pBase64(destination)));
}
