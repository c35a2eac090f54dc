import type { Reader } from "./raw_options.ts";

/** Most characters of all options of a session: routers take lines of 4096 or 8192 bytes, key and ID included. */
export const MAX_SESSION_OPTIONS = 2048;

/** Directions of tunnels, as options of I2CP begin. */
export const DIRECTIONS = ["inbound", "outbound"] as const;

/** Tunnel options, and what I2CP calls them behind `inbound.` and `outbound.`. */
export const TUNNEL_OPTIONS = {
  length: "length",
  quantity: "quantity",
  backup: "backupQuantity",
  variance: "lengthVariance",
} as const;

/** Names of the tunnel options for both directions. */
export const TUNNEL_NAMES = Object.keys(TUNNEL_OPTIONS) as readonly (keyof typeof TUNNEL_OPTIONS)[];

/**
 * Encryption types of the lease set where none are given: X25519, and where nobody is waited for ElGamal as well, for old
 * sites. A caller's i2pd that prefers neither (2.58, a SAM client that does not say) takes ElGamal where it is there, and the
 * router that is called, which prefers the other, then drops each of its streams. i2pd's own tunnels ask for the same.
 */
const ENCRYPTION = { called: "4", calling: "4,0" } as const;

/**
 * The session's options, from the most general to the most particular: defaults, `--length` and its kin, their
 * `--inbound-` and `--outbound-` forms, `-o`. Later ones replace earlier ones, because Java I2P refuses a key given
 * twice.
 *
 * @param hasCallers whether somebody in I2P is to call it.
 */
export function sessionOptions(read: Reader, hasCallers: boolean): Record<string, string> {
  const options: Record<string, string> = {
    "i2cp.leaseSetEncType": read.value("lease-set-encryption") ?? ENCRYPTION[hasCallers ? "called" : "calling"],
    "i2p.streaming.answerPings": "false",
  };
  for (const direction of DIRECTIONS) {
    options[`${direction}.nickname`] = read.value("name");
    for (const name of TUNNEL_NAMES) {
      // Both are read in any case, so that neither goes unchecked.
      const both = read.value(name);
      options[`${direction}.${TUNNEL_OPTIONS[name]}`] = String(read.value(`${direction}-${name}`) ?? both);
    }
  }
  return { ...options, ...Object.fromEntries(read.value("o")) };
}
