import { closeOnAbort, closeQuietly, isOfRuntime } from "../io/conn.ts";
import { Deadline } from "../io/deadline.ts";
import { onAbort } from "../io/signal.ts";
import { startTimer, type Timer } from "../io/timer.ts";
import { Refusal } from "../reasons/refusal.ts";
import { UDP_ASSOCIATE } from "../socks/datagram.ts";
import { type Handshake, readHandshake } from "../socks/handshake.ts";
import { RESOLVE, RESOLVE_PTR } from "../socks/resolve.ts";
import { BIND, SocksError } from "../socks/wire.ts";
import { handleAssociate } from "./associate.ts";
import { handleBind } from "./bind.ts";
import { handleConnect } from "./connect.ts";
import type { Client, ClientContext } from "./context.ts";
import { refuse } from "./refuse.ts";
import { handleResolve } from "./resolve.ts";

/**
 * Serves one client from its first byte to its last. Never throws, and closes the connection in any case.
 *
 * Whatever fails on the way is an error that is caught here, and only here, to become a SOCKS reply, a log line and a
 * count.
 */
export async function serveClient(client: Client, context: ClientContext): Promise<void> {
  try {
    const handshake = await receiveRequest(client, context);
    await handle(client, handshake, context);
  } catch (error) {
    await refuse(client, context, error);
  } finally {
    closeQuietly(client.conn);
  }
}

/** Serves a command. The handshake has let no other one through than these and CONNECT. */
function handle(client: Client, handshake: Handshake, context: ClientContext): Promise<void> {
  switch (handshake.request.command) {
    case BIND:
      return handleBind(client, handshake, context);
    case UDP_ASSOCIATE:
      return handleAssociate(client, handshake, context);
    case RESOLVE:
    case RESOLVE_PTR:
      return handleResolve(client, handshake, context);
    default:
      return handleConnect(client, handshake, context);
  }
}

/** Milliseconds for a client to finish its handshake once the proxy is about to end. */
export const DRAINING_HANDSHAKE = 1_000;

/** Reads the handshake within its time limit. */
async function receiveRequest(client: Client, context: ClientContext): Promise<Handshake> {
  const { settings, signal, ending, admission, logins, loginOffers, commands, audit } = context;
  const { clientAddress } = client;
  using deadline = new Deadline(settings.timeouts.handshake, signal);
  closeOnAbort(client.conn, deadline);
  let last: Timer | undefined;
  const stopHurrying = onAbort(ending, () => {
    last = startTimer(DRAINING_HANDSHAKE, () => deadline.abort(ending.reason));
  });
  /** Its methods, once it was asked for a login. */
  let asked: Uint8Array | undefined;
  try {
    if ("setNoDelay" in client.conn) client.conn.setNoDelay(true);
    const onFirst = (): void => admission.begun(client);
    const handshake = await readHandshake(
      client.conn,
      logins !== undefined
        ? { login: "required", verify: (login) => logins.verify(login, deadline), commands, onFirst }
        : {
          onFirst,
          login: settings.isolation.includes("auth") ? "preferred" : "accepted",
          isWanted: (methods) => loginOffers.isWanted(clientAddress, methods),
          onAsked: (methods) => asked = methods,
          commands,
        },
    );
    const request = logins === undefined
      ? loginOffers.judge(handshake.request, clientAddress, asked)
      : handshake.request;
    client.request = request;
    admission.asked(client);
    audit?.request();
    return { ...handshake, request };
  } catch (error) {
    // Where a reply is due the client has asked for something, which does not exist or is not served.
    if (error instanceof SocksError && error.version !== undefined) audit?.request();
    if (signal.aborted) throw signal.reason;
    if (client.evicted !== undefined) throw client.evicted;
    if (error instanceof SocksError && error.problem === "loginMissing") {
      const isClosed = !deadline.aborted && !(error.cause instanceof SocksError && error.cause.problem !== "closed");
      if (asked !== undefined) loginOffers.lacked(clientAddress, asked, isClosed ? "closed" : "other");
      throw error;
    }
    if (deadline.aborted) throw deadline.reason instanceof Refusal ? deadline.reason : new Refusal("handshake-timeout");
    throw isOfRuntime(error) ? new Refusal("client-closed", undefined, error) : error;
  } finally {
    stopHurrying();
    last?.stop();
  }
}
