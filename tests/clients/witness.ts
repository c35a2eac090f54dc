import { closeQuietly } from "../../lib/io/conn.ts";

/** What a client asked a SOCKS server for, byte by byte. */
export interface Witnessed {
  /** Methods that it offered, in its order, in hexadecimal; `SOCKS4`, or the first line of anything else. */
  offers: string;
  /** Login, or user id of SOCKS4, if it sent one. */
  login: string | undefined;
  /** How it named its destination: `name`, `IPv4` or `IPv6`, with what it wrote; undefined if it never asked. */
  asked: { command: number; form: "name" | "IPv4" | "IPv6"; host: string; port: number } | undefined;
}

/** What a witness does with requests. */
export type Manner =
  /** Hands them to the proxy; with `boundName` the address in its answer becomes a name. */
  | { kind: "pass"; boundName?: boolean }
  /** Answers with this code of SOCKS5, or with 0x5B of SOCKS4. */
  | { kind: "refuse"; code: number };

/** A SOCKS server between a client and the proxy that writes down what the client sends. */
export interface Witness extends AsyncDisposable {
  readonly port: number;
  /** What clients sent so far, a connection each; those that sent nothing are not among them. */
  readonly seen: readonly Witnessed[];
  /** Forgets what was seen, and goes on in another manner. */
  become(manner: Manner): void;
}

/** Starts a witness in front of a proxy on 127.0.0.1. */
export function startWitness(upstream: number): Witness {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.Conn>();
  let manner: Manner = { kind: "pass" };
  let seen: Witnessed[] = [];
  const serve = async (client: Deno.Conn): Promise<void> => {
    const proxy = await Deno.connect({ hostname: "127.0.0.1", port: upstream });
    conns.add(client).add(proxy);
    try {
      const talk = new Talk(client, proxy, manner, (one) => void seen.push(one));
      await talk.carryOut();
    } catch {
      // The client or the proxy has left.
    } finally {
      for (const conn of [client, proxy]) {
        conns.delete(conn);
        closeQuietly(conn);
      }
    }
  };
  const accepting = (async (): Promise<void> => {
    for await (const client of listener) void serve(client);
  })();
  return {
    port: listener.addr.port,
    get seen() {
      return seen;
    },
    become: (next) => {
      manner = next;
      seen = [];
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      conns.forEach(closeQuietly);
      await accepting;
    },
  };
}

class Talk {
  readonly #client: Source;
  readonly #proxy: Source;
  readonly #manner: Manner;
  readonly #note: (one: Witnessed) => void;

  constructor(client: Deno.Conn, proxy: Deno.Conn, manner: Manner, note: (one: Witnessed) => void) {
    this.#client = new Source(client);
    this.#proxy = new Source(proxy);
    this.#manner = manner;
    this.#note = note;
  }

  async carryOut(): Promise<void> {
    const [version = 0] = await this.#client.take(1);
    if (version === 5) await this.#five();
    else if (version === 4) await this.#four();
    else {
      const rest = await this.#client.some();
      const line = text(Uint8Array.of(version, ...rest)).split("\r\n", 1)[0] ?? "";
      this.#note({ offers: line, login: undefined, asked: undefined });
    }
  }

  async #five(): Promise<void> {
    const [count = 0] = await this.#client.take(1);
    const methods = await this.#client.take(count);
    const one: Witnessed = { offers: hex(methods), login: undefined, asked: undefined };
    this.#note(one);
    await this.#proxy.write([5, count, ...methods]);
    const chosen = await this.#proxy.take(2);
    await this.#client.write(chosen);
    if (chosen[1] === 2) {
      const [sub = 0, userLength = 0] = await this.#client.take(2);
      const user = await this.#client.take(userLength);
      const [passwordLength = 0] = await this.#client.take(1);
      const password = await this.#client.take(passwordLength);
      one.login = `${text(user)}:${text(password)}`;
      await this.#proxy.write([sub, userLength, ...user, passwordLength, ...password]);
      await this.#client.write(await this.#proxy.take(2));
    }
    const head = await this.#client.take(4);
    const address = await this.#address(head[3] ?? 0);
    const port = await this.#client.take(2);
    one.asked = { command: head[1] ?? 0, ...address.named, port: (port[0] ?? 0) * 256 + (port[1] ?? 0) };
    if (this.#manner.kind === "refuse") {
      await this.#client.write([5, this.#manner.code, 0, 1, 0, 0, 0, 0, 0, 0]);
      return;
    }
    await this.#proxy.write([...head, ...address.bytes, ...port]);
    const reply = await this.#proxy.take(4);
    const bound = await this.#proxy.take(reply[3] === 4 ? 18 : 6);
    const name = new TextEncoder().encode("bound.i2p");
    await this.#client.write(
      this.#manner.boundName === true
        ? [...reply.slice(0, 3), 3, name.length, ...name, ...bound.slice(-2)]
        : [...reply, ...bound],
    );
    await this.#relay();
  }

  async #address(type: number): Promise<{ named: { form: "name" | "IPv4" | "IPv6"; host: string }; bytes: number[] }> {
    if (type === 3) {
      const [length = 0] = await this.#client.take(1);
      const name = await this.#client.take(length);
      return { named: { form: "name", host: text(name) }, bytes: [length, ...name] };
    }
    const bytes = await this.#client.take(type === 4 ? 16 : 4);
    return { named: { form: type === 4 ? "IPv6" : "IPv4", host: bytes.join(".") }, bytes: [...bytes] };
  }

  async #four(): Promise<void> {
    const head = await this.#client.take(7);
    const user = await this.#client.until0();
    const isName = head[3] === 0 && head[4] === 0 && head[5] === 0 && head[6] !== 0;
    const name = isName ? await this.#client.until0() : new Uint8Array();
    const host = isName ? text(name) : head.slice(3).join(".");
    this.#note({
      offers: isName ? "SOCKS4a" : "SOCKS4",
      login: text(user) || undefined,
      asked: {
        command: head[0] ?? 0,
        form: isName ? "name" : "IPv4",
        host,
        port: (head[1] ?? 0) * 256 + (head[2] ?? 0),
      },
    });
    if (this.#manner.kind === "refuse") return await this.#client.write([0, 0x5b, 0, 0, 0, 0, 0, 0]);
    await this.#proxy.write([4, ...head, ...user, 0, ...(isName ? [...name, 0] : [])]);
    await this.#relay();
  }

  async #relay(): Promise<void> {
    await Promise.all([this.#client.pipeTo(this.#proxy), this.#proxy.pipeTo(this.#client)]);
  }
}

/** Reads a connection by counts of bytes. */
class Source {
  readonly #conn: Deno.Conn;
  #held: Uint8Array = new Uint8Array();

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async take(count: number): Promise<Uint8Array> {
    while (this.#held.length < count) await this.#fill();
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }

  /** What is there, after a first read. */
  async some(): Promise<Uint8Array> {
    if (this.#held.length === 0) await this.#fill().catch(() => {});
    return this.#held;
  }

  async until0(): Promise<Uint8Array> {
    while (!this.#held.includes(0)) await this.#fill();
    const taken = this.#held.slice(0, this.#held.indexOf(0));
    this.#held = this.#held.slice(taken.length + 1);
    return taken;
  }

  async write(bytes: Iterable<number>): Promise<void> {
    const all = Uint8Array.from(bytes);
    for (let written = 0; written < all.length;) written += await this.#conn.write(all.subarray(written));
  }

  async pipeTo(other: Source): Promise<void> {
    await other.write(this.#held);
    const buffer = new Uint8Array(16_384);
    for (let count = await this.#conn.read(buffer); count !== null; count = await this.#conn.read(buffer)) {
      await other.write(buffer.subarray(0, count));
    }
    await (other.#conn as Deno.TcpConn).closeWrite();
  }

  async #fill(): Promise<void> {
    const buffer = new Uint8Array(16_384);
    const count = await this.#conn.read(buffer);
    if (count === null) throw new Error("The connection has ended");
    this.#held = Uint8Array.of(...this.#held, ...buffer.subarray(0, count));
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
