/**
 * The status of a process, as `/status.json` has it. It names no login, and no destination of an application but those of
 * outcomes with `--log-destinations`.
 */
export interface Snapshot {
  /** Version of the program. */
  version: string;
  /** When it was started, as ISO 8601. */
  startedAt: string;
  /** Seconds since then, by a clock that does not jump. */
  uptimeSeconds: number;
  /** Its applications. */
  applications: ApplicationStatus[];
}

/** The status of an application. */
export interface ApplicationStatus {
  /** Its label. */
  name: string;
  /** Where it serves SOCKS, HOST:PORT each. */
  listen: string[];
  /** Its SAM bridge, HOST:PORT. */
  sam: string;
  /** The SAM version of its session. */
  samVersion: string | null;
  /** Whether its own identity has a session. */
  ready: boolean;
  /** Why it is not ready. */
  reason: string | null;
  /** What to do about it, a line each, where the router is the cause; a command among them. */
  advice: string[];
  /** Clients that are connected now. */
  connections: number;
  /** Streams that are open now. */
  streams: number;
  /** Bytes from clients to peers, those of open streams included. */
  bytesSent: number;
  /** Bytes from peers to clients, likewise. */
  bytesReceived: number;
  /** Bytes that are kept now for clients and services that do not take them. */
  bytesKept: number;
  /** Streams that were opened so far, those of BIND included. */
  connected: number;
  /** Its own identity first, then those of isolation groups, then those for datagrams. */
  identities: IdentityFacts[];
  /** Clients that were refused, by reason. */
  refusals: Tally[];
  /** What did not come out well last, the newest first; alike ones are one. */
  outcomes: Outcome[];
  /** What it gave away, by kind. */
  leaks: { kind: string; count: number; story: string; fix: string }[];
  /** Missing without `--forward`. */
  callers?: CallersStatus;
  /** Missing without `--bind`. */
  bind?: BindStatus;
  /** Missing without `--udp`. */
  udp?: UdpStatus;
}

/** What became of clients that did not get what they wanted. */
export interface Outcome {
  /** When it last came out so, as ISO 8601. */
  time: string;
  /** How often. */
  count: number;
  /** Who kept them from it: `Blocked`, `Refused`, `Connection failed`; `Ended` where there was a stream. */
  outcome: string;
  /** The reason's name. */
  reason: string;
  /** What happened, one sentence. */
  message: string;
  /** What to do about it, where that is known. */
  hint: string | null;
  /** What to do about it with either router, where that differs. */
  fix: { i2pd: string; java: string } | null;
  /** Whose identity they had, in words; null where they had none yet. */
  identity: string | null;
  /** Where they wanted to go, HOST:PORT; only with `--log-destinations`. */
  destination?: string;
}

/** How often something went no further, and why. */
export interface Tally {
  /** The reason's name. */
  reason: string;
  /** How often. */
  count: number;
  /** What the reason means, one sentence. */
  message: string;
  /** What to do about it, where that is known. */
  hint: string | null;
}

/** Callers from I2P that `--forward` brings to local services. */
export interface CallersStatus {
  /** Callers that are served now. */
  open: number;
  /** Callers that have come so far. */
  total: number;
  /** Callers that have reached a service so far. */
  connected: number;
  /** Bytes from services to callers, those of open streams included. */
  bytesSent: number;
  /** Bytes from callers to services, likewise. */
  bytesReceived: number;
  /** Callers that were closed because nothing was sent for `--caller-idle-timeout`. */
  idle: number;
  /** Callers that were turned away, by reason. */
  refused: Tally[];
  /** Times that the router would not wait for callers. */
  acceptFailures: number;
}

/** Clients that wait for a caller, with BIND. */
export interface BindStatus {
  /** Clients that wait now. */
  waiting: number;
  /** Clients that have waited so far, those that wait now included. */
  waited: number;
  /** Callers that clients got so far. */
  connected: number;
  /** Callers that were closed: not whom the client waits for, or not let in. */
  denied: number;
}

/** Associations and datagrams of an application. */
export interface UdpStatus {
  /** Associations that are open now, or wait for their session. */
  associations: number;
  /** Associations that were granted so far. */
  granted: number;
  /** Datagrams that the router was given. */
  sent: number;
  /** Datagrams that clients were given. */
  received: number;
  /** Datagrams that went no further, by reason. */
  dropped: Tally[];
}

/** The status of an identity. */
export interface IdentityFacts {
  /** Whether it is the application's own, of an isolation group, or for the datagrams of a group. */
  kind: "base" | "group" | "datagrams";
  /** Number of the isolation group; those for datagrams are numbered by themselves. */
  group: number | null;
  /** Whose it is, in words: `own identity`, `login 3`, `group 3` where more than logins sets clients apart, `datagrams 1`. */
  label: string;
  /** Whether it has a session, waits for the router's tunnels, or has lost its session. */
  state: "building" | "ready" | "lost";
  /** Why it has none. */
  reason: string | null;
  /** Its own address in I2P; without a session that of a lasting identity, which stays the same. */
  b32: string | null;
  /** Since it got or lost its session. */
  ageSeconds: number;
  /** Clients that use it now. */
  clients: number;
  /** Sites that have seen its address, at most 1000. */
  sites: number;
}

/** Whether a program can serve all of its applications. One that has none, as at its very start, cannot. */
export function isReady({ applications }: Snapshot): boolean {
  return applications.length > 0 && applications.every(({ ready }) => ready);
}

/** What `/ready` says: "ready", or a line for each application that is not, with the reason and what to do. */
export function formatReady(snapshot: Snapshot): string {
  if (isReady(snapshot)) return "ready\n";
  const lines = snapshot.applications.filter(({ ready }) => !ready).map(({ name, reason, advice }) =>
    [`${name}: ${reason}`, ...advice.map((line) => `  ${line}`), ""].join("\n")
  );
  return lines.length === 0 ? "No application is served\n" : lines.join("");
}
