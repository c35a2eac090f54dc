import type { Signal } from "../io/signal.ts";
import { decodeI2pBase64 } from "../i2p/base64.ts";
import { b32Address, hashAddress, publicPart } from "../i2p/destination.ts";
import { Deadline } from "../io/deadline.ts";
import { SamError } from "./error.ts";
import { formatCommand, parseMessage } from "./message.ts";
import { SAM_HELLO_TIMEOUT, type SamEndpoint, SamSocket } from "./socket.ts";
import type { SamStream } from "./stream.ts";

/** A stream that somebody in I2P has opened. */
export interface IncomingStream extends SamStream {
  /** The caller's base32 address, 60 characters. */
  caller: string;
  /** The I2P port that was called; undefined where the router does not say (i2pd never does). */
  toPort: number | undefined;
}

/** How a stream is waited for. */
export interface AcceptOptions {
  /** Told when the router waits for a caller. */
  onWaiting?: () => void;
}

/** Characters of a SHA-256 in base64: how emissary names a caller. */
const HASH_LENGTH = 44;

/**
 * Waits for a stream to a session's destination (SAM 3.0 STREAM ACCEPT), for as long as it takes. Some may wait at once:
 * Java I2P from 0.9.24 and i2pd take that, older ones may refuse (`ALREADY_ACCEPTING`). i2pd from 2.50 on closes some of
 * those that wait when a caller comes. The router is asked for I2P ports, which Java I2P tells from SAM 3.2 on only.
 *
 * @param signal ends the wait, and with it the socket.
 * @throws {SamError} if the bridge is not reachable, refuses, or closes before somebody calls.
 * @throws the signal's reason if it was aborted.
 */
export async function acceptStream(
  endpoint: SamEndpoint,
  sessionId: string,
  signal: Signal,
  { onWaiting }: AcceptOptions = {},
): Promise<IncomingStream> {
  const socket = await SamSocket.open(endpoint, signal, "ports");
  try {
    const first = await ask(socket, sessionId, signal);
    // i2pd hands over a caller who has waited already before it answers the command.
    const early = isStatus(first) ? undefined : await parseCallerLine(first);
    checkStatus(early === undefined ? first : await socket.line("accept"));
    onWaiting?.();
    const caller = early ?? await parseCallerLine(await socket.line("accept"));
    signal.throwIfAborted();
    return { ...caller, ...socket.detach() };
  } catch (error) {
    socket.close();
    signal.throwIfAborted();
    throw error;
  }
}

/** Sends the command, and reads the first line: the bridge knows at once whether it accepts. */
async function ask(socket: SamSocket, sessionId: string, signal: Signal): Promise<string> {
  using deadline = new Deadline(SAM_HELLO_TIMEOUT, signal);
  socket.follow(deadline);
  try {
    await socket.tell(formatCommand("STREAM ACCEPT", { ID: sessionId, SILENT: "false" }), "accept");
    const line = await socket.line("accept");
    socket.follow(signal);
    return line;
  } catch (error) {
    if (deadline.aborted && !signal.aborted) throw new SamError("accept", "silent");
    throw error;
  }
}

function isStatus(line: string): boolean {
  return /^(STREAM|SESSION) STATUS /.test(line);
}

function checkStatus(line: string): void {
  const { topic, values } = parseMessage(line);
  const [result, text] = [values.get("RESULT"), values.get("MESSAGE")];
  if (!isStatus(line) || result === undefined) throw new SamError("accept", "garbled");
  if (result !== "OK") throw new SamError("accept", "refused", text === undefined ? { result } : { result, text });
  // i2pd refuses a STREAM command with a SESSION STATUS, but accepts it with its own.
  if (topic !== "STREAM") throw new SamError("accept", "garbled");
}

/**
 * Parses the line in front of an accepted stream: `DESTINATION[ FROM_PORT=n TO_PORT=n]`. A router that fails
 * after it has said OK sends a STREAM STATUS instead.
 *
 * @throws {SamError} if it is none.
 */
export async function parseCallerLine(line: string): Promise<Pick<IncomingStream, "caller" | "toPort">> {
  if (isStatus(line)) {
    checkStatus(line);
    throw new SamError("accept", "garbled");
  }
  const [destination = ""] = line.split(" ", 1);
  const toPort = / TO_PORT=(\d{1,5})(?= |$)/.exec(line)?.[1];
  try {
    return { caller: await addressOf(destination), toPort: toPort === undefined ? undefined : Number(toPort) };
  } catch (error) {
    throw new SamError("accept", "garbled", { cause: error });
  }
}

async function addressOf(destination: string): Promise<string> {
  const bytes = decodeI2pBase64(destination);
  if (destination.length === HASH_LENGTH) return hashAddress(bytes);
  return await b32Address(publicPart(bytes));
}
