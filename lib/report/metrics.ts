import { type ApplicationStatus, isReady, type Snapshot } from "./status.ts";

/** A metric: what is known of it, and how it is taken from an application. */
export interface Metric {
  /** Whether it only grows, but for a restart. */
  type: "gauge" | "counter";
  /** What it is, one sentence. */
  help: string;
  /** Whether it is there only where UDP is switched on. */
  ofUdp?: boolean;
  /** Its values for an application, each with labels besides the application's name. */
  values: (application: ApplicationStatus) => [Labels, number][];
}

/** Labels of a value. None of them ever names a destination or a login. */
export type Labels = Readonly<Record<string, string>>;

const KINDS = ["base", "group"] as const;
const STATES = ["building", "ready", "lost"] as const;

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
    help: "Streams that are open now.",
    values: ({ streams }) => [[{}, streams]],
  },
  "i2p_socks_streams_opened_total": {
    type: "counter",
    help: "Streams that were opened.",
    values: ({ connected }) => [[{}, connected]],
  },
  "i2p_socks_sent_bytes_total": {
    type: "counter",
    help: "Bytes from clients to peers.",
    values: ({ bytesSent }) => [[{}, bytesSent]],
  },
  "i2p_socks_received_bytes_total": {
    type: "counter",
    help: "Bytes from peers to clients.",
    values: ({ bytesReceived }) => [[{}, bytesReceived]],
  },
  "i2p_socks_identities": {
    type: "gauge",
    help: "Identities by kind (base, group) and state (building, ready, lost).",
    values: ({ identities }) =>
      KINDS.flatMap((kind) =>
        STATES.map((state): [Labels, number] => [
          { kind, state },
          identities.filter((identity) => identity.kind === kind && identity.state === state).length,
        ])
      ),
  },
  "i2p_socks_identity_clients": {
    type: "gauge",
    help: "Clients that use an identity now, by its kind.",
    values: ({ identities }) =>
      KINDS.map((kind) => [
        { kind },
        identities.filter((identity) => identity.kind === kind).reduce((sum, { clients }) => sum + clients, 0),
      ]),
  },
  "i2p_socks_refusals_total": {
    type: "counter",
    help: "Clients that were refused, by reason.",
    values: ({ refusals }) => refusals.map(({ reason, count }) => [{ reason }, count]),
  },
  "i2p_socks_leaks_total": {
    type: "counter",
    help: "What the leak guard saw, by kind of leak.",
    values: ({ leaks }) => leaks.map(({ kind, count }) => [{ leak: kind }, count]),
  },
  "i2p_socks_udp_associations": {
    type: "gauge",
    help: "UDP associations that are open now; with --udp only, as what follows.",
    ofUdp: true,
    values: ({ udp }) => udp === undefined ? [] : [[{}, udp.associations]],
  },
  "i2p_socks_datagrams_total": {
    type: "counter",
    help: "Datagrams to the router (sent) and to clients (received).",
    ofUdp: true,
    values: ({ udp }) =>
      udp === undefined ? [] : [[{ direction: "sent" }, udp.sent], [{ direction: "received" }, udp.received]],
  },
  "i2p_socks_datagrams_dropped_total": {
    type: "counter",
    help: "Datagrams that went no further, by reason.",
    ofUdp: true,
    values: ({ udp }) => udp?.dropped.map(({ reason, count }) => [{ reason }, count]) ?? [],
  },
};

/** What is measured of the process, by name. */
export const PROCESS_METRICS: Readonly<
  Record<string, Pick<Metric, "type" | "help"> & { value: (snapshot: Snapshot) => [Labels, number] }>
> = {
  "i2p_socks_info": {
    type: "gauge",
    help: "Version of the program; the value is always 1.",
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
  const hasUdp = snapshot.applications.some(({ udp }) => udp !== undefined);
  const metrics = Object.entries(METRICS).filter(([, { ofUdp = false }]) => hasUdp || !ofUdp);
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
