import { decodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import type { Network, Session } from "./network.ts";
import { type Router, type Target, targetOfKey } from "./router.ts";

/** Bytes of the buffer into which i2pd reads a datagram, header line included: the rest is cut off. */
const I2PD_BUFFER = 32_768;

/** Largest payload of Java I2P. */
const JAVA_PAYLOAD = 31_744;

/** Longest header line of Java I2P. */
const JAVA_HEADER = 2048;

const LF = 10;

/** Where a session of datagrams wants them. A session without PORT gets none here. */
export function forwardAddress(options: Readonly<Record<string, string>>): Deno.NetAddr {
  return { transport: "udp", hostname: options["HOST"] ?? "127.0.0.1", port: Number(options["PORT"] ?? 0) };
}

/** A datagram of a client, taken apart. */
interface Sent {
  id: string;
  target: Target;
  fromPort: string;
  toPort: string;
  payload: Uint8Array;
}

/** The UDP port of a bridge: what sessions send to each other goes through it, as repliable datagrams. */
export class DatagramPort {
  readonly #router: Router;
  readonly #network: Network;
  readonly #socket: Deno.DatagramConn;
  readonly #serving: Promise<void>;
  #isOpen = true;

  constructor(router: Router, network: Network, port: number) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
    this.#router = router;
    this.#network = network;
    this.#serving = this.#serve();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#socket.close();
    this.#isOpen = false;
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      let bytes: Uint8Array;
      try {
        [bytes] = await this.#socket.receive(buffer);
      } catch {
        return;
      }
      await this.#pass(this.#router.kind === "i2pd" ? bytes.subarray(0, I2PD_BUFFER) : bytes);
    }
  }

  /** Neither router answers a datagram that it cannot use. */
  async #pass(bytes: Uint8Array): Promise<void> {
    const end = bytes.indexOf(LF);
    if (end < 0) return;
    const header = new TextDecoder().decode(bytes.subarray(0, end));
    const sent = await this.#read(header, bytes.subarray(end + 1));
    const session = this.#network.sessions.get(sent?.id ?? "");
    if (sent === undefined || session?.datagramsTo === undefined || session.destination === undefined) return;
    const { style, destination: { keys } } = session;
    if (this.#router.dropsOwnDatagrams && sent.target.b32 === keys.b32) return;
    const from = style === "DATAGRAM3" ? hashOf(keys.b32) : keys.destination;
    for (const receiver of this.#network.live(sent.target.b32)?.sessions ?? []) {
      // Each kind has an I2P protocol number of its own.
      if (receiver.style !== style || receiver.datagramsTo === undefined || receiver.datagramsTo.port === 0) continue;
      const line = new TextEncoder().encode(`${from}${this.#ports(sent, receiver)}\n`);
      await this.#socket.send(Uint8Array.of(...line, ...sent.payload), receiver.datagramsTo);
    }
  }

  /** i2pd: the rest of the line is a destination in base64. Java I2P: words, and names are looked up. */
  async #read(header: string, payload: Uint8Array): Promise<Sent | undefined> {
    const [version = "", id = "", ...rest] = header.split(" ");
    if (!version.startsWith("3")) return undefined;
    const ports = { fromPort: "0", toPort: "0" };
    if (this.#router.kind === "i2pd") {
      const target = await targetOfKey(rest.join(" "));
      return target && { id, target, payload, ...ports };
    }
    const [destination = "", ...pairs] = rest;
    if (header.length > JAVA_HEADER || payload.length > JAVA_PAYLOAD) return undefined;
    const target = await this.#router.locate(destination, this.#network.names);
    const option = (key: string): string =>
      pairs.find((pair) => pair.startsWith(`${key}=`))?.slice(key.length + 1) ?? "0";
    return target && { id, target, payload, fromPort: option("FROM_PORT"), toPort: option("TO_PORT") };
  }

  /** The ports are told from version 3.2 on, and not by i2pd. */
  #ports({ fromPort, toPort }: Sent, { control }: Session): string {
    return this.#router.kind === "java" && Number(control.version) >= 3.2
      ? ` FROM_PORT=${fromPort} TO_PORT=${toPort}`
      : "";
  }
}

/** The hash behind an address, as DATAGRAM3 tells it: 44 characters. */
function hashOf(b32: string): string {
  return encodeI2pBase64(decodeI2pBase32(b32.replace(".b32.i2p", "")));
}
