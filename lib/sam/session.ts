import { decodeI2pBase64, encodeI2pBase64 } from "../i2p/base64.ts";
import { b32Address, publicPart } from "../i2p/destination.ts";
import { closeOnAbort } from "../io/conn.ts";
import { Deadline } from "../io/deadline.ts";
import { SharedSignal, type Signal } from "../io/signal.ts";
import type { PrivateKey } from "../i2p/private_key.ts";
import { type DatagramTarget, targetOptions } from "./datagrams.ts";
import { laterEncryptionTypes, requireEncryptionTypes } from "./encryption_types.ts";
import { KEY_TAKEN, NO_TUNNELS, SamError, TOO_MANY_SESSIONS } from "./error.ts";
import { formatCommand } from "./message.ts";
import { createPrimary, openPrimary } from "./primary.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/** A SAM session: one destination, alive as long as its control socket. */
export interface SamSession {
  /** The name under which the bridge knows the session where streams are opened or waited for. */
  readonly id: string;
  /** The name under which it knows it where datagrams are sent; undefined where it carries none. */
  readonly datagramId: string | undefined;
  /** The session's destination, without its private keys. */
  readonly destination: Uint8Array<ArrayBuffer>;
  /** The b32 address of the session's destination, 60 characters. */
  readonly address: string;
  /** The SAM version of the control socket. */
  readonly version: string;
  /** Settles when the session is gone, with the reason: the router closed it, said so, or {@linkcode close} was called. */
  readonly lost: Promise<SamError>;
  /** Aborted at that moment, with the same reason: for code that does not wait for a promise. */
  readonly ended: Signal;
  /** Ends the session; the router closes its streams. A second call does nothing. `reason` becomes that of the loss. */
  close(reason?: SamError): void;
}

/** What session is wanted. */
export interface SessionRequest {
  /** Whose destination it is; without one the router makes a destination to throw away. */
  key?: PrivateKey;
  /** I2CP and streaming options, such as `inbound.length`. */
  options: Readonly<Record<string, string>>;
  /** What datagrams it carries; with it the session is one of datagrams, else of streams. */
  datagrams?: DatagramTarget | undefined;
  /**
   * Whether it carries streams as well as datagrams, so that both have one destination.
   *
   * @default {false}
   */
  withStreams?: boolean;
  /**
   * Milliseconds for the router to build tunnels.
   *
   * @default {SESSION_TIMEOUT}
   */
  timeout?: number;
}

/**
 * Milliseconds for the answer to SESSION CREATE. It may take minutes, and asking twice does not make it faster; but i2pd
 * (seen with 2.45.1) may never answer at all, and has no limit of its own.
 */
export const SESSION_TIMEOUT = 600_000;

/**
 * Milliseconds within which Java I2P says that there are no tunnels, where the reason is another one: it waits for them for
 * five minutes.
 */
const TOO_SOON = 240_000;

/** EdDSA_SHA512_Ed25519. Without it both routers fall back to DSA, which modern peers refuse. */
export const SIGNATURE_TYPE = "7";

/**
 * Creates a session (SAM 3.1 SESSION CREATE, STYLE=STREAM or DATAGRAM; for both SAM 3.3, STYLE=PRIMARY).
 *
 * The router answers when tunnels are built: seconds to minutes. The private
 * key that comes with the answer is dropped: only its public part is looked at.
 *
 * @param onGreeted called when the bridge has answered HELLO and the wait for tunnels begins.
 * @throws {SamError} if the bridge is not reachable, refuses, does not answer in time, or is too old for an option.
 * @throws {PrimaryRefused} if it has no sessions for streams and datagrams, where one is wanted.
 * @throws the signal's reason if it was aborted.
 */
export async function createSession(
  endpoint: SamEndpoint,
  { key, options, datagrams, withStreams = false, timeout = SESSION_TIMEOUT }: SessionRequest,
  signal: Signal,
  onGreeted: () => void = () => {},
): Promise<SamSession> {
  const forBoth = withStreams ? datagrams : undefined;
  const id = newSessionId();
  const command = formatCommand("SESSION CREATE", {
    STYLE: forBoth === undefined ? datagrams?.style ?? "STREAM" : "PRIMARY",
    ID: id,
    ...(key === undefined
      ? { DESTINATION: "TRANSIENT", SIGNATURE_TYPE }
      : { DESTINATION: encodeI2pBase64(key.expose()) }),
    ...(forBoth === undefined && datagrams !== undefined && targetOptions(datagrams)),
    ...options,
  });
  const later = laterEncryptionTypes(options);
  if (later.length > 0) await requireEncryptionTypes(endpoint, later, signal);
  const socket = await (forBoth === undefined ? SamSocket.open(endpoint, signal) : openPrimary(endpoint, signal));
  using deadline = new Deadline(timeout, signal);
  const since = performance.now();
  const unfollow = closeOnAbort(socket, deadline);
  try {
    onGreeted();
    // A session within another one has a name of its own.
    const within = { id: newSessionId(), datagramId: newSessionId() };
    const values = await (forBoth === undefined
      ? socket.request(command, "session", "SESSION")
      : createPrimary(socket, command, within, forBoth));
    const destination = destinationOf(values.get("DESTINATION") ?? "");
    const address = await b32Address(destination);
    if (key !== undefined && address !== await b32Address(key.destination)) {
      throw new SamError("session", "garbled", { text: "the session has another destination than the key" });
    }
    deadline.throwIfAborted();
    const ended = new SharedSignal();
    let closedFor: SamError | undefined;
    const lost = socket.watch().finally(() =>
      socket.close()
    );
    return {
      ...(forBoth === undefined ? { id, datagramId: datagrams && id } : within),
      destination,
      address,
      version: socket.version,
      lost: lost.then((seen) => {
        const reason = closedFor ?? seen;
        ended.abort(reason);
        return reason;
      }),
      ended,
      close: (reason) => {
        closedFor ??= reason;
        socket.close();
      },
    };
  } catch (error) {
    socket.close();
    signal.throwIfAborted();
    if (deadline.aborted) throw new SamError("session", "silent");
    const isTooSoon = key !== undefined && performance.now() - since < TOO_SOON;
    throw isTooSoon && error instanceof SamError ? doubtKey(error) : error;
  } finally {
    unfollow();
  }
}

/** Says of a session without tunnels that another program may have its key, where the router gives no cause. */
function doubtKey(error: SamError): SamError {
  const { phase, failure, result, text = "", cause } = error;
  const isSaid = KEY_TAKEN.test(text) || TOO_MANY_SESSIONS.test(text);
  if (result === undefined || !NO_TUNNELS.test(text) || isSaid) return error;
  return new SamError(phase, failure, { result, text, cause, keyMayBeTaken: true });
}

/** A name for a session, used once: all clients of a bridge share the names. */
function newSessionId(): string {
  return `i2p-socks-${crypto.randomUUID()}`;
}

function destinationOf(privateKey: string): Uint8Array<ArrayBuffer> {
  try {
    return publicPart(decodeI2pBase64(privateKey));
  } catch (error) {
    throw new SamError("session", "garbled", { cause: error });
  }
}
