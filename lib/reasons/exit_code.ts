/** How the program ends: part of its contract with scripts. */
export const ExitCode = {
  /** Done. */
  ok: 0,
  /** A failure while running. */
  failure: 1,
  /** Bad usage or configuration. */
  usage: 2,
  /** The SAM bridge is not reachable (EX_UNAVAILABLE of sysexits.h). */
  samUnreachable: 69,
  /** Cannot listen (EX_CANTCREAT). */
  cannotListen: 73,
  /** The router is not ready yet (EX_TEMPFAIL). */
  notReady: 75,
  /** A permission of a file or of the runtime is missing (EX_NOPERM). */
  noPermission: 77,
  /** Ended by SIGINT, after draining. */
  interrupted: 130,
  /** Ended by SIGTERM, after draining. */
  terminated: 143,
} as const;

/** One of {@linkcode ExitCode}. */
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];
