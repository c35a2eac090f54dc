import { type Reason, REASONS } from "./reasons.ts";

/** A client does not get its stream. */
export class Refusal extends Error {
  /** Why. */
  readonly reason: Reason;

  /** Makes the error; `detail` replaces the table's message. */
  constructor(reason: Reason, detail?: string, cause?: unknown) {
    super(detail ?? REASONS[reason].message, { cause });
    this.name = "Refusal";
    this.reason = reason;
  }
}
