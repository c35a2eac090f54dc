import { formatEndpoint } from "../config/endpoint.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { type LeakKind, LEAKS } from "../guard/leak.ts";
import { completeHint } from "../reasons/advice.ts";
import { ENDED_WITHOUT_DATA, NO_ANSWERS, OUTCOMES, type Reason, REASONS } from "../reasons/reasons.ts";
import { CALLER_REFUSALS } from "../reasons/caller_refusals.ts";
import { DROPS } from "../reasons/datagram_drops.ts";
import type { PooledStatus } from "../identity/identity_pool.ts";
import type { Proxy } from "../proxy/proxy.ts";
import type { Counters } from "../report/counters.ts";
import type { OutcomeBook, RecordedOutcome } from "../report/outcome_book.ts";
import type {
  ApplicationStatus,
  BindStatus,
  CallersStatus,
  IdentityFacts,
  Outcome,
  Tally,
  UdpStatus,
} from "../status/snapshot.ts";

/** What is shown of a proxy. */
type Shown =
  | "connections"
  | "streams"
  | "keptBytes"
  | "identities"
  | "datagramIdentities"
  | "callers"
  | "waiting"
  | "associations";

/**
 * Current status of an application, in words that the tables of answers and leaks have for it.
 *
 * @param listen where it serves SOCKS.
 */
export function statusOf(
  { name, sam }: Pick<ApplicationSettings, "name" | "sam">,
  listen: readonly string[],
  proxy: Pick<Proxy, Shown>,
  counters: Counters,
  outcomes: Pick<OutcomeBook, "latest">,
): ApplicationStatus {
  const [base] = proxy.identities;
  const ready = base?.state === "ready";
  return {
    name,
    listen: [...listen],
    sam: formatEndpoint(sam),
    samVersion: base?.session?.version ?? null,
    ready,
    reason: ready ? null : base?.reason ?? "The router builds tunnels",
    advice: [...base?.advice ?? []],
    connections: proxy.connections,
    streams: proxy.streams,
    bytesSent: counters.get("bytes-sent"),
    bytesReceived: counters.get("bytes-received"),
    bytesKept: proxy.keptBytes,
    connected: counters.get("connected") + counters.get("bind-connected"),
    identities: [
      ...proxy.identities.map((identity) => factsOf(identity, identity.group === undefined ? "base" : "group")),
      ...(proxy.datagramIdentities ?? []).map((identity) => factsOf(identity, "datagrams")),
    ],
    refusals: tally(REASONS, "refused-", counters).map((refusal) => ({
      ...refusal,
      hint: completeHint(refusal.hint, formatEndpoint(sam)) ?? REASONS[refusal.reason as Reason].sign?.fix ?? null,
    })),
    outcomes: outcomes.latest.map((outcome) => outcomeOf(outcome, formatEndpoint(sam))),
    leaks: Object.entries(LEAKS).flatMap(([kind, { message, fix }]) => {
      const count = counters.get(`leak-${kind as LeakKind}`);
      return count === 0 ? [] : [{ kind, count, story: message, fix }];
    }),
    ...(proxy.callers !== undefined && { callers: callersOf(proxy.callers, counters) }),
    ...(proxy.waiting !== undefined && { bind: bindOf(proxy.waiting, counters) }),
    ...(proxy.associations !== undefined && { udp: udpOf(proxy.associations, counters) }),
  };
}

function outcomeOf({ reason, message, identity, destination, count, time }: RecordedOutcome, sam: string): Outcome {
  const entry = Object.hasOwn(REASONS, reason) ? REASONS[reason as Reason] : undefined;
  const end = reason === NO_ANSWERS.reason ? NO_ANSWERS : ENDED_WITHOUT_DATA;
  return {
    time: time.toISOString(),
    count,
    outcome: entry === undefined ? "Ended" : OUTCOMES[entry.outcome],
    reason,
    message,
    hint: entry === undefined ? end.hint : completeHint(entry.hint, sam) ?? entry.sign?.fix ?? null,
    fix: entry?.fix ?? null,
    identity: identity ?? null,
    ...(destination !== undefined && { destination }),
  };
}

function callersOf(open: number, counters: Counters): CallersStatus {
  return {
    open,
    total: counters.get("inbound-callers"),
    connected: counters.get("inbound-connected"),
    bytesSent: counters.get("inbound-bytes-sent"),
    bytesReceived: counters.get("inbound-bytes-received"),
    idle: counters.get("inbound-idle"),
    refused: tally(CALLER_REFUSALS, "inbound-", counters),
    acceptFailures: counters.get("inbound-accept-failed"),
  };
}

function bindOf(waiting: number, counters: Counters): BindStatus {
  return {
    waiting,
    waited: counters.get("bind-waiting"),
    connected: counters.get("bind-connected"),
    denied: counters.get("bind-denied"),
  };
}

function udpOf(associations: number, counters: Counters): UdpStatus {
  return {
    associations,
    granted: counters.get("udp-associations"),
    sent: counters.get("udp-sent"),
    received: counters.get("udp-received"),
    dropped: tally(DROPS, "udp-dropped-", counters),
  };
}

/** What was counted of a table's reasons, with their messages. */
function tally(
  table: Readonly<Record<string, { message: string; hint: string | null }>>,
  prefix: string,
  counters: Counters,
): Tally[] {
  return Object.entries(table).flatMap(([reason, { message, hint }]) => {
    const count = counters.get(prefix + reason);
    return count === 0 ? [] : [{ reason, count, message, hint }];
  });
}

function factsOf(
  { group, label, state, reason, address, since, clients, sites }: PooledStatus,
  kind: IdentityFacts["kind"],
): IdentityFacts {
  return {
    kind,
    group: group ?? null,
    label,
    state,
    reason: reason ?? null,
    b32: address ?? null,
    ageSeconds: Math.round(performance.now() - since) / 1000,
    clients,
    sites,
  };
}
