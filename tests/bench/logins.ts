import { startPrivateNet } from "../e2e/private_net.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { publishService } from "../sam_bridge/service.ts";
import { findI2pd } from "../support/e2e.ts";
import { startSite } from "../support/site.ts";
import { delay } from "../support/wait.ts";
import { firstByte } from "./first_byte.ts";
import { NO_SPARES, OURS } from "./goals.ts";
import type { Stage } from "./stage.ts";
import { startProxy, type Variant } from "./variants.ts";

/** Logins that come at once, and the spare identities that are kept for them. */
const AT_ONCE = 6;

/** First bytes of a login that has its session, in one round. */
const FIRSTS = 5;

/** Milliseconds that the double takes for tunnels. */
const TUNNELS = 1_000;

/** Where sessions come from. */
interface Place {
  /** What metrics call it. */
  name: string;
  samPort: number;
  /** Host of the site. */
  host: string;
  /** Another one, which nobody visits before. */
  otherHost: string;
  /** Flags that sessions need. */
  flags: readonly string[];
  /** Milliseconds after which spare identities have their tunnels. */
  patience: number;
  rounds: number;
  /** Has all sessions of ours end, as a restart of the router does. */
  loseSessions: () => Promise<void>;
}

/** How long a new login waits, with spare identities and without: in front of a double, and of a real router. */
export async function measureLogins(stage: Stage): Promise<void> {
  await measureDouble(stage);
  const reason = !stage.plan.router ? "skipped by --quick" : findI2pd() === undefined ? "i2pd is not installed" : "";
  if (reason !== "") return void stage.missing.set("i2pd", reason);
  await using net = await startPrivateNet({ timeout: 90_000 });
  await measurePlace(stage, {
    name: "router",
    samPort: net.samPort,
    host: net.siteB32,
    otherHost: net.siteHttpB32,
    flags: net.sessionOptions,
    patience: 25_000,
    rounds: 1,
    loseSessions: () => net.restartRouter(),
  });
}

async function measureDouble(stage: Stage): Promise<void> {
  await using site = await startSite();
  await using bridge = await startSamBridge({ sessionDelay: TUNNELS, keepLines: false });
  await using service = await publishService(bridge.port, site.port);
  await using other = await publishService(bridge.port, site.port);
  await measurePlace(stage, {
    name: "double",
    samPort: bridge.port,
    host: service.b32,
    otherHost: other.b32,
    flags: [],
    patience: 3 * TUNNELS,
    rounds: stage.plan.logins,
    loseSessions: () => Promise.resolve(bridge.dropSessions({ prefix: "i2p-socks-" })),
  });
}

async function measurePlace(stage: Stage, place: Place): Promise<void> {
  for (let round = 0; round < place.rounds; round++) {
    stage.say(`logins, ${place.name}`);
    const nothing = (): Promise<void> => Promise.resolve();
    const ours: Variant = { name: OURS, via: "", pid: undefined, revive: nothing, [Symbol.asyncDispose]: nothing };
    const lost = new Map<string, number>();
    await stage.attempt(ours, () => measureRound(place, lost));
    for (const [name, value] of lost) {
      const variant = { ...ours, name };
      await stage.attempt(variant, () => Promise.resolve({ [`login-lost-${place.name}`]: value }));
    }
  }
}

/** @param lost takes the first bytes after a loss of all sessions, by variant. */
async function measureRound(
  { name, samPort, host, otherHost, flags, patience, loseSessions }: Place,
  lost: Map<string, number>,
): Promise<Record<string, number>> {
  await using started = new AsyncDisposableStack();
  const start = async (spares: number): Promise<number> => {
    const more = ["--isolate", "auth", "--max-identities", "32", "--spare-identities", `${spares}`, ...flags];
    const { child, port } = await startProxy(samPort, more);
    started.use(child);
    return port;
  };
  const [one, six, none] = [await start(1), await start(AT_ONCE), await start(0)];
  const visit = (port: number, user: string): Promise<number> => firstByte(port, host, { user, password: "x" });
  const visitAll = async (port: number, users: readonly string[]): Promise<number> =>
    Math.max(...await Promise.all(users.map((user) => visit(port, user))));
  const known = Array.from({ length: AT_ONCE }, (_, at) => `known-${at}`);
  await Promise.all([visit(one, "known-0"), visit(none, "known-0"), visit(six, "known-0")]);
  await delay(patience);
  const times: number[] = [];
  for (let i = 0; i < FIRSTS; i++) times.push(await visit(one, "known-0"));
  times.sort((a, b) => a - b);
  const fresh = await visit(one, "new");
  const first = await firstByte(one, otherHost, { user: "known-0", password: "x" });
  // Those that are new at first have their sessions afterwards.
  const allFresh = await visitAll(six, known.map((user) => `${user}-of-six`));
  const allKnown = await visitAll(six, known.map((user) => `${user}-of-six`));
  await loseSessions();
  const [withSpares, without] = await Promise.all([visit(one, "late"), visit(none, "late")]);
  lost.set(OURS, withSpares);
  lost.set(NO_SPARES, without);
  return {
    [`login-known-${name}`]: times[FIRSTS >> 1] ?? NaN,
    [`login-new-${name}`]: fresh,
    [`login-first-${name}`]: first,
    [`login-six-${name}`]: allFresh,
    [`login-known-six-${name}`]: allKnown,
  };
}
