/** Bytes that a datagram of IP can have at most, with room to spare. */
export const DATAGRAM_BUFFER = 65_536;

/** Milliseconds of rest after a read that failed: some systems report here that an earlier datagram found nobody. */
const REST = 5;

/** A socket for datagrams that are received one after the other. */
export class DatagramSocket {
  readonly #conn: Deno.DatagramConn;
  readonly #receiving: Promise<void>;
  #isOpen = true;

  /**
   * Binds a free port of a loopback address.
   *
   * @param take is given each datagram, in a buffer that the next one overwrites, and who sent it.
   */
  constructor(hostname: string, take: (bytes: Uint8Array, from: Deno.NetAddr) => void | Promise<void>) {
    this.#conn = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.#receiving = this.#receiveAll(take);
  }

  /** The port that was bound. */
  get port(): number {
    return (this.#conn.addr as Deno.NetAddr).port;
  }

  /** Sends a datagram; false if the system did not take it. */
  async send(bytes: Uint8Array, to: { hostname: string; port: number }): Promise<boolean> {
    try {
      return await this.#conn.send(bytes, { transport: "udp", ...to }) === bytes.length;
    } catch {
      return false;
    }
  }

  /** Closes it, and resolves when no datagram is being taken any more. */
  async close(): Promise<void> {
    if (this.#isOpen) this.#conn.close();
    this.#isOpen = false;
    await this.#receiving;
  }

  async #receiveAll(take: (bytes: Uint8Array, from: Deno.NetAddr) => void | Promise<void>): Promise<void> {
    const buffer = new Uint8Array(DATAGRAM_BUFFER);
    while (this.#isOpen) {
      let received: [Uint8Array, Deno.Addr];
      try {
        received = await this.#conn.receive(buffer);
      } catch {
        if (this.#isOpen) await new Promise((resolve) => setTimeout(resolve, REST));
        continue;
      }
      if (this.#isOpen) await take(received[0], received[1] as Deno.NetAddr);
    }
  }
}
