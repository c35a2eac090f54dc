import { formatEndpoint } from "../config/endpoint.ts";
import type { Address } from "../i2p/address.ts";
import { closeAfterReply, writeAll } from "../io/conn.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { SamError } from "../sam/error.ts";
import { encodeHttpAnswer } from "../socks/http.ts";
import { encodeReply4 } from "../socks/socks4.ts";
import { encodeReply5 } from "../socks/socks5.ts";
import { SocksError, type SocksRequest } from "../socks/wire.ts";
import { REASONS } from "../reasons/reasons.ts";
import type { Refusal } from "../reasons/refusal.ts";
import { refusalOf } from "../reasons/classify.ts";
import type { HalfClosedStreams } from "../relay/half_closed.ts";
import type { LeakWatch } from "./leak_watch.ts";

/** What is known of a client when it is refused. */
export interface RefusedClient {
  /** Its connection. */
  conn: Deno.TcpConn;
  /** What it asked for, if it came so far. */
  request?: SocksRequest;
  /** Where that is. */
  address?: Address;
}

/** What takes note of refusals. */
export interface RefusalContext {
  /** Streams that may give way where descriptors are short. */
  halfClosed: HalfClosedStreams;
  /** Explains what a refusal says about the application. */
  leaks: LeakWatch;
  /** Takes a line for each refusal. */
  log: Log;
  /** Takes the counts. */
  counters: Counters;
  /** Takes note of destinations, where an audit is under way. */
  audit?: AuditBook | undefined;
  /** Whether SOCKS5 replies use the extended codes of Tor's proposal 304. */
  extendedErrors: boolean;
}

/** Turns whatever failed into a count, a log line and a SOCKS reply. Never throws. */
export async function refuse(client: RefusedClient, context: RefusalContext, error: unknown): Promise<void> {
  const refusal = refusalOf(error, client.address?.kind);
  const { reason, message, cause } = refusal;
  context.counters.add(`refused-${reason}`);
  context.leaks.refused(reason);
  const destination = destinationOf(client);
  if (destination !== undefined) context.audit?.refuse(reason, destination);
  if (reason === "out-of-descriptors") context.halfClosed.endMostSilent();
  const { hint } = REASONS[reason];
  const level = reason === "internal" ? "error" : reason === "client-closed" ? "debug" : "info";
  context.log[level](`Refused a client: ${message}`, {
    reason,
    hint: hint ?? undefined,
    destination,
    routerSaid: cause instanceof SamError ? cause.text : undefined,
  });
  const bytes = replyBytes(client, refusal, context.extendedErrors);
  if (bytes !== undefined) await tell(client, bytes);
}

/** Writes the last bytes that a client gets. Never throws. */
export async function tell({ conn }: RefusedClient, bytes: Uint8Array): Promise<void> {
  try {
    await writeAll(conn, bytes);
    await closeAfterReply(conn);
  } catch {
    // The client is gone: nobody is left to tell.
  }
}

/** What to write to a client that is refused: depends on how far it came. */
function replyBytes(
  client: RefusedClient,
  { reason, cause }: Refusal,
  extendedErrors: boolean,
): Uint8Array | undefined {
  if (reason === "http") return encodeHttpAnswer(formatEndpoint(client.conn.localAddr));
  const version = client.request?.version ?? (cause instanceof SocksError ? cause.version : undefined);
  const { reply4, reply5, extended } = REASONS[reason];
  if (version === 5) return encodeReply5(extendedErrors ? extended ?? reply5 : reply5);
  if (version === 4) return encodeReply4(reply4);
  return undefined;
}

/** What the client asked for, for log and audit; undefined if it did not come so far. */
export function destinationOf({ request }: RefusedClient): string | undefined {
  return request && `${request.host}:${request.port}`;
}
