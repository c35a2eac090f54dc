import config from "../../deno.json" with { type: "json" };
import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { REASONS } from "../reasons/reasons.ts";
import type { Log } from "../report/log.ts";
import type { Snapshot } from "../status/snapshot.ts";
import { type Application, listen } from "./application.ts";
import { requireNet } from "../command/permissions.ts";
import { StatusServer } from "../status/server.ts";

/** Takes snapshots of a process, which begins with this object. */
export class SnapshotTaker {
  readonly #startedAt = new Date();
  readonly #since = performance.now();

  /** Current status of everything. While the process is ending, none of its applications is ready. */
  take(applications: Iterable<Application>, isEnding: boolean): Snapshot {
    return {
      version: config.version,
      startedAt: this.#startedAt.toISOString(),
      uptimeSeconds: Math.round(performance.now() - this.#since) / 1000,
      applications: [...applications].map(({ status }) =>
        isEnding ? { ...status, ready: false, reason: REASONS.stopping.message } : status
      ),
    };
  }
}

/**
 * Serves the status. It listens at once, while that is still permitted: an open listener goes on when permissions are
 * given back.
 *
 * @throws {CliError} if it cannot listen.
 */
export function serveStatus(endpoint: Endpoint, snapshot: () => Snapshot, log: Log): StatusServer {
  requireNet(endpoint, "--status");
  const listener = listen(endpoint, "--status");
  log.info(`Serving the status at http://${formatEndpoint(listener.addr)}/`);
  return new StatusServer(listener, snapshot);
}
