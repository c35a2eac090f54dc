/** What may tell clients apart, in Tor's words. */
export const ISOLATION_FLAGS = ["auth", "destination", "port", "client", "stream"] as const;

/** One of {@linkcode ISOLATION_FLAGS}. */
export type IsolationFlag = typeof ISOLATION_FLAGS[number];
