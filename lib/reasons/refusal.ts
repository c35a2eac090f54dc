import { type Reason, REASONS } from "./reasons.ts";

/** A client does not get its stream. */
export class Refusal extends Error {
  /** Why. */
  readonly reason: Reason;

  /** Takes the message from the table, or `detail` in its place. */
  constructor(reason: Reason, detail?: string, cause?: unknown) {
    super(detail ?? REASONS[reason].message, { cause });
    this.name = "Refusal";
    this.reason = reason;
  }
}
