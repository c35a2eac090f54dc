import type { Reader } from "./raw_options.ts";
import { integer, parseEncryption, parseLabel, parseOption } from "./values.ts";

/** Most characters of all options of a session: routers take lines of 4096 or 8192 bytes, key and ID included. */
export const MAX_SESSION_OPTIONS = 2048;

/** What an application is called that has no name. */
export const DEFAULT_LABEL: string = "i2p-socks";

/**
 * The session's options, from the most general to the most particular: defaults, `--length` and its kin, their
 * `--inbound-` and `--outbound-` forms, `-o`. Later ones replace earlier ones, for Java I2P refuses a key given twice.
 */
export function sessionOptions(read: Reader): Record<string, string> {
  const options: Record<string, string> = {
    "i2cp.leaseSetEncType": read.last("lease-set-encryption", parseEncryption) ?? "4,0",
    "i2p.streaming.answerPings": "false",
  };
  const label = read.last("name", parseLabel) ?? DEFAULT_LABEL;
  for (const direction of DIRECTIONS) {
    options[`${direction}.nickname`] = label;
    for (const [flag, { key, fallback, parse }] of Object.entries(TUNNEL_OPTIONS)) {
      // Both are read in any case, so that neither goes unchecked.
      const both = read.last(flag, parse) ?? fallback;
      options[`${direction}.${key}`] = String(read.last(`${direction}-${flag}`, parse) ?? both);
    }
  }
  return { ...options, ...Object.fromEntries(read.all("o", parseOption) ?? []) };
}

/** Of tunnels, as options of I2CP begin. */
export const DIRECTIONS = ["inbound", "outbound"] as const;

/** Tunnel options by flag. Both are always sent: i2pd builds five tunnels where a client names no number. */
export const TUNNEL_OPTIONS: Readonly<
  Record<string, { key: string; fallback: number; parse: (text: string) => number }>
> = {
  length: { key: "length", fallback: 3, parse: integer(0, 7) },
  quantity: { key: "quantity", fallback: 2, parse: integer(1, 16) },
  backup: { key: "backupQuantity", fallback: 0, parse: integer(0, 16) },
  variance: { key: "lengthVariance", fallback: 0, parse: integer(-7, 7) },
};
