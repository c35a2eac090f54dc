import { encodeI2pBase64 } from "../i2p/base64.ts";
import { DatagramSocket } from "../io/datagrams.ts";
import { Deadline, sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { formatSamDatagram, parseSamDatagram } from "../sam/datagrams.ts";
import { lookupName } from "../sam/naming.ts";
import { createSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { Fault } from "./check_walk.ts";

/** Milliseconds for a datagram to come back. */
const PATIENCE = 10_000;

/** Milliseconds until another one is sent: they get lost. */
const AGAIN = 1_000;

/**
 * Makes a session for datagrams, and sends itself one through the bridge's UDP port: a wrong port swallows everything
 * without a word, so only what comes back shows that datagrams pass.
 *
 * @returns what was found.
 * @throws {Fault} `timed-out` if none comes back.
 * @throws {SamError} if there is no session.
 */
export async function echoDatagram(
  endpoint: SamEndpoint,
  udpPort: number,
  options: Readonly<Record<string, string>>,
  signal: Signal,
): Promise<string> {
  const { hostname } = endpoint;
  const word = crypto.randomUUID();
  using echoed = new Deadline(Infinity, signal);
  let hasCome = false;
  const socket = new DatagramSocket(hostname, (bytes, from) => {
    const datagram = parseSamDatagram(bytes);
    if (from.port !== udpPort || datagram === undefined) return;
    if (new TextDecoder().decode(datagram.payload) !== word) return;
    hasCome = true;
    echoed.abort(new Error("It has come back"));
  });
  try {
    const session = await createSession(endpoint, { options, datagramsTo: { hostname, port: socket.port } }, signal);
    try {
      const since = performance.now();
      for (; !hasCome && performance.now() - since < PATIENCE; await sleep(AGAIN, echoed.signal)) {
        signal.throwIfAborted();
        const own = await lookupName(endpoint, session.address, signal);
        if (own === undefined) continue;
        const bytes = formatSamDatagram(session.id, encodeI2pBase64(own), new TextEncoder().encode(word));
        await socket.send(bytes, { hostname, port: udpPort });
      }
      signal.throwIfAborted();
    } finally {
      session.close();
    }
  } finally {
    await socket.close();
  }
  if (hasCome) return `one to ourselves came back through UDP port ${udpPort}`;
  throw new Fault("timed-out", `None that was sent to UDP port ${udpPort} came back: see --sam-udp`);
}
