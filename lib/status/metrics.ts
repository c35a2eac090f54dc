import { type ApplicationStatus, isReady, type Snapshot, type Tally } from "./snapshot.ts";

/** A metric of an application. */
interface Metric {
  /** A counter only grows, but for a restart. */
  type: "gauge" | "counter";
  /** One sentence. */
  help: string;
  /** Labels of its values, apart from the application's name. */
  labels: readonly string[];
  /** The option without which it is not there; undefined if it always is. */
  needs: string | undefined;
  /** Its values for an application, each with its labels; undefined if the option is off. */
  values: (application: ApplicationStatus) => Value[] | undefined;
}

/** A value with its labels. None of them ever names a destination or a login. */
type Value = readonly [labels: Readonly<Record<string, string>>, value: number];

const KINDS = ["base", "group", "datagrams"] as const;
const STATES = ["building", "ready", "lost"] as const;

/** Makes metrics of a part of an application's status, which is there only with the option `needs`. */
class Metrics<Part> {
  readonly #partOf: (application: ApplicationStatus) => Part | undefined;
  readonly #needs: string | undefined;

  constructor(partOf: (application: ApplicationStatus) => Part | undefined, needs?: string) {
    this.#partOf = partOf;
    this.#needs = needs;
  }

  labelled(
    type: Metric["type"],
    help: string,
    labels: readonly string[],
    valuesOf: (part: Part) => Value[],
  ): Metric {
    const values = (application: ApplicationStatus): Value[] | undefined => {
      const part = this.#partOf(application);
      return part && valuesOf(part);
    };
    return { type, help, labels, needs: this.#needs, values };
  }

  gauge(help: string, valueOf: (part: Part) => number): Metric {
    return this.labelled("gauge", help, [], (part) => [[{}, valueOf(part)]]);
  }

  counter(help: string, valueOf: (part: Part) => number): Metric {
    return this.labelled("counter", help, [], (part) => [[{}, valueOf(part)]]);
  }

  byReason(help: string, talliesOf: (part: Part) => readonly Tally[]): Metric {
    const valuesOf = (part: Part): Value[] => talliesOf(part).map(({ reason, count }) => [{ reason }, count]);
    return this.labelled("counter", help, ["reason"], valuesOf);
  }
}

const every = new Metrics((application) => application);
const forward = new Metrics(({ callers }) => callers, "--forward");
const bind = new Metrics((application) => application.bind, "--bind");
const udp = new Metrics((application) => application.udp, "--udp");

/** What is measured of each application, by name. The manual has the same table. */
export const METRICS: Readonly<Record<string, Metric>> = {
  "i2p_socks_ready": every.gauge("Whether the application's own identity has a session.", ({ ready }) => Number(ready)),
  "i2p_socks_connections": every.gauge("Clients that are connected now.", ({ connections }) => connections),
  "i2p_socks_streams": every.gauge("Streams of clients that are open now.", ({ streams }) => streams),
  "i2p_socks_streams_opened_total": every.counter("Streams of clients that were opened.", ({ connected }) => connected),
  "i2p_socks_sent_bytes_total": every.counter(
    "Bytes from clients to sites, in streams and datagrams.",
    (a) => a.bytesSent,
  ),
  "i2p_socks_received_bytes_total": every.counter(
    "Bytes from sites to clients, in streams and datagrams.",
    (a) => a.bytesReceived,
  ),
  "i2p_socks_identities": every.labelled(
    "gauge",
    "Identities by kind (base, group, datagrams) and state (building, ready, lost).",
    ["kind", "state"],
    (application) => byState(application).map(([labels, ages]) => [labels, ages.length]),
  ),
  "i2p_socks_identity_age_seconds": every.labelled(
    "gauge",
    "Age of the oldest of these identities, since it got or lost its session.",
    ["kind", "state"],
    (application) =>
      byState(application).flatMap(([labels, ages]) => ages.length === 0 ? [] : [[labels, Math.max(...ages)]]),
  ),
  "i2p_socks_identity_clients": every.labelled(
    "gauge",
    "Clients that use an identity now, by its kind.",
    ["kind"],
    (application) =>
      kindsOf(application).map((kind) => {
        const identities = application.identities.filter((one) => one.kind === kind);
        return [{ kind }, identities.reduce((sum, { clients }) => sum + clients, 0)];
      }),
  ),
  "i2p_socks_refusals_total": every.byReason("Clients that were refused, by reason.", ({ refusals }) => refusals),
  "i2p_socks_leaks_total": every.labelled(
    "counter",
    "What the leak guard saw, by kind of leak.",
    ["leak"],
    ({ leaks }) => leaks.map(({ kind, count }) => [{ leak: kind }, count]),
  ),
  "i2p_socks_caller_streams": forward.gauge("Streams of callers from I2P that are open now.", ({ open }) => open),
  "i2p_socks_callers_total": forward.counter("Callers that have come.", ({ total }) => total),
  "i2p_socks_callers_connected_total": forward.counter("Callers that have reached a service.", (c) => c.connected),
  "i2p_socks_callers_idle_total": forward.counter(
    "Callers that were closed because nothing was sent for --caller-idle-timeout.",
    (c) => c.idle,
  ),
  "i2p_socks_callers_refused_total": forward.byReason("Callers that were turned away, by reason.", (c) => c.refused),
  "i2p_socks_caller_sent_bytes_total": forward.counter("Bytes from services to callers.", (c) => c.bytesSent),
  "i2p_socks_caller_received_bytes_total": forward.counter("Bytes from callers to services.", (c) => c.bytesReceived),
  "i2p_socks_accept_failures_total": forward.counter(
    "Times that the router would not wait for callers.",
    (c) => c.acceptFailures,
  ),
  "i2p_socks_bind_waiting": bind.gauge("Clients that wait for a caller now.", ({ waiting }) => waiting),
  "i2p_socks_bind_waits_total": bind.counter(
    "Clients that have waited for a caller, those that wait now included.",
    ({ waited }) => waited,
  ),
  "i2p_socks_bind_connected_total": bind.counter("Callers that such clients got.", ({ connected }) => connected),
  "i2p_socks_bind_denied_total": bind.counter(
    "Callers that were not whom the client waited for, or not let in.",
    ({ denied }) => denied,
  ),
  "i2p_socks_udp_associations": udp.gauge(
    "UDP associations that are open now, or wait for their session.",
    (u) => u.associations,
  ),
  "i2p_socks_udp_associations_granted_total": udp.counter("UDP associations that were granted.", (u) => u.granted),
  "i2p_socks_datagrams_total": udp.labelled(
    "counter",
    "Datagrams to the router (sent) and to clients (received).",
    ["direction"],
    ({ sent, received }) => [[{ direction: "sent" }, sent], [{ direction: "received" }, received]],
  ),
  "i2p_socks_datagrams_dropped_total": udp.byReason("Datagrams that went no further, by reason.", (u) => u.dropped),
};

/** The kinds of identities that an application may have. */
function kindsOf({ udp }: ApplicationStatus): (typeof KINDS)[number][] {
  return KINDS.filter((kind) => kind !== "datagrams" || udp !== undefined);
}

/** The ages of an application's identities, by kind and state. */
function byState(application: ApplicationStatus): [labels: { kind: string; state: string }, ages: number[]][] {
  return kindsOf(application).flatMap((kind) =>
    STATES.map((state): [{ kind: string; state: string }, number[]] => {
      const identities = application.identities.filter((one) => one.kind === kind && one.state === state);
      return [{ kind, state }, identities.map(({ ageSeconds }) => ageSeconds)];
    })
  );
}

/** What is measured of the process, by name. */
export const PROCESS_METRICS: Readonly<
  Record<string, Pick<Metric, "type" | "help"> & { labels?: readonly string[]; value: (snapshot: Snapshot) => Value }>
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
  const metrics = Object.entries(METRICS).filter(([, { needs, values }]) =>
    needs === undefined || snapshot.applications.some((application) => values(application) !== undefined)
  );
  const ofApplications = metrics.flatMap(([name, metric]) => [
    ...headLines(name, metric),
    ...snapshot.applications.flatMap((application, i) =>
      (metric.values(application) ?? []).map(([labels, value]) =>
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

function sampleLine(name: string, labels: Value[0], value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
