import { formatTable } from "../tools/readme.ts";
import { FLOOR, type Goal, judge, losses, METRICS, OURS, type Outcome, type Topic } from "./goals.ts";
import { formatNumber, type Samples, type Summary, summaryOf } from "./statistics.ts";

/** What tables are made from. */
export interface Report {
  /** What was measured. */
  samples: Samples;
  /** What is to hold. */
  goals: readonly Goal[];
  /** Why variants are missing, by name. */
  missing: ReadonlyMap<string, string>;
  /** Metrics that were asked for; the others have no rows. */
  metrics: readonly string[];
  /** Variants that are a ceiling and no peer. */
  ceilings: readonly string[];
}

/** The table of goals in Markdown: ours, the peer, the ratio of the medians, and whether that is enough. */
export function goalsTable(report: Report): string {
  const rows = asked(report).map((goal) => {
    const outcome = judge(goal, report.samples);
    const { title = goal.metric, unit = "" } = METRICS[goal.metric] ?? {};
    const peer = goal.peer === OURS ? METRICS[goal.peerMetric ?? ""]?.title ?? "" : goal.peer;
    const theirs = goal.peer === undefined
      ? bystanders(goal.metric, report)
      : `${peer} ${spread(outcome.theirs, "")}`.trim();
    const ratio = goal.peer === undefined || outcome.value === undefined ? "" : `${outcome.value.toFixed(2)} x`;
    return [title, spread(outcome.ours, unit), theirs, ratio, boundOf(goal), verdict(outcome, report)];
  });
  return formatTable([["what", OURS, "compared with", "ratio", "goal", "reached"], ...rows]);
}

/** A goal, and what came of it. */
export interface GoalRow {
  /** What it is about. */
  topic: Topic;
  /** What was measured, in words. */
  what: string;
  /** Unit of the numbers. */
  unit: string;
  /** Numbers of ours. */
  ours: Summary | undefined;
  /** Whom ours is compared with; undefined where the bound is in the unit. */
  peer: string | undefined;
  /** What of the peer was measured, in words. */
  peerWhat: string | undefined;
  /** Numbers of the peer. */
  theirs: Summary | undefined;
  /** What is compared with the bound. */
  value: number | undefined;
  /** The bound, with which end of the scale is good. */
  goal: string;
  /** `yes`, `no`, or why it was not measured. */
  reached: string;
}

/** All goals with what came of them, those too that were not measured. */
export function goalRows(report: Report): GoalRow[] {
  return report.goals.map((goal) => {
    const outcome = judge(goal, report.samples);
    const { title = goal.metric, unit = "" } = METRICS[goal.metric] ?? {};
    const peerWhat = goal.peerMetric && METRICS[goal.peerMetric]?.title;
    return {
      topic: goal.topic,
      what: title,
      unit,
      ours: outcome.ours,
      peer: goal.peer,
      peerWhat,
      theirs: outcome.theirs,
      value: outcome.value,
      goal: boundOf(goal),
      reached: verdict(outcome, report).replaceAll("*", ""),
    };
  });
}

/** Goals that the README shows: the others are in the table of all goals. */
const SHOWN: readonly (readonly [metric: string, peer?: string])[] = [
  ["bulk-1-down", "microsocks"],
  ["bulk-64-down", "socat"],
  ["connects-64-rate", FLOOR],
  ["memory-idle"],
  ["start"],
  ["router-first", "i2pd"],
];

/** Six rows for the README: ours, a peer, and the ratio of the medians; and how many goals are reached. */
export function readmeTable(report: Report): string {
  const rows = SHOWN.flatMap(([metric, peer]) => {
    const goal = report.goals.find((one) => one.metric === metric && one.peer === peer);
    if (goal === undefined) return [];
    const outcome = judge(goal, report.samples);
    const { title = metric, unit = "" } = METRICS[metric] ?? {};
    const theirs = peer === undefined ? bystanders(metric, report) : `${peer} ${spread(outcome.theirs, "")}`.trim();
    const ratio = peer === undefined || outcome.value === undefined ? "" : `${outcome.value.toFixed(2)} x`;
    return [[title, spread(outcome.ours, unit), theirs, ratio]];
  });
  return `${formatTable([["what", OURS, "compared with", "ratio"], ...rows])}\n${countText(report)}`;
}

/** The table of all medians in Markdown, a column for each variant. */
export function mediansTable({ samples, metrics }: Report): string {
  const names = [...new Set([...samples.values()].flatMap((byVariant) => [...byVariant.keys()]))];
  const rows = metrics.filter((metric) => samples.has(metric)).map((metric) => {
    const { title = metric, unit = "" } = METRICS[metric] ?? {};
    return [`${title}, ${unit}`, ...names.map((name) => spread(summaryOf(samples, metric, name), ""))];
  });
  return formatTable([["median (min .. max)", ...names], ...rows]);
}

/** Lists in Markdown of the goals that are missed, of where a peer is better, and of who is missing. */
export function lossesText(report: Report): string {
  const lost = losses(report.samples, report.ceilings).filter(({ metric }) => report.metrics.includes(metric));
  const byPeer = Map.groupBy(lost, ({ peer }) => peer);
  const lines = [...byPeer].map(([peer, all]) =>
    `- ${peer}: ${all.map(({ metric, ratio }) => `${METRICS[metric]?.title} (${ratio.toFixed(2)} x)`).join("; ")}\n`
  );
  const absent = [...report.missing].map(([name, reason]) => `- ${name}: ${reason}\n`);
  return [
    countText(report),
    ...(lines.length === 0 ? [] : [`Where a peer is better:\n\n${lines.join("")}`]),
    ...(absent.length === 0 ? [] : [`Missing:\n\n${absent.join("")}`]),
  ].join("\n");
}

function countText(report: Report): string {
  const outcomes = asked(report).map((goal) => judge(goal, report.samples).isReached);
  const count = (wanted: boolean | undefined): number => outcomes.filter((isReached) => isReached === wanted).length;
  return `Goals: ${count(true)} reached, ${count(false)} missed, ${count(undefined)} not measured.\n`;
}

/** The goals whose metric was asked for. */
function asked({ goals, metrics }: Report): Goal[] {
  return goals.filter(({ metric }) => metrics.includes(metric));
}

/** The medians of others, for a goal that does not depend on them: what the machine itself adds is in them too. */
function bystanders(metric: string, { samples }: Report): string {
  const others = [...samples.get(metric)?.keys() ?? []].filter((name) => name !== OURS);
  return others.map((name) => `${name} ${formatNumber(summaryOf(samples, metric, name)?.median ?? NaN)}`).join(", ");
}

function verdict({ goal, ours, isReached }: Outcome, { missing }: Report): string {
  if (isReached !== undefined) return isReached ? "yes" : "**no**";
  const absent = ours === undefined ? [OURS, goal.peer ?? ""] : [goal.peer ?? ""];
  const [who] = absent.filter((name) => missing.has(name));
  return who === undefined ? "not measured" : `${who}: ${missing.get(who)}`;
}

function boundOf({ metric, peer, bound }: Goal): string {
  const { better = "higher", unit = "" } = METRICS[metric] ?? {};
  return `${better === "higher" ? "at least" : "at most"} ${bound} ${peer === undefined ? unit : "x"}`;
}

function spread(summary: Summary | undefined, unit: string): string {
  if (summary === undefined) return "";
  const { median, min, max, count } = summary;
  const range = count === 1 ? "" : ` (${formatNumber(min)} .. ${formatNumber(max)})`;
  return `${formatNumber(median)}${unit && ` ${unit}`}${range}`;
}
