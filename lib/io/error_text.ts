/**
 * Whether the operating system raised an error. Deno gives many of these no class of their own, such as a full disk or
 * a path that is too long, but nearly all of them a code such as ENOSPC, and the others, such as EFBIG, their number.
 */
export function isSystemError(error: unknown): error is Error & { code?: string } {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? /^E[A-Z0-9]+$/.test(code) : / \(os error \d+\)/.test(error.message);
}

/** Codes of errors that say that there is no room for more, on a disk or in a file. */
const NO_ROOM: readonly string[] = ["ENOSPC", "EDQUOT", "EFBIG"];

/** Whether there is no room for more on a disk, or in a file that may not grow. It passes where others make some. */
export function isNoRoom(error: unknown): boolean {
  if (!isSystemError(error)) return false;
  // EFBIG of Linux and macOS.
  return error.code === undefined ? error.message.includes("(os error 27)") : NO_ROOM.includes(error.code);
}

/** Formats an error for people, as a clause: a system error without its number and the call that failed. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [text = ""] = error.message.split(" (os error ");
  return isSystemError(error) ? text.charAt(0).toLowerCase() + text.slice(1) : error.message;
}
