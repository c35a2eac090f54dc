import { type ApplicationStatus, isReady, type Snapshot, type Tally } from "./snapshot.ts";

/** A metric: what is known of it, and how it is taken from an application. */
export interface Metric {
  /** Whether it only grows, but for a restart. */
  type: "gauge" | "counter";
  /** What it is, one sentence. */
  help: string;
  /** Labels of its values, besides the application's name. @default {none} */
  labels?: readonly string[];
  /** The option without which it is not there. @default {none: it always is} */
  needs?: Switch;
  /** Its values for an application, each with its labels. */
  values: (application: ApplicationStatus) => [Labels, number][];
}

/** An option that switches on what some metrics are about. */
export type Switch = "--forward" | "--bind" | "--udp";

/** Labels of a value. None of them ever names a destination or a login. */
export type Labels = Readonly<Record<string, string>>;

const KINDS = ["base", "group", "datagrams"] as const;
const STATES = ["building", "ready", "lost"] as const;

/** Whether an application has what a switch is about. */
const HAS: Readonly<Record<Switch, (application: ApplicationStatus) => boolean>> = {
  "--forward": ({ callers }) => callers !== undefined,
  "--bind": ({ bind }) => bind !== undefined,
  "--udp": ({ udp }) => udp !== undefined,
};

/** What is measured of each application, by name. The README has the same table. */
export const METRICS: Readonly<Record<string, Metric>> = {
  "i2p_socks_ready": {
    type: "gauge",
    help: "Whether the application's own identity has a session.",
    values: ({ ready }) => [[{}, Number(ready)]],
  },
  "i2p_socks_connections": {
    type: "gauge",
    help: "Clients that are connected now.",
    values: ({ connections }) => [[{}, connections]],
  },
  "i2p_socks_streams": {
    type: "gauge",
    help: "Streams of clients that are open now.",
    values: ({ streams }) => [[{}, streams]],
  },
  "i2p_socks_streams_opened_total": {
    type: "counter",
    help: "Streams of clients that were opened.",
    values: ({ connected }) => [[{}, connected]],
  },
  "i2p_socks_sent_bytes_total": {
    type: "counter",
    help: "Bytes from clients to peers, in streams and datagrams.",
    values: ({ bytesSent }) => [[{}, bytesSent]],
  },
  "i2p_socks_received_bytes_total": {
    type: "counter",
    help: "Bytes from peers to clients, in streams and datagrams.",
    values: ({ bytesReceived }) => [[{}, bytesReceived]],
  },
  "i2p_socks_identities": {
    type: "gauge",
    help: "Identities by kind (base, group, datagrams) and state (building, ready, lost).",
    labels: ["kind", "state"],
    values: (application) =>
      kindsOf(application).flatMap((kind) =>
        STATES.map((state): [Labels, number] => [{ kind, state }, agesOf(application, kind, state).length])
      ),
  },
  "i2p_socks_identity_age_seconds": {
    type: "gauge",
    help: "Age of the oldest of these identities, since it got or lost its session.",
    labels: ["kind", "state"],
    values: (application) =>
      kindsOf(application).flatMap((kind) =>
        STATES.flatMap((state): [Labels, number][] => {
          const ages = agesOf(application, kind, state);
          return ages.length === 0 ? [] : [[{ kind, state }, Math.max(...ages)]];
        })
      ),
  },
  "i2p_socks_identity_clients": {
    type: "gauge",
    help: "Clients that use an identity now, by its kind.",
    labels: ["kind"],
    values: (application) =>
      kindsOf(application).map((kind) => [
        { kind },
        application.identities.filter((one) => one.kind === kind).reduce((sum, { clients }) => sum + clients, 0),
      ]),
  },
  "i2p_socks_refusals_total": {
    type: "counter",
    help: "Clients that were refused, by reason.",
    labels: ["reason"],
    values: ({ refusals }) => byReason(refusals),
  },
  "i2p_socks_leaks_total": {
    type: "counter",
    help: "What the leak guard saw, by kind of leak.",
    labels: ["leak"],
    values: ({ leaks }) => leaks.map(({ kind, count }) => [{ leak: kind }, count]),
  },
  "i2p_socks_caller_streams": {
    type: "gauge",
    help: "Streams of callers from I2P that are open now.",
    needs: "--forward",
    values: ({ callers }) => plain(callers?.open),
  },
  "i2p_socks_callers_total": {
    type: "counter",
    help: "Callers that have come.",
    needs: "--forward",
    values: ({ callers }) => plain(callers?.total),
  },
  "i2p_socks_callers_connected_total": {
    type: "counter",
    help: "Callers that have reached a service.",
    needs: "--forward",
    values: ({ callers }) => plain(callers?.connected),
  },
  "i2p_socks_callers_refused_total": {
    type: "counter",
    help: "Callers that were turned away, by reason.",
    labels: ["reason"],
    needs: "--forward",
    values: ({ callers }) => byReason(callers?.refused),
  },
  "i2p_socks_caller_sent_bytes_total": {
    type: "counter",
    help: "Bytes from services to callers.",
    needs: "--forward",
    values: ({ callers }) => plain(callers?.bytesSent),
  },
  "i2p_socks_caller_received_bytes_total": {
    type: "counter",
    help: "Bytes from callers to services.",
    needs: "--forward",
    values: ({ callers }) => plain(callers?.bytesReceived),
  },
  "i2p_socks_accept_failures_total": {
    type: "counter",
    help: "Times that the router would not wait for callers.",
    needs: "--forward",
    values: ({ callers }) => plain(callers?.acceptFailures),
  },
  "i2p_socks_bind_waiting": {
    type: "gauge",
    help: "Clients that wait for a caller now.",
    needs: "--bind",
    values: ({ bind }) => plain(bind?.waiting),
  },
  "i2p_socks_bind_waits_total": {
    type: "counter",
    help: "Clients that have waited for a caller, those that wait now included.",
    needs: "--bind",
    values: ({ bind }) => plain(bind?.waited),
  },
  "i2p_socks_bind_connected_total": {
    type: "counter",
    help: "Callers that such clients got.",
    needs: "--bind",
    values: ({ bind }) => plain(bind?.connected),
  },
  "i2p_socks_bind_denied_total": {
    type: "counter",
    help: "Callers that were not whom the client waited for, or not let in.",
    needs: "--bind",
    values: ({ bind }) => plain(bind?.denied),
  },
  "i2p_socks_udp_associations": {
    type: "gauge",
    help: "UDP associations that are open now, or wait for their session.",
    needs: "--udp",
    values: ({ udp }) => plain(udp?.associations),
  },
  "i2p_socks_udp_associations_granted_total": {
    type: "counter",
    help: "UDP associations that were granted.",
    needs: "--udp",
    values: ({ udp }) => plain(udp?.granted),
  },
  "i2p_socks_datagrams_total": {
    type: "counter",
    help: "Datagrams to the router (sent) and to clients (received).",
    labels: ["direction"],
    needs: "--udp",
    values: ({ udp }) =>
      udp === undefined ? [] : [[{ direction: "sent" }, udp.sent], [{ direction: "received" }, udp.received]],
  },
  "i2p_socks_datagrams_dropped_total": {
    type: "counter",
    help: "Datagrams that went no further, by reason.",
    labels: ["reason"],
    needs: "--udp",
    values: ({ udp }) => byReason(udp?.dropped),
  },
};

/** The kinds of identities that an application may have. */
function kindsOf(application: ApplicationStatus): (typeof KINDS)[number][] {
  return KINDS.filter((kind) => kind !== "datagrams" || HAS["--udp"](application));
}

/** Ages of the identities of a kind that are in a state. */
function agesOf({ identities }: ApplicationStatus, kind: string, state: string): number[] {
  return identities.filter((one) => one.kind === kind && one.state === state).map(({ ageSeconds }) => ageSeconds);
}

/** The value without a label, where there is one. */
function plain(value: number | undefined): [Labels, number][] {
  return value === undefined ? [] : [[{}, value]];
}

function byReason(tallies: readonly Tally[] = []): [Labels, number][] {
  return tallies.map(({ reason, count }) => [{ reason }, count]);
}

/** What is measured of the process, by name. */
export const PROCESS_METRICS: Readonly<
  Record<string, Pick<Metric, "type" | "help" | "labels"> & { value: (snapshot: Snapshot) => [Labels, number] }>
> = {
  "i2p_socks_info": {
    type: "gauge",
    help: "Version of the program; the value is always 1.",
    labels: ["version"],
    value: ({ version }) => [{ version }, 1],
  },
  "i2p_socks_start_time_seconds": {
    type: "gauge",
    help: "When the program was started, in seconds since 1970.",
    value: ({ startedAt }) => [{}, Date.parse(startedAt) / 1000],
  },
  "i2p_socks_all_ready": {
    type: "gauge",
    help: "Whether all applications are ready, as /ready says it.",
    value: (snapshot) => [{}, Number(isReady(snapshot))],
  },
};

/** The media type of {@linkcode formatMetrics}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Writes a snapshot in the text format of Prometheus, version 0.0.4. */
export function formatMetrics(snapshot: Snapshot): string {
  const names = uniqueNames(snapshot.applications);
  const ofProcess = Object.entries(PROCESS_METRICS).flatMap(([name, metric]) => {
    const [labels, value] = metric.value(snapshot);
    return [...headLines(name, metric), sampleLine(name, labels, value)];
  });
  const metrics = Object.entries(METRICS).filter(([, { needs }]) =>
    needs === undefined || snapshot.applications.some(HAS[needs])
  );
  const ofApplications = metrics.flatMap(([name, metric]) => [
    ...headLines(name, metric),
    ...snapshot.applications.flatMap((application, i) =>
      metric.values(application).map(([labels, value]) =>
        sampleLine(name, { application: names[i] ?? "", ...labels }, value)
      )
    ),
  ]);
  return [...ofProcess, ...ofApplications, ""].join("\n");
}

/** Two applications may have one name, but a series that occurs twice is an error. A label of SAM has no space. */
function uniqueNames(applications: readonly ApplicationStatus[]): string[] {
  const seen = new Map<string, number>();
  return applications.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} ${count}`;
  });
}

function headLines(name: string, { type, help }: Pick<Metric, "type" | "help">): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function sampleLine(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
