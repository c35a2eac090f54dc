import type { Signal } from "../io/signal.ts";
import { type DatagramTarget, targetOptions } from "./datagrams.ts";
import { KEY_TAKEN, NO_TUNNELS, ROUTER_STARTS, SamError } from "./error.ts";
import { formatCommand, type SamValues } from "./message.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/** The first version that has sessions within sessions. */
const PRIMARY_VERSION = 3.3;

const STORIES: Readonly<Record<PrimaryRefused["step"], string>> = {
  version: "lacks SAM 3.3",
  style: "has no sessions that carry both (PRIMARY of SAM 3.3)",
  subsession: "does not add both to one session",
};

/**
 * A bridge does not give streams and datagrams one session: its version is too low, it does not take the style of the session,
 * or it does not add what the session is to carry.
 */
export class PrimaryRefused extends Error {
  /** What it does not take. */
  readonly step: "version" | "style" | "subsession";
  /** How it said so; undefined where its version says it. */
  readonly answer: SamError | undefined;

  /** Takes the step that was refused, and the router's answer. */
  constructor(step: PrimaryRefused["step"], answer?: SamError) {
    super(`The router ${STORIES[step]}`, { cause: answer });
    this.name = "PrimaryRefused";
    this.step = step;
    this.answer = answer;
  }

  /** What that means, after the words "the router". */
  get explanation(): string {
    return STORIES[this.step];
  }

  /** Whether it is sure that this was the reason: no other failure looks like this one. */
  get isCertain(): boolean {
    return this.step !== "style" && this.answer?.failure !== "closed";
  }
}

/** RESULT words that are about the key, the name or the tunnels, and would come with any style. */
const OTHER_REASONS = /^(DUPLICATED?_|INVALID_|TIMEOUT$)/;

/**
 * Connects to a bridge that speaks SAM 3.3.
 *
 * @throws {PrimaryRefused} if it does not.
 * @throws what {@linkcode SamSocket.open} does.
 */
export async function openPrimary(endpoint: SamEndpoint, signal: Signal): Promise<SamSocket> {
  let socket: SamSocket;
  try {
    socket = await SamSocket.open(endpoint, signal, "subsessions");
  } catch (error) {
    // Of a range of versions that a bridge knows only in part, it may refuse the whole.
    if (error instanceof SamError && error.result === "NOVERSION") throw new PrimaryRefused("version", error);
    throw error;
  }
  if (Number(socket.version) >= PRIMARY_VERSION) return socket;
  socket.close();
  throw new PrimaryRefused("version");
}

/**
 * Creates a session with a subsession for streams and one for datagrams (SAM 3.3 SESSION ADD), which are known by names of
 * their own. They end with it.
 *
 * Java I2P (by its source, not tried) accepts streams to such a session on its own, and keeps up to 64 for a client that may ask for
 * them, without an end.
 *
 * @param command creates the session itself.
 * @returns the reply to that.
 * @throws {PrimaryRefused} if the bridge does not take the style, or a subsession.
 * @throws {SamError} if it fails otherwise.
 */
export async function createPrimary(
  socket: SamSocket,
  command: string,
  names: { id: string; datagramId: string },
  datagrams: DatagramTarget,
): Promise<SamValues> {
  const values = await ask(socket, command, "style");
  const adds = [
    { STYLE: "STREAM", ID: names.id },
    { STYLE: datagrams.style, ID: names.datagramId, ...targetOptions(datagrams) },
  ];
  for (const add of adds) await ask(socket, formatCommand("SESSION ADD", add), "subsession");
  return values;
}

async function ask(socket: SamSocket, command: string, step: "style" | "subsession"): Promise<SamValues> {
  try {
    return await socket.request(command, "session", "SESSION");
  } catch (error) {
    if (!(error instanceof SamError)) throw error;
    const { result = "", text = "" } = error;
    const isOther = OTHER_REASONS.test(result) ||
      [ROUTER_STARTS, NO_TUNNELS, KEY_TAKEN].some((words) => words.test(text));
    const isRefusal = error.failure === "refused" && !isOther;
    throw isRefusal || error.failure === "closed" ? new PrimaryRefused(step, error) : error;
  }
}
