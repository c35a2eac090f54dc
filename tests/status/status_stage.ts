import { encodeBase64 } from "@std/encoding/base64";
import { LEAKS } from "../../lib/guard/leak.ts";
import { OUTCOMES, type Reason, REASONS } from "../../lib/reasons/reasons.ts";
import { CALLER_REFUSALS } from "../../lib/reasons/caller_refusals.ts";
import { DROPS } from "../../lib/reasons/datagram_drops.ts";
import { PAGE } from "../../lib/status/page.ts";

/** An identity in `/status.json`. */
export interface StagedIdentity {
  kind: "base" | "group" | "datagrams";
  group: null | number;
  label: string;
  state: "building" | "ready" | "lost";
  reason: null | string;
  b32: null | string;
  ageSeconds: number;
  clients: number;
}

/** An application in `/status.json`. */
export interface StagedApplication {
  name: string;
  listen: string[];
  sam: string;
  samVersion: null | string;
  ready: boolean;
  reason: null | string;
  advice: string[];
  connections: number;
  streams: number;
  bytesSent: number;
  bytesReceived: number;
  bytesKept: number;
  connected: number;
  identities: StagedIdentity[];
  outcomes: StagedOutcome[];
  refusals: StagedTally[];
  leaks: { kind: string; count: number; story: string; fix: string }[];
  callers?: {
    open: number;
    total: number;
    connected: number;
    idle: number;
    bytesSent: number;
    bytesReceived: number;
    refused: StagedTally[];
    acceptFailures: number;
  };
  bind?: { waiting: number; waited: number; connected: number; denied: number };
  udp?: { associations: number; granted: number; sent: number; received: number; dropped: StagedTally[] };
}

/** An outcome in `/status.json`. */
export interface StagedOutcome {
  time: string;
  count: number;
  outcome: string;
  reason: string;
  message: string;
  hint: null | string;
  fix: null | { i2pd: string; java: string };
  identity: null | string;
  destination?: string;
}

/** A reason in `/status.json`, with how often it came up. */
export interface StagedTally {
  reason: string;
  count: number;
  message: string;
  hint: null | string;
}

/** What `/status.json` answers. */
export interface StagedStatus {
  version: string;
  startedAt: string;
  uptimeSeconds: number;
  applications: StagedApplication[];
}

/** A base32 address of a letter. */
export function b32(letter: string): string {
  return `${letter}${"abcdefghijklmnopqrstuvwxyz234567".repeat(2).slice(0, 51)}.b32.i2p`;
}

/** An application that is ready, with a main identity and a group, refusals and a leak. */
export function readyApplication(changes: Partial<StagedApplication> = {}): StagedApplication {
  return {
    name: "browser",
    listen: ["127.0.0.1:4447", "[::1]:4447"],
    sam: "127.0.0.1:7656",
    samVersion: "3.1",
    ready: true,
    reason: null,
    advice: [],
    connections: 14,
    streams: 11,
    bytesSent: 3_481_226,
    bytesReceived: 94_630_871,
    bytesKept: 0,
    connected: 1_284,
    identities: [
      {
        kind: "base",
        group: null,
        label: "own identity",
        state: "ready",
        reason: null,
        b32: b32("k"),
        ageSeconds: 15_210,
        clients: 8,
      },
      {
        kind: "group",
        group: 1,
        label: "login 1",
        state: "ready",
        reason: null,
        b32: b32("q"),
        ageSeconds: 724,
        clients: 3,
      },
      {
        kind: "group",
        group: 2,
        label: "login 2",
        state: "building",
        reason: null,
        b32: null,
        ageSeconds: 5.2,
        clients: 1,
      },
    ],
    outcomes: [outcome("clearnet", 37, "own identity"), outcome("name-unknown", 2, "login 2")],
    refusals: [
      tally(REASONS, "clearnet", 37),
      tally(REASONS, "ip", 4),
      tally(REASONS, "name-unknown", 2),
    ],
    leaks: [leak("http-user-agent", 12)],
    ...changes,
  };
}

/** An application whose router is away. */
export function lostApplication(changes: Partial<StagedApplication> = {}): StagedApplication {
  return {
    name: "irc",
    listen: ["127.0.0.1:4448"],
    sam: "127.0.0.1:7657",
    samVersion: null,
    ready: false,
    reason: REASONS["router-down"].message,
    advice: ["Start it", "i2p-socks check --sam 127.0.0.1:7657 looks for the cause"],
    connections: 1,
    streams: 0,
    bytesSent: 20_480,
    bytesReceived: 512,
    bytesKept: 0,
    connected: 9,
    identities: [{
      kind: "base",
      group: null,
      label: "own identity",
      state: "lost",
      reason: REASONS["router-down"].message,
      b32: null,
      ageSeconds: 42,
      clients: 1,
    }],
    outcomes: [],
    refusals: [],
    leaks: [],
    ...changes,
  };
}

/** A lasting identity without a session: its address is known all the same. */
export function lostLasting(): StagedIdentity {
  const [identity] = lostApplication().identities;
  if (identity === undefined) throw new TypeError("It has one");
  return { ...identity, b32: b32("z") };
}

/** An application that serves into I2P, has a client that waits for a caller, and carries datagrams. */
export function servingApplication(changes: Partial<StagedApplication> = {}): StagedApplication {
  return {
    ...readyApplication(),
    name: "game",
    listen: ["127.0.0.1:4449"],
    identities: [
      {
        kind: "base",
        group: null,
        label: "own identity",
        state: "ready",
        reason: null,
        b32: b32("g"),
        ageSeconds: 7_210,
        clients: 1,
      },
      {
        kind: "datagrams",
        group: 1,
        label: "datagrams 1",
        state: "ready",
        reason: null,
        b32: b32("u"),
        ageSeconds: 95,
        clients: 2,
      },
      {
        kind: "datagrams",
        group: 2,
        label: "datagrams 2",
        state: "building",
        reason: null,
        b32: null,
        ageSeconds: 4,
        clients: 1,
      },
    ],
    outcomes: [],
    refusals: [],
    leaks: [],
    callers: {
      open: 3,
      total: 1_041,
      connected: 998,
      idle: 0,
      bytesSent: 52_428_800,
      bytesReceived: 1_310_720,
      refused: [tally(CALLER_REFUSALS, "denied", 36), tally(CALLER_REFUSALS, "service-down", 4)],
      acceptFailures: 0,
    },
    bind: { waiting: 1, waited: 6, connected: 4, denied: 2 },
    udp: {
      associations: 3,
      granted: 17,
      sent: 20_480,
      received: 18_211,
      dropped: [tally(DROPS, "too-large", 12), tally(DROPS, "unclaimed", 5)],
    },
    ...changes,
  };
}

/** A status with these applications. */
export function statusOf(applications: StagedApplication[], uptimeSeconds = 15_214): StagedStatus {
  return { version: "0.1.0", startedAt: "2026-01-02T03:04:05.000Z", uptimeSeconds, applications };
}

function tally<Name extends string>(
  table: Readonly<Record<Name, { message: string; hint: string | null }>>,
  reason: Name,
  count: number,
): StagedTally {
  const { message, hint } = table[reason];
  return { reason, count, message, hint: hint ?? REASONS[reason as unknown as Reason]?.sign?.fix ?? null };
}

function outcome(reason: Reason, count: number, identity: string): StagedOutcome {
  const { message, hint, fix, sign, outcome } = REASONS[reason];
  const time = "2026-01-02T03:04:50.000Z";
  return { time, count, outcome: OUTCOMES[outcome], reason, message, hint: hint ?? sign?.fix ?? null, fix, identity };
}

function leak(kind: "http-user-agent", count: number): StagedApplication["leaks"][number] {
  const { message: story, fix } = LEAKS[kind];
  return { kind, count, story, fix };
}

/** A server of the status page whose answers a test decides. */
export interface StatusStage extends AsyncDisposable {
  /** The address of the page. */
  readonly url: string;
  /** What `/status.json` answers; asked for each answer. */
  answer: () => Response | Promise<Response>;
  /** Changes the page, to see that something wrong in it is noticed. */
  change: (page: string) => string;
}

/** Serves the status page under its policy, on a free port. */
export function startStatusStage(first: StagedStatus): StatusStage {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/status.json") return await stage.answer();
    if (pathname !== "/") return new Response("Not found", { status: 404 });
    return new Response(stage.change(PAGE), {
      headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": await policyOf(PAGE) },
    });
  });
  const stage: StatusStage = {
    url: `http://127.0.0.1:${server.addr.port}/`,
    answer: () => Response.json(first),
    change: (page) => page,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return stage;
}

/** The strictest policy that the page works under: its style and its script by their hashes, and its own origin. */
async function policyOf(page: string): Promise<string> {
  const hashOf = async (element: string): Promise<string> => {
    const [, text = ""] = new RegExp(`<${element}\\b[^>]*>([^]*)</${element}>`).exec(page) ?? [];
    return `'sha256-${encodeBase64(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))}'`;
  };
  return `default-src 'none'; connect-src 'self'; style-src ${await hashOf("style")}; ` +
    `script-src ${await hashOf("script")}; base-uri 'none'; frame-ancestors 'none'; form-action 'none'`;
}
