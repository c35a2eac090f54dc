/** What may tell clients apart, in Tor's words. */
export const ISOLATION_FLAGS = ["auth", "destination", "port", "client", "stream"] as const;

/** One of {@linkcode ISOLATION_FLAGS}. */
export type IsolationFlag = typeof ISOLATION_FLAGS[number];

/** What the leak guard does about what an application gives away. */
export const LEAK_MODES = ["off", "warn", "block"] as const;

/** One of {@linkcode LEAK_MODES}. */
export type LeakMode = typeof LEAK_MODES[number];

/** Protocols that can be rewritten. */
export const SCRUB_PROTOCOLS = ["irc", "http"] as const;

/** One of {@linkcode SCRUB_PROTOCOLS}. */
export type ScrubProtocol = typeof SCRUB_PROTOCOLS[number];
