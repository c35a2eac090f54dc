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

/** What is to hold of a metric of ours. */
export interface Goal {
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
  "udp-flood-back": { title: "datagrams that come back, of a flood", unit: "%", better: "higher" },
  "udp-flood-rate": { title: "datagrams that come back of a flood, a second", unit: "/s", better: "higher" },
  "memory-idle": { title: "memory of an idle stream", unit: "KiB", better: "lower" },
  "memory-burst": { title: "memory of a stream, quiet after a burst", unit: "KiB", better: "lower" },
  "held": { title: "idle streams at once, and a working one more", unit: "streams", better: "higher" },
  "start": { title: "start to ready, without the session", unit: "ms", better: "lower" },
  "router-rate": { title: "download through i2pd", unit: "MB/s", better: "higher" },
  "router-first": { title: "first byte through i2pd", unit: "ms", better: "lower" },
};

/** What is to hold, where `heldGoal` idle streams are asked for. */
export function goals(heldGoal: number): Goal[] {
  const both = (metric: string, peer: string, bound: number): Goal[] =>
    ["up", "down"].map((way) => ({ metric: `${metric}-${way}`, peer, bound }));
  return [
    ...both("bulk-1", "socat", 1.1),
    ...both("bulk-1", "microsocks", 6),
    ...both("bulk-1", "dante", 1.3),
    ...both("bulk-1", "copy loop", 0.9),
    ...both("bulk-64", "socat", 1),
    ...both("cpu", "socat", 1),
    ...[16, 64, 256].map((count) => ({ metric: `connects-${count}-rate`, peer: "microsocks", bound: 0.9 })),
    { metric: "connects-256-p99", peer: "microsocks", bound: 1.5 },
    { metric: "connects-1-p50", peer: "microsocks", bound: 1.3 },
    { metric: "ping-p50", bound: 0.5 },
    { metric: "ping-max", bound: 5 },
    { metric: "ping-rate", peer: OURS, peerMetric: "steady-rate", bound: 0.95 },
    { metric: "exchange-p50", bound: 2 },
    { metric: "udp-p50", peer: "dante", bound: 3 },
    { metric: "udp-back", bound: 99 },
    { metric: "udp-flood-back", peer: "dante", bound: 1 },
    { metric: "udp-flood-rate", peer: "dante", bound: 1 },
    { metric: "memory-idle", bound: 18 },
    { metric: "memory-burst", bound: 30 },
    { metric: "held", bound: heldGoal },
    { metric: "start", bound: 100 },
    { metric: "router-rate", peer: "i2pd", bound: 1 },
    { metric: "router-first", peer: "i2pd", bound: 1.1 },
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

function connectMetrics(count: number): Record<string, Metric> {
  const name = count === 1 ? "connects, one at a time" : `connects, ${count} at once`;
  return {
    [`connects-${count}-rate`]: { title: name, unit: "/s", better: "higher" },
    [`connects-${count}-p50`]: { title: `${name}, median`, unit: "ms", better: "lower" },
    [`connects-${count}-p99`]: { title: `${name}, 99 %`, unit: "ms", better: "lower" },
  };
}
