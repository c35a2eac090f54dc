/** What is wrong with a key or its file. */
export type KeyProblem = "missing" | "exists" | "in-use" | "permissions" | "unreadable" | "unwritable" | "bad-name";

/** An operation on a key store failed; no key was lost by it. */
export class KeyStoreError extends Error {
  /** What is wrong. */
  readonly problem: KeyProblem;
  /** What the user can do. */
  readonly hint: string | undefined;

  constructor(problem: KeyProblem, message: string, hint?: string) {
    super(message);
    this.name = "KeyStoreError";
    this.problem = problem;
    this.hint = hint;
  }
}
