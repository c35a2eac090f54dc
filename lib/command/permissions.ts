import config from "../../deno.json" with { type: "json" };
import { type Endpoint, formatEndpoint, formatListen, newSocketOf, type UnixEndpoint } from "../config/endpoint.ts";
import { CliError, ExitCode } from "./exit_code.ts";

/** Sockets that may be made and used, of the set that has any. */
const SOCKET_GRANTS: readonly string[] = config.permissions.unix.net.allow
  .flatMap((host) => host.startsWith("unix:") ? [host.slice("unix:".length)] : []);

/*
 * Everything is asked for by query, never by use: where the runtime was started without --no-prompt on a terminal, use
 * would make it ask the user.
 */

/**
 * Reads an environment variable.
 *
 * @param flag the option that it is about.
 * @throws {CliError} if it may not be read: to pass over what the user set would be worse.
 */
export function readEnv(variable: string, flag: string): string | undefined {
  if (isGranted({ name: "env", variable })) return Deno.env.get(variable);
  throw missing(`the environment variable ${variable}`, flag);
}

/**
 * Makes sure that an address may be listened on or connected to.
 *
 * @param flag where the address was given.
 * @throws {CliError} if it may not.
 */
export function requireNet(endpoint: Endpoint, flag: string): void {
  const host = formatEndpoint(endpoint);
  // A listener on port 0 gets some port of the address.
  const wanted = endpoint.port === 0 ? host.replace(/:0$/, "") : host;
  if (isGranted({ name: "net", host: wanted })) return;
  if (endpoint.port !== 53) throw missing(`network access to ${host}`, flag);
  throw new CliError(ExitCode.noPermission, `Cannot use ${flag} ${host}: port 53 is closed to the program`, [
    "That way it can never send a DNS query: choose another port",
  ]);
}

/**
 * Makes sure that a socket may be made in the file system.
 *
 * @throws {CliError} if it may not.
 */
export function requireSocket(endpoint: UnixEndpoint, flag: string): void {
  const made = newSocketOf(endpoint);
  if (!maySocket(made)) {
    const folder = made.slice(0, made.lastIndexOf("/")) || "/";
    throw new CliError(ExitCode.noPermission, `Missing permission: sockets in "${folder}", needed for ${flag}`, [
      "The executables of a release for Linux, and deno run -P=unix main.ts, may have them in /run/i2p-socks and in",
      "/run/user/UID with UIDs from 1000 to 1009. See i2p-socks help sandbox",
    ]);
  }
  for (const path of [endpoint.path, made]) requireFolder(path, flag);
}

/**
 * Makes sure that a file may be read.
 *
 * @param flag where the path was given.
 * @throws {CliError} if it may not.
 */
export function requireRead(path: string, flag: string): void {
  if (!isGranted({ name: "read", path })) throw missing(`read access to "${path}"`, flag);
}

/** Makes sure that any port of 127.0.0.1 may be used, as serving does for a moment at its start. */
export function requireAnyPort(): void {
  requireNet({ hostname: "127.0.0.1", port: 0 }, "serve");
}

/** Makes sure that a folder may be read and written. */
export function requireFolder(path: string, flag: string): void {
  requireRead(path, flag);
  requireWrite(path, flag);
}

/** Makes sure that a file or folder may be written. */
export function requireWrite(path: string, flag: string): void {
  if (!isGranted({ name: "write", path })) throw missing(`write access to "${path}"`, flag);
}

/** What a program still needs once it runs. */
interface Needs {
  /** To connect to. */
  sam: Endpoint;
  /** Whether there are UDP associations: each binds a port, and its client may have any, so loopback stays open. */
  udp?: boolean;
  /** Local services to connect to. @default {none} */
  services?: readonly Endpoint[];
  /** Sockets in the file system, which are removed at the end. @default {none} */
  sockets?: readonly UnixEndpoint[];
  /** Files to remove at the end. @default {none} */
  removing?: readonly string[];
  /** Folders to write to, when the configuration is read again: then every port of loopback and every file stay open. */
  reloading?: { folders: readonly string[] };
}

/**
 * Gives back every permission that is not needed any more. For good: nothing can bring them back.
 *
 * @returns kinds of permission that could not be given back, because the program was started with more than its own set.
 */
export function keepOnly({ sam, services = [], udp = false, sockets = [], removing = [], reloading }: Needs): string[] {
  const { permissions } = Deno;
  const dropped = ["run", "ffi", "sys", "import", "env"] as const;
  const paths = sockets.map(({ path }) => path);
  const made = sockets.map(newSocketOf);
  const remade = reloading === undefined ? [] : made;
  for (const path of new Set([...SOCKET_GRANTS, ...made])) {
    if (!remade.includes(path) && maySocket(path)) {
      permissions.revokeSync({ name: "net", host: formatListen({ path }) });
    }
  }
  // A narrow grant can only be made while a wider one stands; a wider one goes when its own name is revoked.
  for (const path of [...removing, ...paths, ...remade, ...reloading?.folders ?? []]) narrow({ name: "write", path });
  permissions.revokeSync({ name: "write", path: "/" });
  // What was started with every file in one grant keeps none: then what was to be removed stays.
  if (reloading === undefined && isGranted({ name: "write" })) permissions.revokeSync({ name: "write" });
  if (reloading === undefined && !udp) {
    for (const endpoint of [sam, ...services]) narrow({ name: "net", host: formatEndpoint(endpoint) });
    for (const host of ["127.0.0.1", "[::1]"]) permissions.revokeSync({ name: "net", host });
  }
  if (reloading === undefined) {
    for (const path of paths) narrow({ name: "read", path });
    permissions.revokeSync({ name: "read", path: "/" });
    if (paths.length === 0 || isGranted({ name: "read" })) permissions.revokeSync({ name: "read" });
  }
  const left: string[] = dropped.filter((name) => permissions.revokeSync({ name }).state === "granted");
  if (isGranted({ name: "net" })) left.push("net");
  return left;
}

/** Gives back what {@linkcode keepOnly} kept to connect to, but for what is needed further on. For good, too. */
export function giveBack(endpoints: readonly Endpoint[], needed: readonly Endpoint[]): void {
  // A wider grant, which is needed as a whole or could not be dropped, would go together with its part.
  if (isGranted({ name: "net", host: "127.0.0.1" })) return;
  const kept = needed.map(formatEndpoint);
  for (const host of endpoints.map(formatEndpoint)) {
    if (!kept.includes(host)) Deno.permissions.revokeSync({ name: "net", host });
  }
}

/** Whether a socket may be made and used. Runtimes that grant none take the question for a mistake. */
function maySocket(path: string): boolean {
  try {
    return isGranted({ name: "net", host: formatListen({ path }) });
  } catch {
    return false;
  }
}

/** Requests a narrow grant that a wider one covers. Only then: otherwise the runtime would ask the user. */
function narrow(descriptor: Deno.PermissionDescriptor): void {
  if (isGranted(descriptor)) Deno.permissions.requestSync(descriptor);
}

/** A permission to read a variable, or to ask the system something. */
export type Permission = { name: "env"; variable: string } | {
  name: "sys";
  kind: "hostname" | "networkInterfaces" | "uid";
};

/** Whether a permission is there, for what can be done without. */
export function isPermitted(permission: Permission): boolean {
  return isGranted(permission);
}

/** Whether a file may be read, for what can be done without. */
export function mayRead(path: string): boolean {
  return isGranted({ name: "read", path });
}

/** Whether a folder may be read and written, for what can be done without. */
export function mayUseFolder(path: string): boolean {
  return isGranted({ name: "read", path }) && isGranted({ name: "write", path });
}

/** Whether an address may be connected to, for what can be done without. */
export function mayConnect(endpoint: Endpoint): boolean {
  return isGranted({ name: "net", host: formatEndpoint(endpoint) });
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function missing(what: string, flag: string): CliError {
  return new CliError(ExitCode.noPermission, `Missing permission: ${what}, needed for ${flag}`, [
    "The program's own permission set has it: run the executable, or deno run -P main.ts",
  ]);
}
