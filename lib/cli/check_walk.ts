import type { Signal } from "../io/signal.ts";
import { formatDuration } from "../config/duration.ts";
import type { Endpoint } from "../config/endpoint.ts";
import { Deadline, TimeoutError } from "../io/deadline.ts";
import { type Fix, fixLines, type Reason, REASONS } from "../reasons/reasons.ts";
import { refusalOf } from "../reasons/classify.ts";
import { SamError } from "../sam/error.ts";
import { describeSamError } from "../command/sam_error.ts";
import type { Terminal } from "../command/terminal.ts";

/** A step of a check. */
export interface Step {
  /** What it is called in JSON. */
  name: string;
  /** What it is called for people. */
  title: string;
  /** Why it fails when its time is over. */
  late: Reason;
  /** What that says to people. @default {the message of the reason} */
  lateSays?: string;
  /** Milliseconds for it alone. @default {Infinity} */
  limit?: number;
  /** Whether the next one is tried although it failed for that reason. @default {no} */
  passable?: (reason: Reason) => boolean;
  /** Takes it; resolves to what was found. */
  run: (signal: Signal) => Promise<string>;
}

/** What came of a step. */
interface Finding {
  /** Name of the step. */
  step: string;
  /** Whether all is well. */
  ok: boolean;
  /** How long it took. */
  milliseconds: number;
  /** What was found, one clause. */
  says: string;
  /** Why it failed. */
  reason?: Reason;
  /** What to do about it, where that is known. */
  fix?: Fix;
}

/** A step failed, and it is known why. */
export class Fault extends Error {
  /** Why. */
  readonly reason: Reason;
  /** What to do about it; undefined where the reason says it all. */
  readonly fix: Fix | undefined;

  /** Takes the message of the reason; `detail` replaces the message of the reason, and `fix` its usual fix. */
  constructor(reason: Reason, detail?: string, fix?: Fix) {
    super(detail ?? REASONS[reason].message);
    this.name = "Fault";
    this.reason = reason;
    this.fix = fix;
  }
}

/**
 * Takes steps one after the other, up to the first one that fails and keeps the next from being tried.
 *
 * @param endpoint the SAM bridge that it is about.
 * @param found called with each one.
 */
export async function walk(
  steps: readonly Step[],
  endpoint: Endpoint,
  signal: Signal,
  terminal: Terminal,
  found: (step: Step, finding: Finding) => void,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const step of steps) {
    const finding = await take(step, endpoint, signal, terminal);
    findings.push(finding);
    found(step, finding);
    if (finding.reason !== undefined && (signal.aborted || !step.passable?.(finding.reason))) break;
  }
  return findings;
}

/** A finding for people: a line, and those of its fix for the router, or for each where that is unknown. */
export function describeFinding(
  { title }: Step,
  { ok, says, milliseconds, fix }: Finding,
  router: string | undefined,
): string[] {
  const took = milliseconds < 1000 ? `${milliseconds} ms` : formatDuration(milliseconds);
  return [
    `${ok ? "✓" : "✗"} ${title}: ${says} (${took})`,
    ...(fix === undefined ? [] : fixLines(fix, router).map((line) => `  ${line}`)),
  ];
}

async function take(step: Step, endpoint: Endpoint, signal: Signal, terminal: Terminal): Promise<Finding> {
  const since = performance.now();
  const milliseconds = (): number => Math.round(performance.now() - since);
  const show = (): void => terminal.status(`… ${step.title}: ${formatDuration(milliseconds())}`);
  const ticker = setInterval(show, 1000);
  try {
    using limit = new Deadline(step.limit ?? Infinity, signal);
    const says = await step.run(limit);
    return { step: step.name, ok: true, milliseconds: milliseconds(), says };
  } catch (error) {
    const { reason, says } = explain(error, step, endpoint);
    const fix = error instanceof Fault && error.fix || REASONS[reason].fix;
    return { step: step.name, ok: false, milliseconds: milliseconds(), says, reason, ...(fix && { fix }) };
  } finally {
    clearInterval(ticker);
    terminal.status("");
  }
}

function explain(error: unknown, { late, lateSays }: Step, endpoint: Endpoint): { reason: Reason; says: string } {
  if (error instanceof TimeoutError) return { reason: late, says: lateSays ?? REASONS[late].message };
  if (error instanceof Fault) return { reason: error.reason, says: error.message };
  if (!(error instanceof SamError)) throw error;
  return { reason: refusalOf(error).reason, says: describeSamError(error, endpoint) };
}
