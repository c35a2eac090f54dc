import type { ApplicationStatus, Snapshot } from "../../lib/status/snapshot.ts";

/** An application of a snapshot, ready and with something of everything. */
export function anApplication(parts: Partial<ApplicationStatus> = {}): ApplicationStatus {
  return {
    name: "irc",
    listen: ["127.0.0.1:4447", "[::1]:4447"],
    sam: "127.0.0.1:7656",
    samVersion: "3.1",
    ready: true,
    reason: null,
    advice: [],
    connections: 3,
    streams: 2,
    bytesSent: 123,
    bytesReceived: 456_789,
    bytesKept: 0,
    connected: 10,
    identities: [
      {
        kind: "base",
        group: null,
        label: "own identity",
        state: "ready",
        reason: null,
        b32: "own.b32.i2p",
        ageSeconds: 65.2,
        clients: 1,
        sites: 3,
      },
      {
        kind: "group",
        group: 1,
        label: "login 1",
        state: "lost",
        reason: "It went",
        b32: null,
        ageSeconds: 5,
        clients: 2,
        sites: 1,
      },
    ],
    refusals: [
      { reason: "clearnet", count: 4, message: "Not an I2P name", hint: null },
      { reason: "ip", count: 1, message: "An IP address", hint: "Remote DNS" },
    ],
    outcomes: [{
      time: "2026-01-02T03:59:59.000Z",
      count: 4,
      outcome: "Blocked",
      reason: "clearnet",
      message: "Not an I2P name",
      hint: null,
      fix: null,
      identity: "login 1",
    }],
    leaks: [{ kind: "http-user-agent", count: 2, story: "User-Agent names the system", fix: "Set another" }],
    ...parts,
  };
}

/** An application that does all that options switch on besides CONNECT. */
export function aServingApplication(parts: Partial<ApplicationStatus> = {}): ApplicationStatus {
  const { identities, ...rest } = anApplication();
  return {
    ...rest,
    name: "game",
    identities: [
      ...identities,
      {
        kind: "datagrams",
        group: 1,
        label: "datagrams 1",
        state: "ready",
        reason: null,
        b32: "udp.b32.i2p",
        ageSeconds: 12.5,
        clients: 2,
        sites: 2,
      },
      {
        kind: "datagrams",
        group: 3,
        label: "datagrams 3",
        state: "ready",
        reason: null,
        b32: "one.b32.i2p",
        ageSeconds: 99,
        clients: 0,
        sites: 0,
      },
      {
        kind: "datagrams",
        group: 4,
        label: "datagrams 4",
        state: "lost",
        reason: "It went too",
        b32: null,
        ageSeconds: 3,
        clients: 1,
        sites: 1000,
      },
    ],
    callers: {
      open: 2,
      total: 40,
      connected: 31,
      idle: 2,
      bytesSent: 1_234_567,
      bytesReceived: 3_072,
      refused: [
        { reason: "denied", count: 6, message: "Not let in", hint: null },
        { reason: "service-down", count: 1, message: "The service did not take it", hint: "Is it running?" },
      ],
      acceptFailures: 5,
    },
    bind: { waiting: 1, waited: 4, connected: 2, denied: 3 },
    udp: {
      associations: 3,
      granted: 9,
      sent: 7,
      received: 5,
      dropped: [{
        reason: "too-large",
        count: 3,
        message: "Larger than a datagram can be",
        hint: "At most 31744 bytes",
      }],
    },
    ...parts,
  };
}

/** A snapshot of these applications. */
export function aSnapshot(...applications: ApplicationStatus[]): Snapshot {
  return { version: "0.1.0", startedAt: "2026-01-02T03:04:05.000Z", uptimeSeconds: 3_725.5, applications };
}
