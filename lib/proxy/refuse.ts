import { formatEndpoint } from "../config/endpoint.ts";
import { closeAfterReply, closeQuietly, writeAll } from "../io/conn.ts";
import { onAbort } from "../io/signal.ts";
import { startTimer, type Timer } from "../io/timer.ts";
import { SamError } from "../sam/error.ts";
import { encodeHttpAnswer } from "../socks/http.ts";
import { encodeReply4 } from "../socks/socks4.ts";
import { encodeReason5, encodeReply5 } from "../socks/socks5.ts";
import { SocksError } from "../socks/wire.ts";
import { isProbe } from "../status/probe.ts";
import { reasonAdvice } from "../reasons/advice.ts";
import { OUTCOMES, REASONS } from "../reasons/reasons.ts";
import type { Refusal } from "../reasons/refusal.ts";
import { refusalOf } from "../reasons/classify.ts";
import { type Client, type ClientContext, destinationOf, noteOutcome } from "./context.ts";

/** Turns whatever failed into a count, a log line and a SOCKS reply. Never throws. */
export async function refuse(client: Client, context: ClientContext, error: unknown): Promise<void> {
  const refusal = refusalOf(error, client.address?.kind);
  const { reason, message, cause } = refusal;
  if (cause instanceof SocksError && isProbe(cause.sent)) {
    context.log.debug("Another command asked what listens here");
    return await sendReply(client, encodeHttpAnswer(addressOf(client)), context);
  }
  context.counters.add(`refused-${reason}`);
  context.leaks.refused(reason, client.request?.host);
  const destination = destinationOf(client);
  if (destination !== undefined) context.audit?.refuse(reason, destination);
  if (reason === "out-of-descriptors") context.halfClosed.endMostSilent();
  const { outcome } = REASONS[reason];
  if (outcome !== "left") noteOutcome(client, context, { reason, message });
  const { fix } = REASONS[reason];
  const router = fix === null || fix.i2pd === fix.java ? undefined : await context.router.get();
  const level = reason === "internal" ? "error" : reason === "client-closed" ? "debug" : "info";
  context.log[level](`${OUTCOMES[outcome]}: ${message}`, {
    reason,
    hint: reasonAdvice(reason, formatEndpoint(context.settings.sam), router),
    destination,
    routerSaid: cause instanceof SamError ? cause.text : undefined,
  });
  const bytes = replyBytes(client, refusal, context);
  if (bytes !== undefined) await sendReply(client, bytes, context);
}

/** Milliseconds for a client to take its reply and close, once everything ends. */
export const LAST_LINGER = 500;

/** Writes the last bytes that a client gets. Never throws. */
export async function sendReply(
  client: Client,
  bytes: Uint8Array,
  { admission, signal }: Pick<ClientContext, "admission" | "signal">,
): Promise<void> {
  const { conn } = client;
  let last: Timer | undefined;
  const stopHurrying = onAbort(signal, () => {
    last = startTimer(LAST_LINGER, () => closeQuietly(conn));
  });
  try {
    await writeAll(conn, bytes);
    admission.told(client);
    await closeAfterReply(conn);
  } catch {
    // The client is gone.
  } finally {
    stopHurrying();
    last?.stop();
  }
}

/** Where a client has connected to, as curl and others write it. */
function addressOf({ conn: { localAddr }, clientAddress }: Client): string {
  return localAddr.transport === "tcp" ? formatEndpoint(localAddr) : clientAddress.replace("unix:", "localhost");
}

/** What to write to a client that is refused: depends on how far it came. */
function replyBytes(
  client: Client,
  { reason, cause }: Refusal,
  { settings }: ClientContext,
): Uint8Array | undefined {
  if (reason === "http") return encodeHttpAnswer(addressOf(client));
  const version = client.request?.version ?? (cause instanceof SocksError ? cause.version : undefined);
  const { reply4, reply5, extended } = REASONS[reason];
  if (client.request?.wantsReason) {
    return encodeReason5(extended ?? reply5, `${reason} ${formatEndpoint(settings.sam)}`);
  }
  if (version === 5) return encodeReply5(settings.switches["extended-errors"] ? extended ?? reply5 : reply5);
  if (version === 4) return encodeReply4(reply4);
  return undefined;
}
