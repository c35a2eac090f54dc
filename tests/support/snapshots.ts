import type { ApplicationStatus, Snapshot } from "../../lib/report/status.ts";

/** An application of a snapshot, ready and with something of everything. */
export function anApplication(parts: Partial<ApplicationStatus> = {}): ApplicationStatus {
  return {
    name: "irc",
    listen: ["127.0.0.1:4447", "[::1]:4447"],
    sam: "127.0.0.1:7656",
    samVersion: "3.1",
    ready: true,
    reason: null,
    connections: 3,
    streams: 2,
    bytesSent: 123,
    bytesReceived: 456_789,
    connected: 10,
    identities: [
      { kind: "base", group: null, state: "ready", reason: null, b32: "own.b32.i2p", ageSeconds: 65.2, clients: 1 },
      { kind: "group", group: 1, state: "lost", reason: "It went", b32: null, ageSeconds: 5, clients: 2 },
    ],
    refusals: [
      { reason: "clearnet", count: 4, message: "Not an I2P name", hint: null },
      { reason: "ip", count: 1, message: "An IP address", hint: "Remote DNS" },
    ],
    leaks: [{ kind: "http-user-agent", count: 2, story: "User-Agent names the system", fix: "Set another" }],
    ...parts,
  };
}

/** A snapshot of these applications. */
export function aSnapshot(...applications: ApplicationStatus[]): Snapshot {
  return { version: "0.1.0", startedAt: "2026-01-02T03:04:05.000Z", uptimeSeconds: 3_725.5, applications };
}
