import { formatEndpoint } from "../config/endpoint.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { type LeakKind, LEAKS } from "../guard/leak.ts";
import { ANSWERS, type Reason } from "../proxy/answers.ts";
import { DROPS } from "../proxy/datagram_drops.ts";
import type { PooledStatus } from "../proxy/identity_pool.ts";
import { DOOR_SIGNS } from "../proxy/leak_watch.ts";
import type { Proxy } from "../proxy/proxy.ts";
import type { Counters } from "../report/counters.ts";
import type { ApplicationStatus, IdentityFacts, UdpStatus } from "../report/status.ts";

/**
 * How an application fares, in words that the tables of answers and leaks have for it.
 *
 * @param listen where it serves SOCKS.
 */
export function statusOf(
  { name, sam }: Pick<ApplicationSettings, "name" | "sam">,
  listen: readonly string[],
  proxy: Pick<Proxy, "connections" | "streams" | "identities" | "associations">,
  counters: Counters,
): ApplicationStatus {
  const [base, ...groups] = proxy.identities;
  const ready = base?.state === "ready";
  return {
    name,
    listen: [...listen],
    sam: formatEndpoint(sam),
    samVersion: base?.session?.version ?? null,
    ready,
    reason: ready ? null : base?.reason ?? "The router builds tunnels",
    connections: proxy.connections,
    streams: proxy.streams,
    bytesSent: counters.get("bytes-sent"),
    bytesReceived: counters.get("bytes-received"),
    connected: counters.get("connected"),
    identities: [base, ...groups].flatMap((identity) => identity === undefined ? [] : [factsOf(identity)]),
    refusals: Object.entries(ANSWERS).flatMap(([reason, { story, hint }]) => {
      const count = counters.get(`refused-${reason}`);
      const advice = hint ?? DOOR_SIGNS[reason as Reason]?.fix ?? null;
      return count === 0 ? [] : [{ reason, count, message: story, hint: advice }];
    }),
    leaks: Object.entries(LEAKS).flatMap(([kind, { story, fix }]) => {
      const count = counters.get(`leak-${kind as LeakKind}`);
      return count === 0 ? [] : [{ kind, count, story, fix }];
    }),
    ...(proxy.associations !== undefined && { udp: udpOf(proxy.associations, counters) }),
  };
}

function udpOf(associations: number, counters: Counters): UdpStatus {
  return {
    associations,
    sent: counters.get("udp-sent"),
    received: counters.get("udp-received"),
    dropped: Object.entries(DROPS).flatMap(([reason, { story, hint }]) => {
      const count = counters.get(`udp-dropped-${reason}`);
      return count === 0 ? [] : [{ reason, count, message: story, hint: hint ?? null }];
    }),
  };
}

function factsOf({ group, state, reason, session, since, clients }: PooledStatus): IdentityFacts {
  return {
    kind: group === undefined ? "base" : "group",
    group: group ?? null,
    state,
    reason: reason ?? null,
    b32: session?.address ?? null,
    ageSeconds: Math.round(performance.now() - since) / 1000,
    clients,
  };
}
