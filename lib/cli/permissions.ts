import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { CliError, ExitCode } from "./exit_code.ts";

/*
 * Everything is asked for by query, never by use: where the runtime was started without --no-prompt on a terminal, use
 * would make it ask the user.
 */

/**
 * Reads an environment variable that stands in for an option.
 *
 * @param flag the option.
 * @throws {CliError} if it may not be read: to pass over what the user set would be worse.
 */
export function readEnv(variable: string, flag: string): string | undefined {
  if (!isGranted({ name: "env", variable })) throw missing(`the environment variable ${variable}`, flag);
  return Deno.env.get(variable);
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
  if (!isGranted({ name: "net", host: wanted })) throw missing(`network access to ${host}`, flag);
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

/**
 * Gives back every permission but the one to connect to the SAM bridge. For good: nothing can bring them back.
 *
 * @returns kinds of permission that could not be given back, because the program was started with more than its own set.
 */
export function keepOnly(sam: Endpoint): string[] {
  const { permissions } = Deno;
  // A narrow grant can only be made while a wider one stands; a wider one goes when its own name is revoked.
  permissions.requestSync({ name: "net", host: formatEndpoint(sam) });
  for (const host of ["127.0.0.1", "[::1]"]) permissions.revokeSync({ name: "net", host });
  const kinds = ["read", "write", "env", "run", "ffi", "sys", "import"] as const;
  const left: string[] = kinds.filter((name) => permissions.revokeSync({ name }).state === "granted");
  if (isGranted({ name: "net" })) left.push("net");
  return left;
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function missing(what: string, flag: string): CliError {
  return new CliError(ExitCode.noPermission, `Missing permission: ${what}, needed for ${flag}`, [
    "The program's own permission set has it: run the executable, or deno run -P main.ts",
  ]);
}
