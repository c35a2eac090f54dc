import type { OwnIdentifiers } from "../guard/identifiers.ts";
import { isPermitted, mayRead, type Permission } from "../command/permissions.ts";

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

/** The list of accounts of systems that have one. */
const ACCOUNTS = "/etc/passwd";

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
  const [named, homeNamed] = [variable(USER_VARIABLES), variable(HOME_VARIABLES)];
  // Containers and service managers may start programs without these variables.
  const account = named === undefined || homeNamed === undefined ? ownAccount() : undefined;
  const userName = named ?? account?.name;
  const home = homeNamed ?? account?.home;
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

/** The account that the process runs as, where the system keeps a list of accounts that may be read: passwd(5). */
function ownAccount(): { name: string; home: string } | undefined {
  if (!isPermitted({ name: "sys", kind: "uid" }) || !mayRead(ACCOUNTS)) return undefined;
  try {
    return findAccount(Deno.readTextFileSync(ACCOUNTS), Deno.uid());
  } catch {
    return undefined;
  }
}

/** Finds a user by number in a list of accounts: `name:password:uid:gid:comment:home:shell`, a line each. */
export function findAccount(passwd: string, uid: number | null): { name: string; home: string } | undefined {
  const fields = passwd.split("\n").map((line) => line.split(":")).find(([, , number]) => number === `${uid}`);
  const [name = "", , , , , home = ""] = fields ?? [];
  return name === "" ? undefined : { name, home };
}
