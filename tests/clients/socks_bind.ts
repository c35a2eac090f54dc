import { writeAll } from "./socks_client.ts";
import {
  encodeGreeting,
  encodeLogin,
  encodeRequest4,
  encodeRequest5,
  parseReply4,
  parseReply5,
  type ServerReply,
} from "./socks_wire.ts";
import { concat } from "../support/bytes.ts";

/** How a client asks to wait for a caller. */
export interface BindOptions {
  /** 4 is 4a for host names. @default {5} */
  version?: 4 | 5;
  /** User and password of SOCKS5; the user alone is the user id of SOCKS4. */
  login?: { user: string; password: string };
  /** Whom to wait for. @default {"0.0.0.0": anybody} */
  host?: string;
  /** Its port. @default {0} */
  port?: number;
}

/** A client that has asked a proxy on 127.0.0.1 to wait for a caller. */
export class BindClient implements Disposable {
  /** The connection to the proxy. */
  readonly conn: Deno.TcpConn;
  /** Every byte that came so far, the answers to greeting and login aside. */
  bytes: Uint8Array = new Uint8Array();
  readonly #version: 4 | 5;

  private constructor(conn: Deno.TcpConn, version: 4 | 5) {
    this.conn = conn;
    this.#version = version;
  }

  /** Connects, and asks. */
  static async ask(
    proxyPort: number,
    { version = 5, login, host = "0.0.0.0", port = 0 }: BindOptions = {},
  ): Promise<BindClient> {
    const client = new BindClient(await Deno.connect({ hostname: "127.0.0.1", port: proxyPort }), version);
    const request = { command: 2, host, port };
    if (version === 4) {
      await writeAll(client.conn, encodeRequest4({ ...request, userId: login?.user ?? "" }));
      return client;
    }
    await writeAll(client.conn, encodeGreeting([login === undefined ? 0 : 2]));
    await client.take(2);
    if (login !== undefined) {
      await writeAll(client.conn, encodeLogin(login.user, login.password));
      await client.take(2);
    }
    await writeAll(client.conn, encodeRequest5(request));
    return client;
  }

  /** The next reply. @throws {Error} if the proxy closes instead. */
  async reply(): Promise<ServerReply> {
    for (;;) {
      const parsed = (this.#version === 4 ? parseReply4 : parseReply5)(this.bytes);
      if (parsed !== undefined) {
        this.bytes = this.bytes.slice(parsed.length);
        return parsed.value;
      }
      if (!await this.#read()) throw new Error(`The proxy closed after ${this.bytes.length} bytes of a reply`);
    }
  }

  /** The next bytes, as many as given. */
  async take(length: number): Promise<Uint8Array> {
    while (this.bytes.length < length) {
      if (!await this.#read()) throw new Error(`The proxy closed after ${this.bytes.length} bytes`);
    }
    const taken = this.bytes.slice(0, length);
    this.bytes = this.bytes.slice(length);
    return taken;
  }

  /** Everything up to the end, as text. */
  async rest(): Promise<string> {
    while (await this.#read());
    return new TextDecoder().decode(this.bytes);
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await this.conn.read(buffer);
    if (count !== null) this.bytes = concat(this.bytes, buffer.subarray(0, count));
    return count !== null;
  }
}
