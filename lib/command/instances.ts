import { type Endpoint, formatEndpoint, isUnix, parseEndpoint, parseListen, withPort } from "../config/endpoint.ts";
import { errorText } from "../io/error_text.ts";
import { readUpTo } from "../io/read_up_to.ts";
import { KeyStoreError } from "../keys/error.ts";
import { FileLock } from "../keys/file_lock.ts";
import { checkPrivate, ensurePrivateDirectory } from "../keys/private_file.ts";
import type { Log } from "../report/log.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { isPermitted, mayUseFolder } from "./permissions.ts";

/** What a running instance says of itself. It names no login, and no destination of an application. */
export interface Instance {
  /** Version of the program. */
  version: string;
  /** Its process. */
  pid: number;
  /** When it was started, as ISO 8601. */
  startedAt: string;
  /** Where it serves its status, HOST:PORT; null without `--status`. */
  status: string | null;
  /** What it serves. */
  applications: RunningApplication[];
}

/** An application of a running instance. */
export interface RunningApplication {
  /** Its label. */
  name: string;
  /** Where it serves SOCKS, HOST:PORT or unix:PATH each. */
  listen: string[];
  /** Its SAM bridge, HOST:PORT. */
  sam: string;
  /** Whether its own identity has a session. */
  ready: boolean;
  /** Its own address in I2P; null where it has none yet. */
  b32: string | null;
}

/** Longest note that is read, in bytes. */
const MAX_NOTE = 1_048_576;

/** Most instances that one process number can belong to: those of containers with one home. */
const MAX_SAME_PID = 16;

const SUFFIX = ".json";

/**
 * The note of this instance in the runtime folder: a file `PID.json` of mode 0600, removed at the end.
 *
 * Its lock `PID.lock` is held as long as the process lives, however that ends, so a note without one is a leftover. The
 * file stays open: to change it takes no permission any more, to remove both takes that for their two paths.
 */
export class InstanceNote {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #lock: FileLock;
  #text = "";
  #writing: Promise<void> = Promise.resolve();
  #isRemoved = false;

  private constructor(path: string, file: Deno.FsFile, lock: FileLock) {
    this.#path = path;
    this.#file = file;
    this.#lock = lock;
  }

  /** Makes one; undefined where there is no private folder for it, which the log says at debug level. */
  static async make(log: Log): Promise<InstanceNote | undefined> {
    const folder = runtimeFolder();
    try {
      if (folder === undefined) throw new Error("no runtime folder is known, or it may not be used");
      await ensurePrivateDirectory(folder);
      await removeLeftovers(folder);
      for (let n = 1; n <= MAX_SAME_PID; n++) {
        const base = `${folder}/${Deno.pid}${n === 1 ? "" : `-${n}`}`;
        const lock = await FileLock.take(lockOf(base + SUFFIX));
        if (lock === undefined) continue;
        const file = await Deno.open(base + SUFFIX, { write: true, create: true, truncate: true, mode: 0o600 });
        return new InstanceNote(base + SUFFIX, file, lock);
      }
      throw new Error("its name is taken");
    } catch (error) {
      log.debug(`Other commands cannot find this instance by itself: ${errorText(error)}`);
      return undefined;
    }
  }

  /** What must stay writable for {@linkcode remove}. */
  get paths(): string[] {
    return [this.#path, lockOf(this.#path)];
  }

  /** Says what the instance is now; nothing is written where nothing has changed. */
  update(instance: Instance): Promise<void> {
    const text = JSON.stringify(instance);
    if (text === this.#text || this.#isRemoved) return this.#writing;
    this.#text = text;
    // A disk that is full only keeps other commands from finding this instance.
    return this.#writing = this.#writing.then(() => this.#write(text)).catch(() => {});
  }

  /** Removes it. What cannot be removed is a leftover, which nobody takes for an instance. */
  async remove(): Promise<void> {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    await this.#writing;
    this.#file.close();
    await Deno.remove(this.#path).catch(() => {});
    this.#lock[Symbol.dispose]();
    await Deno.remove(lockOf(this.#path)).catch(() => {});
  }

  /** Readers that come in between find no JSON, and read again. */
  async #write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await this.#file.seek(0, Deno.SeekMode.Start);
    for (let written = 0; written < bytes.length;) written += await this.#file.write(bytes.subarray(written));
    await this.#file.truncate(bytes.length);
  }
}

/** The instances of this user that run now, the oldest first. */
export async function runningInstances(): Promise<Instance[]> {
  const folder = runtimeFolder();
  if (folder === undefined) return [];
  const found: Instance[] = [];
  for (const path of await notesIn(folder)) {
    const instance = await FileLock.isTaken(lockOf(path)) ? await readNote(folder, path) : undefined;
    if (instance !== undefined) found.push(instance);
  }
  return found.sort((a, b) => a.startedAt < b.startedAt ? -1 : 1);
}

/**
 * Finds a running application.
 *
 * @param name its label; undefined for the only one that runs.
 * @param flag the option that takes an address instead, which alone tells applications of one name apart.
 * @returns undefined if none runs at all, and no name was given.
 * @throws {CliError} if several could be meant, or none has the name.
 */
export async function findApplication(
  name: string | undefined,
  flag: "--via" | "--listen" = "--via",
): Promise<{ application: RunningApplication; instance: Instance } | undefined> {
  const all = (await runningInstances()).flatMap((instance) =>
    instance.applications.map((application) => ({ instance, application }))
  );
  const fitting = name === undefined ? all : all.filter(({ application }) => application.name === name);
  const [first, second] = fitting;
  if (second !== undefined) {
    const message = name === undefined
      ? "Several applications run: name one of them"
      : `Several applications of the name "${name}" run: give an address instead`;
    const isNamed = new Set(fitting.map(({ application }) => application.name)).size === fitting.length;
    throw new CliError(ExitCode.usage, message, [
      isNamed ? "Add --name NAME" : `Add ${flag} HOST:PORT, or start each with a --name of its own`,
      ...fitting.map(({ application }) => describeApplication(application)),
    ]);
  }
  if (first === undefined && name !== undefined) {
    const running = all.map(({ application }) => describeApplication(application));
    throw new CliError(ExitCode.failure, `No running application has the name "${name}"`, [
      ...(running.length === 0 ? ["No i2p-socks of this user runs"] : running.map((one) => `There is ${one}`)),
    ]);
  }
  return first;
}

/** The label of the running application that serves SOCKS at an address; undefined where none of this user does. */
export async function applicationAt(endpoint: Endpoint): Promise<string | undefined> {
  const where = formatEndpoint(endpoint);
  const all = (await runningInstances()).flatMap(({ applications }) => applications);
  return all.find(({ listen }) => listen.includes(where))?.name;
}

/** The address of a running proxy that is named by it or by its label. @throws {CliError} as {@linkcode findApplication}. */
export async function endpointOf(via: Endpoint | string): Promise<Endpoint> {
  if (typeof via !== "string") return via;
  const found = await findApplication(via);
  if (found === undefined) throw new TypeError("A name finds an application, or an error");
  return listenerOf(found.application);
}

/** The first port where a running application takes clients. @throws {CliError} if it has sockets only. */
export function listenerOf({ name, listen }: RunningApplication): Endpoint {
  const [endpoint] = withPort(listen.map(parseListen));
  if (endpoint !== undefined) return endpoint;
  throw new CliError(ExitCode.usage, `"${name}" listens on no port, only on ${listen.join(", ")}`, [
    "Give it a port, too: --listen PORT",
  ]);
}

/** An application for people, with what tells it apart from others of its name. */
export function describeApplication({ name, listen }: RunningApplication): string {
  return `${name} at ${listen.join(", ")}`;
}

/** The folder for notes, if it may be used: the user's own for what lasts as long as a login, or one of that kind. */
function runtimeFolder(): string | undefined {
  const below = (variable: string, ...names: string[]): string | undefined => {
    const folder = isPermitted({ name: "env", variable }) ? Deno.env.get(variable) : undefined;
    return folder ? [folder, ...names].join("/") : undefined;
  };
  const folders: Partial<Record<typeof Deno.build.os, () => string | undefined>> = {
    windows: () => below("LOCALAPPDATA", "i2p-socks", "running"),
    darwin: () => below("HOME", "Library", "Caches", "i2p-socks"),
  };
  const find = folders[Deno.build.os] ??
    (() => below("XDG_RUNTIME_DIR", "i2p-socks") ?? below("HOME", ".cache", "i2p-socks"));
  const path = find();
  // By query, never by use: a runtime that may ask its user would.
  return path !== undefined && mayUseFolder(path) ? path : undefined;
}

function lockOf(path: string): string {
  return path.slice(0, -SUFFIX.length) + ".lock";
}

async function notesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && /^\d+(-\d+)?\.json$/.test(name)) paths.push(`${folder}/${name}`);
    }
  } catch {
    // There is none, or it is not ours to read: then there is nothing in it for us.
  }
  return paths;
}

/** Removes what instances have left that were killed. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const path of await notesIn(folder)) {
    if (await FileLock.isTaken(lockOf(path))) continue;
    for (const leftover of [path, lockOf(path)]) await Deno.remove(leftover).catch(() => {});
  }
}

/** Reads a note; undefined for what is none, open to others, or of a version that is not understood. */
async function readNote(folder: string, path: string): Promise<Instance | undefined> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await checkPrivate(folder, path);
      using file = await Deno.open(path);
      const value: unknown = JSON.parse(new TextDecoder().decode(await readUpTo(file, MAX_NOTE)));
      return isInstance(value) ? value : undefined;
    } catch (error) {
      if (!(error instanceof SyntaxError)) {
        if (error instanceof KeyStoreError || error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return undefined;
}

function isInstance(value: unknown): value is Instance {
  return typeof value === "object" && value !== null && "pid" in value && typeof value.pid === "number" &&
    "version" in value && typeof value.version === "string" &&
    "startedAt" in value && typeof value.startedAt === "string" &&
    "status" in value && (value.status === null || isEndpoint(value.status)) &&
    "applications" in value && Array.isArray(value.applications) && value.applications.every(isApplication);
}

function isApplication(value: unknown): boolean {
  return typeof value === "object" && value !== null && "name" in value && typeof value.name === "string" &&
    "sam" in value && isEndpoint(value.sam) && "ready" in value && typeof value.ready === "boolean" && "b32" in value &&
    (value.b32 === null || typeof value.b32 === "string") &&
    "listen" in value && Array.isArray(value.listen) && value.listen.length > 0 && value.listen.every(isListen);
}

/** Whether a value is where clients can be taken. */
function isListen(value: unknown): boolean {
  try {
    return isEndpoint(value) || typeof value === "string" && isUnix(parseListen(value));
  } catch {
    return false;
  }
}

/** Whether a value is an address of loopback: nobody is sent elsewhere by a file. */
function isEndpoint(value: unknown): boolean {
  try {
    return typeof value === "string" && parseEndpoint(value).port > 0;
  } catch {
    return false;
  }
}
