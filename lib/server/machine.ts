import type { OwnIdentifiers } from "../guard/identifiers.ts";
import { isPermitted, type Permission } from "../command/permissions.ts";

/** What names this machine and its user, and what could not be found out for lack of a permission. */
export interface Own {
  /** What was found out. */
  identifiers: Omit<OwnIdentifiers, "secrets">;
  /** Permissions that are missing. */
  missing: readonly string[];
}

/** Environment variables that hold the user's name. */
const USER_VARIABLES = ["USER", "LOGNAME", "USERNAME"] as const;

/** Environment variables that hold the user's home folder. */
const HOME_VARIABLES = ["HOME", "USERPROFILE"] as const;

/** Finds out what names this machine and its user, as far as the permissions go. To be asked before they are given back. */
export function ownIdentifiers(): Own {
  const missing: string[] = [];
  const ask = <T>(permission: Permission, find: () => T): T | undefined => {
    if (isPermitted(permission)) return find();
    missing.push(permission.name === "env" ? `env ${permission.variable}` : `sys ${permission.kind}`);
    return undefined;
  };
  const variable = (names: readonly string[]): string | undefined =>
    names.map((name) => ask({ name: "env", variable: name }, () => Deno.env.get(name))).find((value) => value);
  const interfaces = ask({ name: "sys", kind: "networkInterfaces" }, () => Deno.networkInterfaces());
  const hostName = ask({ name: "sys", kind: "hostname" }, () => Deno.hostname());
  const userName = variable(USER_VARIABLES);
  const home = variable(HOME_VARIABLES);
  return {
    identifiers: {
      addresses: interfaces?.map(({ address }) => address) ?? [],
      ...(hostName && { hostName }),
      ...(userName && { userName }),
      ...(home && { home }),
    },
    missing,
  };
}
