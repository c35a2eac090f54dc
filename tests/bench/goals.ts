import { type Samples, type Summary, summaryOf } from "./statistics.ts";

/** Something that is measured. */
export interface Metric {
  /** What people call it. */
  title: string;
  /** Unit of its numbers. */
  unit: string;
  /** Which end of the scale is the good one. */
  better: "higher" | "lower";
}

/** What goals are about. */
export type Topic = "identities" | "connects" | "transfers" | "datagrams" | "guard" | "memory" | "start";

/** What is to hold of a metric of ours. */
export interface Goal {
  /** What it is about. */
  topic: Topic;
  /** Name of the metric. */
  metric: string;
  /** Whose number ours is divided by; without it, the bound is in the unit of the metric. */
  peer?: string;
  /**
   * The metric of the peer.
   *
   * @default {the same}
   */
  peerMetric?: string;
  /** At least this where higher is better, otherwise at most. */
  bound: number;
}

/** What came of a goal. */
export interface Outcome {
  /** The goal. */
  goal: Goal;
  /** Numbers of ours. */
  ours: Summary | undefined;
  /** Numbers of the peer. */
  theirs: Summary | undefined;
  /** What is compared with the bound: the ratio of the medians, or the median of ours. */
  value: number | undefined;
  /** Whether the goal is reached; undefined if it was not measured. */
  isReached: boolean | undefined;
}

/** The variant that all others are compared with. */
export const OURS = "i2p-socks";

/** The loop of floor.ts: what the runtime itself costs for a connection. */
export const FLOOR = "bare Deno";

/** A program of the runtime that listens, and no more. */
export const LISTEN = "bare listener";

/** Ours without spare identities. */
export const NO_SPARES = "no spares";

/** Streams at once of the measures of connects. */
export const AT_ONCE = [1, 16, 64, 256] as const;

/** All metrics by name. */
export const METRICS: Readonly<Record<string, Metric>> = {
  ...bulkMetrics(1),
  ...bulkMetrics(64),
  "cpu-up": { title: "processor time, up", unit: "s/GB", better: "lower" },
  "cpu-down": { title: "processor time, down", unit: "s/GB", better: "lower" },
  ...Object.assign({}, ...AT_ONCE.map(connectMetrics)),
  "ping-p50": { title: "round trip beside 4 uploads, median", unit: "ms", better: "lower" },
  "ping-p99": { title: "round trip beside 4 uploads, 99 %", unit: "ms", better: "lower" },
  "ping-max": { title: "round trip beside 4 uploads, slowest", unit: "ms", better: "lower" },
  "ping-rate": { title: "4 uploads with round trips beside them", unit: "MB/s", better: "higher" },
  "steady-rate": { title: "4 uploads without", unit: "MB/s", better: "higher" },
  "exchange-p50": { title: "two writes and one answer", unit: "ms", better: "lower" },
  "udp-p50": { title: "round trip of a datagram, 1000 a second, median", unit: "ms", better: "lower" },
  "udp-back": { title: "datagrams that come back, of 10,000 a second", unit: "%", better: "higher" },
  "udp-loaded-back": { title: "the same, beside other work on every core", unit: "%", better: "higher" },
  "udp-flood-back": { title: "datagrams that come back, of a flood", unit: "%", better: "higher" },
  "udp-flood-rate": { title: "datagrams that come back of a flood, a second", unit: "/s", better: "higher" },
  ...loginMetrics("double", "a bridge that takes a second for tunnels"),
  "guard-rate": { title: "requests of 4 KB, with the leak guard", unit: "/s", better: "higher" },
  "guard-off-rate": { title: "requests of 4 KB, without", unit: "/s", better: "higher" },
  "guard-cpu-rate": { title: "such requests in a second of processor time, with it", unit: "/s", better: "higher" },
  "guard-off-cpu-rate": { title: "such requests in a second of processor time, without", unit: "/s", better: "higher" },
  "guard-cpu": { title: "processor time of such a request, with it", unit: "us", better: "lower" },
  "guard-off-cpu": { title: "processor time of such a request, without", unit: "us", better: "lower" },
  "guard-lines": { title: "a head of 16 KB in writes of 3 bytes, in the guard", unit: "ms", better: "lower" },
  "guard-half-lines": { title: "a head of 8 KB in writes of 3 bytes", unit: "ms", better: "lower" },
  "memory-process": { title: "private memory of an idle process of the executable", unit: "MB", better: "lower" },
  "memory-idle": { title: "memory of an idle stream", unit: "KiB", better: "lower" },
  "memory-burst": { title: "memory of a stream, quiet after a burst", unit: "KiB", better: "lower" },
  "held": { title: "idle streams at once, and a working one more", unit: "streams", better: "higher" },
  "start": { title: "start to ready, without the session", unit: "ms", better: "lower" },
  ...loginMetrics("router", "i2pd"),
  "router-rate": { title: "download through i2pd", unit: "MB/s", better: "higher" },
  "router-first": { title: "first byte through i2pd", unit: "ms", better: "lower" },
};

/** What is to hold, where `heldGoal` idle streams are asked for. */
export function goals(heldGoal: number): Goal[] {
  const transfers = (metric: string, peer: string, bound: number): Goal[] =>
    ["up", "down"].map((way) => ({ topic: "transfers", metric: `${metric}-${way}`, peer, bound }));
  const login = (metric: string, peerMetric: string): Goal => (
    { topic: "identities", metric, peer: OURS, peerMetric, bound: 1.5 }
  );
  const guard = (goal: Omit<Goal, "topic" | "peer">): Goal => ({ topic: "guard", peer: OURS, ...goal });
  return [
    ...["double", "router"].flatMap((place): Goal[] => [
      login(`login-new-${place}`, `login-known-${place}`),
      login(`login-new-${place}`, `login-first-${place}`),
      login(`login-six-${place}`, `login-known-six-${place}`),
      { topic: "identities", metric: `login-lost-${place}`, peer: NO_SPARES, bound: 1.1 },
    ]),
    ...[16, 64, 256].map((count): Goal => (
      { topic: "connects", metric: `connects-${count}-rate`, peer: FLOOR, bound: 0.9 }
    )),
    { topic: "connects", metric: "connects-1-p50", peer: FLOOR, bound: 1.1 },
    { topic: "connects", metric: "connects-1-p99", peer: FLOOR, bound: 1.5 },
    { topic: "connects", metric: "connects-256-p99", peer: "microsocks", bound: 1.5 },
    { topic: "connects", metric: "router-first", peer: "i2pd", bound: 1.2 },
    { topic: "transfers", metric: "ping-rate", peer: OURS, peerMetric: "steady-rate", bound: 0.9 },
    { topic: "transfers", metric: "ping-p50", bound: 0.5 },
    { topic: "transfers", metric: "ping-max", bound: 5 },
    ...transfers("bulk-64", "dante", 1),
    ...transfers("bulk-64", FLOOR, 0.95),
    ...transfers("bulk-64", "socat", 1),
    ...transfers("bulk-1", "socat", 1.1),
    ...transfers("bulk-1", "microsocks", 6),
    ...transfers("bulk-1", "dante", 1.3),
    ...transfers("bulk-1", "copy loop", 0.9),
    ...transfers("cpu", "socat", 1),
    { topic: "transfers", metric: "exchange-p50", bound: 2 },
    { topic: "transfers", metric: "router-rate", peer: "i2pd", bound: 1 },
    { topic: "datagrams", metric: "udp-back", bound: 99 },
    { topic: "datagrams", metric: "udp-loaded-back", bound: 99 },
    { topic: "datagrams", metric: "udp-p50", peer: "dante", bound: 3 },
    { topic: "datagrams", metric: "udp-flood-back", peer: "dante", bound: 1 },
    { topic: "datagrams", metric: "udp-flood-rate", peer: "dante", bound: 1 },
    guard({ metric: "guard-lines", peerMetric: "guard-half-lines", bound: 2.5 }),
    guard({ metric: "guard-rate", peerMetric: "guard-off-rate", bound: 0.95 }),
    guard({ metric: "guard-cpu-rate", peerMetric: "guard-off-cpu-rate", bound: 0.95 }),
    { topic: "memory", metric: "memory-process", peer: LISTEN, bound: 1.3 },
    { topic: "memory", metric: "memory-idle", bound: 16 },
    { topic: "memory", metric: "memory-burst", bound: 30 },
    { topic: "memory", metric: "held", bound: heldGoal },
    { topic: "start", metric: "start", bound: 100 },
  ];
}

/** Compares the medians with a goal. */
export function judge(goal: Goal, samples: Samples): Outcome {
  const ours = summaryOf(samples, goal.metric, OURS);
  const theirs = goal.peer === undefined ? undefined : summaryOf(samples, goal.peerMetric ?? goal.metric, goal.peer);
  const value = goal.peer === undefined ? ours?.median : ours && theirs && ours.median / theirs.median;
  const reached = (bound: number, got: number): boolean =>
    METRICS[goal.metric]?.better === "higher" ? got >= bound : got <= bound;
  return { goal, ours, theirs, value, isReached: value === undefined ? undefined : reached(goal.bound, value) };
}

/** Where a peer is better than ours, by more than one part in fifty: the ratio of ours to it, by metric and peer. */
export function losses(samples: Samples, exempt: readonly string[]): { metric: string; peer: string; ratio: number }[] {
  return Object.entries(METRICS).flatMap(([metric, { better }]) => {
    const ours = summaryOf(samples, metric, OURS)?.median;
    return [...samples.get(metric)?.keys() ?? []].flatMap((peer) => {
      const theirs = summaryOf(samples, metric, peer)?.median;
      if (ours === undefined || theirs === undefined || peer === OURS || exempt.includes(peer)) return [];
      const ratio = ours / theirs;
      return (better === "higher" ? ratio < 0.98 : ratio > 1.02) ? [{ metric, peer, ratio }] : [];
    });
  });
}

function bulkMetrics(streams: number): Record<string, Metric> {
  const name = streams === 1 ? "1 stream" : `${streams} streams`;
  return {
    [`bulk-${streams}-up`]: { title: `${name}, up`, unit: "MB/s", better: "higher" },
    [`bulk-${streams}-down`]: { title: `${name}, down`, unit: "MB/s", better: "higher" },
  };
}

/** First bytes of logins, where sessions take the time that they take somewhere. */
function loginMetrics(place: string, where: string): Record<string, Metric> {
  const all = {
    "known": "first byte of a login that has its session",
    "new": "first byte of a new login",
    "first": "first byte of such a login at a site that it has not visited",
    "known-six": "six logins at once that have theirs, the last byte",
    "six": "six new logins at once, the last byte",
    "lost": "first byte of a new login, the router having lost all sessions",
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, title]) => [
      `login-${name}-${place}`,
      { title: `${title} (${where})`, unit: "ms", better: "lower" } as const,
    ]),
  );
}

function connectMetrics(count: number): Record<string, Metric> {
  const name = count === 1 ? "connects, one at a time" : `connects, ${count} at once`;
  return {
    [`connects-${count}-rate`]: { title: name, unit: "/s", better: "higher" },
    [`connects-${count}-p50`]: { title: `${name}, median`, unit: "ms", better: "lower" },
    [`connects-${count}-p99`]: { title: `${name}, 99 %`, unit: "ms", better: "lower" },
    [`connects-${count}-cpu`]: { title: `${name}, processor time`, unit: "us", better: "lower" },
  };
}
