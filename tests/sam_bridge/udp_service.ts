import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { encodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";

/** A service behind a datagram session of a SAM bridge, written without any part of the program's own SAM. */
export interface UdpService extends AsyncDisposable {
  /** Its address. */
  readonly b32: string;
  /** Its destination in I2P base64. */
  readonly destination: string;
  /** The same with its private keys. */
  readonly keys: string;
  /** Datagrams that have come so far: the sender's destination, and the payload as ASCII. */
  readonly received: readonly { from: string; text: string }[];
  /** Sends a datagram that nobody asked for. */
  send(destination: string, text: string): Promise<void>;
}

/** Characters of a SHA-256 in base64. */
const HASH_LENGTH = 44;

/** What a service is told. */
export interface UdpServiceOptions {
  /** Options of SESSION CREATE, such as `inbound.length=0`. @default {[]} */
  options?: readonly string[];
  /** Kind of its datagrams. @default {"DATAGRAM"} */
  style?: string;
  /** Its destination with its private keys. @default {one to throw away} */
  keys?: string;
  /** What it answers; nothing where undefined. @default the same again */
  answer?: (text: string) => string | Uint8Array | undefined;
}

/** Starts a service that answers every datagram, at a bridge on 127.0.0.1. */
export async function startUdpService(
  samPort: number,
  samUdpPort: number,
  { options = [], style = "DATAGRAM", answer = (text) => text, keys: given = "TRANSIENT" }: UdpServiceOptions = {},
): Promise<UdpService> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const bridge: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: samUdpPort };
  const id = `udp-service-${crypto.randomUUID()}`;
  const control = await Deno.connect({ hostname: "127.0.0.1", port: samPort });
  const { port } = socket.addr as Deno.NetAddr;
  await ask(control, "HELLO VERSION MIN=3.0 MAX=3.1");
  const created = await ask(
    control,
    `SESSION CREATE STYLE=${style} ID=${id} DESTINATION=${given} SIGNATURE_TYPE=7 HOST=127.0.0.1 PORT=${port} ${
      options.join(" ")
    }`.trim(),
  );
  const keys = / DESTINATION=(\S+)/.exec(created)?.[1];
  if (keys === undefined) throw new Error(`No datagram session: ${created}`);
  const destination = publicPart(decodeI2pBase64(keys));
  const received: { from: string; text: string }[] = [];
  const send = async (to: string, payload: string | Uint8Array): Promise<void> => {
    const body = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const head = new TextEncoder().encode(`3.0 ${id} ${to}\n`);
    await socket.send(Uint8Array.of(...head, ...body), bridge);
  };
  /** The destination behind a hash, which is all that a DATAGRAM3 tells. */
  const lookUp = async (hash: string): Promise<string> => {
    const name = `${encodeI2pBase32(decodeI2pBase64(hash))}.b32.i2p`;
    return / VALUE=(\S+)/.exec(await ask(control, `NAMING LOOKUP NAME=${name}`))?.[1] ?? "";
  };
  const serving = (async (): Promise<void> => {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const [bytes] = await socket.receive(buffer);
        const end = bytes.indexOf(10);
        const from = new TextDecoder().decode(bytes.subarray(0, end)).split(" ")[0] ?? "";
        const text = new TextDecoder().decode(bytes.subarray(end + 1));
        received.push({ from, text });
        const reply = answer(text);
        if (reply !== undefined) await send(from.length === HASH_LENGTH ? await lookUp(from) : from, reply);
      }
    } catch {
      // Closed.
    }
  })();
  return {
    b32: await b32Address(destination),
    destination: encodeI2pBase64(destination),
    keys,
    received,
    send,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      control.close();
      await serving;
    },
  };
}

async function ask(conn: Deno.TcpConn, line: string): Promise<string> {
  await conn.write(new TextEncoder().encode(`${line}\n`));
  let text = "";
  const buffer = new Uint8Array(8192);
  while (!text.endsWith("\n")) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`The bridge closed instead of answering ${line.slice(0, 40)}`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}
