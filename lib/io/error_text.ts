/**
 * Whether the operating system raised an error. Deno gives many of these no class of their own, such as a full disk or
 * a path that is too long, but all of them a code such as ENOSPC.
 */
export function isSystemError(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code);
}

/** Formats an error for people, as a clause: a system error without its number and the call that failed. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [text = ""] = error.message.split(" (os error ");
  return isSystemError(error) ? text.charAt(0).toLowerCase() + text.slice(1) : error.message;
}
