import type { ApplicationSettings } from "../config/settings.ts";
import { countFreeDescriptors } from "../io/descriptors.ts";
import { type Capacity, MAX_SURPLUS } from "../proxy/admission.ts";
import { MAX_WARM } from "../sam/warm_sockets.ts";
import { MAX_STATUS_ANSWERED, MAX_STATUS_REQUESTS } from "../status/server.ts";
import type { Log } from "../report/log.ts";

/** File descriptors of a stream, or of a caller: one to each side. */
const A_STREAM = 2;

/** File descriptors kept for what comes and goes beside streams: key files, look-ups, and streams about to close. */
export const SPARE_DESCRIPTORS = 32;

/** File descriptors with which the program goes on in any case, however few there are. */
const LEAST = 8;

/** What a capacity depends on. */
export type Sized = Pick<ApplicationSettings, "name" | "listen" | "limits" | "forward" | "udp">;

/** Divides the file descriptors of the process among its applications, where there are fewer than their limits promise. */
export class DescriptorBudget {
  /** What all applications would need. */
  readonly #needed: number;
  /** What there is for them; no less than they need where it is enough or unknown. */
  readonly #available: number;

  /**
   * @param count counts free descriptors up to a number; undefined where that is unknown.
   * @param connections clients and callers that are connected, whose descriptors will be free again.
   */
  constructor(
    applications: readonly Sized[],
    hasStatus: boolean,
    count: typeof countFreeDescriptors = countFreeDescriptors,
    connections = 0,
  ) {
    const own = SPARE_DESCRIPTORS + (hasStatus ? 1 + MAX_STATUS_REQUESTS + MAX_STATUS_ANSWERED : 0);
    this.#needed = applications.reduce((sum, settings) => sum + needOf(settings), 0);
    const free = (count(own + this.#needed) ?? Infinity) + A_STREAM * connections;
    // What the program needs for itself is the last to be given up, but half of little is for clients.
    const left = free - Math.min(own, Math.floor(free / 2));
    this.#available = Math.min(this.#needed, Math.max(LEAST, left));
  }

  /** What an application can have, the one of a later configuration too. */
  capacityOf(settings: Sized): Capacity {
    const { limits: { connections }, forward } = settings;
    if (this.#available >= this.#needed) {
      return { connections, inbound: forward?.maxInbound ?? 0, surplus: MAX_SURPLUS, warm: MAX_WARM, isShort: false };
    }
    const share = Math.floor(needOf(settings) * this.#available / this.#needed);
    const surplus = Math.min(MAX_SURPLUS, Math.max(2, Math.floor(share / 4)));
    const fixed = Math.min(fixedOf(settings), Math.floor(share / 4));
    const places = Math.floor((share - surplus - fixed) / A_STREAM);
    const inbound = forward?.maxInbound ?? 0;
    const held = Math.max(1, Math.floor(places * connections / (connections + inbound)));
    return { connections: held, inbound: Math.max(1, places - held), surplus, warm: 0, isShort: true };
  }

  /** Says at the start which limit does not fit, and what to do about it. */
  warn(applications: readonly Sized[], log: Log): void {
    if (this.#available >= this.#needed) return;
    const held = applications.map((settings) => {
      const { connections } = this.capacityOf(settings);
      const name = applications.length === 1 ? "" : ` of "${settings.name}"`;
      return `${connections} clients${name} in place of ${settings.limits.connections}`;
    });
    // Room for what the process has open already, in a number that is easy to type.
    const limit = 2 ** Math.ceil(Math.log2(this.#needed + 2 * SPARE_DESCRIPTORS + MAX_STATUS_ANSWERED));
    log.warn(`Too few file descriptors for --max-connections: there is room for ${held.join(", ")}`, {
      hint: `Type ulimit -n ${limit} before the start, or set LimitNOFILE=${limit} in the unit`,
    });
  }
}

function needOf(settings: Sized): number {
  const { limits: { connections }, forward } = settings;
  const streams = connections + (forward?.maxInbound ?? 0);
  return fixedOf(settings) + A_STREAM * streams + MAX_SURPLUS + MAX_WARM;
}

/** Listeners with a client each that waits for room, and the sockets of sessions: one for datagrams has a port besides. */
function fixedOf({ listen, limits: { identities }, udp }: Sized): number {
  return 2 * listen.length + (1 + identities) * (udp.enabled ? 3 : 1);
}
