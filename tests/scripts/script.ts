import { startSamBridge } from "../sam_bridge/bridge.ts";
import { publishService, type SamBridge, type SamBridgeOptions } from "../sam_bridge/bridge.ts";
import { installProxy, PROJECT } from "../support/command.ts";
import { freePort } from "../support/free_port.ts";
import { startImpostor } from "../support/impostor.ts";
import { type ProxyChild, spawnProxy } from "../support/proxy_process.ts";
import { makeScratch } from "../support/scratch.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";

/** A script: its commands, and the files that stand below them. */
export interface Script {
  /** Commands by the number of their line, from 1 on. */
  readonly lines: readonly { number: number; text: string }[];
  /** Files by name, in the order of the script. */
  readonly files: Map<string, string>;
}

/** Takes a script apart: commands, then files below lines of the form `-- NAME --`. */
export function parseScript(text: string): Script {
  const [commands = "", ...rest] = text.split(/^-- (\S+) --\n/m);
  const files = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 2) files.set(rest[i] ?? "", rest[i + 1] ?? "");
  const lines = commands.split("\n").map((line, i) => ({ number: i + 1, text: line.trim() }));
  return { lines: lines.filter(({ text }) => text !== "" && !text.startsWith("#")), files };
}

/** A script with other contents of its files. */
export function formatScript(text: string, files: ReadonlyMap<string, string>): string {
  const [commands = ""] = text.split(/^-- \S+ --\n/m);
  return commands + [...files].map(([name, content]) => `-- ${name} --\n${content}`).join("");
}

/**
 * Splits a line into words. Single quotes hold spaces together, and two of them in a quoted part are one. `$NAME` is a
 * variable of the script, in capitals; what is none stays as it is.
 */
export function splitWords(line: string, variable: (name: string) => string | undefined): string[] {
  if (line.split("'").length % 2 === 0) throw new Error("A quote has no end");
  const words = line.match(/(?:'(?:[^']|'')*'|[^\s'])+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(
      /'((?:[^']|'')*)'|([^']+)/g,
      (_, quoted: string | undefined, plain: string | undefined) =>
        expand(quoted?.replaceAll("''", "'") ?? plain ?? "", variable),
    )
  );
}

function expand(text: string, variable: (name: string) => string | undefined): string {
  return text.replaceAll(/\$([A-Z][A-Z0-9_]*)/g, (whole, name: string) => variable(name) ?? whole);
}

/**
 * Runs a script.
 *
 * @returns its text with the outputs that `cmp` saw in place of those it expected, if `update`.
 * @throws {Error} at the first command that does not come out as it says, with its line.
 */
export async function runScript(path: string, update: boolean): Promise<string> {
  const text = await Deno.readTextFile(path);
  const { lines, files } = parseScript(text);
  await using stage = await Stage.start(files, update);
  for (const { number, text } of lines) {
    try {
      await stage.carryOut(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new Error(`${path.replace(PROJECT, "")}:${number}: ${text}\n${reason}\n${stage.describe()}`);
    }
  }
  return formatScript(text, files);
}

/** What a script's commands work on: a folder with its files, programs that have run, and the network. */
class Stage implements AsyncDisposable {
  readonly #dir: string;
  readonly #files: Map<string, string>;
  readonly #update: boolean;
  readonly #owned = new AsyncDisposableStack();
  readonly #env = new Map<string, string>();
  #output = { code: 0, stdout: "", stderr: "" };
  #stdin = "";
  #bridge: SamBridge | undefined;
  #running: ProxyChild | undefined;

  static async start(files: Map<string, string>, update: boolean): Promise<Stage> {
    await using scratch = new AsyncDisposableStack();
    const { dir, file } = scratch.use(await makeScratch());
    for (const [name, text] of files) await file(name, text);
    await Deno.mkdir(`${dir}/.bin`);
    await installProxy(`${dir}/.bin`);
    await Deno.symlink(Deno.execPath(), `${dir}/.bin/deno`);
    const stage = new Stage(dir, files, update);
    stage.#owned.use(scratch.move());
    return stage;
  }

  private constructor(dir: string, files: Map<string, string>, update: boolean) {
    this.#dir = dir;
    this.#files = files;
    this.#update = update;
    const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
    this.#env.set("PATH", `${dir}/.bin:${Deno.env.get("PATH")}`);
    this.#env.set("HOME", dir);
    this.#env.set("DENO_DIR", Deno.env.get("DENO_DIR") ?? `${cache}/deno`);
    for (const name of ["DENO_NO_UPDATE_CHECK", "NO_COLOR"]) this.#env.set(name, "1");
    this.#env.set("XDG_RUNTIME_DIR", `${dir}/.run`);
    this.#env.set("MAIN", `${PROJECT}main.ts`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }

  /** What the last program left. */
  describe(): string {
    const { code, stdout, stderr } = this.#output;
    return `--- exit code ${code}\n--- stdout\n${stdout}--- stderr\n${stderr}`;
  }

  async carryOut(line: string): Promise<void> {
    const [, not = "", rest = ""] = /^(! )?(.*)$/.exec(line) ?? [];
    const words = splitWords(rest, (name) => this.#env.get(name));
    const [verb = "", ...args] = words;
    const command = this.#commands[verb];
    if (command === undefined) throw new Error(`There is no command "${verb}"`);
    // Patterns have the values of variables as they are.
    const pattern = splitWords(rest, (name) => this.#env.get(name)?.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).at(-1);
    await command({ args, isNegated: not !== "", pattern: new RegExp(pattern ?? "", "m") });
  }

  readonly #commands: Record<string, (command: Command) => unknown> = {
    /** Runs a program to its end, with exit code 0. */
    exec: async ({ args: [program = "", ...args], isNegated }) => {
      this.#output = await this.#run(program, args);
      this.#stdin = "";
      expect(isNegated !== (this.#output.code === 0), `It ended with ${this.#output.code}`);
    },
    /** The exit code of the last program. */
    code: ({ args: [code] }) => expect(`${this.#output.code}` === code, `It ended with ${this.#output.code}`),
    /** A file that the next program reads. */
    stdin: async ({ args: [file = ""] }) => this.#stdin = await Deno.readTextFile(`${this.#dir}/${file}`),
    stdout: ({ pattern, isNegated }) => this.#match(this.#output.stdout, pattern, isNegated),
    stderr: ({ pattern, isNegated }) => this.#match(this.#output.stderr, pattern, isNegated),
    /** Output, or a file, is a file's text, in which variables stand for their values. */
    cmp: ({ args: [given = "", file = ""] }) => this.#compare(given, file),
    env: ({ args }) => {
      for (const [, name = "", value = ""] of args.map((arg) => /^(\w+)=(.*)$/.exec(arg) ?? [])) {
        this.#env.set(name, value);
      }
    },
    /** A SAM bridge at $SAM: `sam i2pd`, `sam java`; with more words, it answers one command by a line, or closes. */
    sam: ({ args: [manners, command, answer] }) =>
      this.#startBridge({
        manners: manners === "java" ? "java" : "i2pd",
        ...(command !== undefined && { intercept: answering(command, answer) }),
      }),
    /** A bridge that asks for a login. */
    login: ({ args: [user = "", password = ""] }) => this.#startBridge({ manners: "java", login: { user, password } }),
    /** A service in the bridge's network, by name: its address is $B32. */
    service: async ({ args: [name = ""] }) => {
      const service = this.#owned.use(await publishService(this.#bridge?.port ?? 0, 9));
      this.#bridge?.setName(name, service.destination);
      this.#env.set("B32", service.b32);
    },
    /** A line that the bridge was sent. */
    asked: ({ pattern, isNegated }) => this.#match(this.#bridge?.lines.join("\n") ?? "", pattern, isNegated),
    /** A port where nothing listens. */
    free: ({ args: [name = ""] }) => this.#env.set(name, `${freePort()}`),
    /** A port where something listens that is no SAM bridge: it takes a line and answers, says nothing, or closes. */
    listen: ({ args: [name = "", answer] }) => {
      const { port } = this.#owned.use(startImpostor(async (conn) => {
        if (answer === "closes") return;
        await conn.read(new Uint8Array(1024));
        if (answer !== undefined) await writeAll(conn, new TextEncoder().encode(`${answer}\r\n`));
        await readToEnd(conn);
      }));
      this.#env.set(name, `${port}`);
    },
    /** Starts i2p-socks, and waits for its ready line. */
    start: async ({ args: [program = "", ...args] }) => {
      const env = Object.fromEntries(this.#env);
      const child = this.#owned.use(
        spawnProxy({ program: `${this.#dir}/.bin/${program}`, args }, { env, cwd: this.#dir }),
      );
      this.#running = child;
      await child.waitFor("stdout", /ready.*\n/, 120_000);
    },
    /** Sends a signal to what was started, and waits for its end. */
    kill: async ({ args: [signal = ""] }) => {
      const code = await this.#running?.stop(`SIG${signal}` as Deno.Signal) ?? 0;
      this.#output = { code, stdout: this.#running?.stdout() ?? "", stderr: this.#running?.stderr() ?? "" };
    },
    exists: async ({ args: [file = ""], isNegated }) => {
      const isThere = await Deno.lstat(`${this.#dir}/${file}`).then(() => true, () => false);
      expect(isThere !== isNegated, isThere ? "It is there" : "It is not there");
    },
    /** The permissions of a file, in octal. */
    mode: async ({ args: [mode, file = ""] }) => {
      const found = ((await Deno.stat(`${this.#dir}/${file}`)).mode ?? 0) & 0o777;
      expect(found.toString(8) === mode, `Its mode is ${found.toString(8)}`);
    },
  };

  #startBridge = async (options: SamBridgeOptions): Promise<void> => {
    this.#bridge = this.#owned.use(await startSamBridge(options));
    this.#env.set("SAM", `127.0.0.1:${this.#bridge.port}`);
  };

  async #run(program: string, args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = new Deno.Command("timeout", {
      args: ["--kill-after=1", "120", program, ...args],
      cwd: this.#dir,
      env: Object.fromEntries(this.#env),
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // A program that has seen enough does not read to the end.
    const writing = ReadableStream.from([new TextEncoder().encode(this.#stdin)]).pipeTo(child.stdin).catch(() => {});
    const { code, stdout, stderr } = await child.output();
    await writing;
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  #match(text: string, pattern: RegExp, isNegated: boolean): void {
    expect(pattern.test(text) !== isNegated, `${isNegated ? "A" : "No"} match of ${pattern} in:\n${text}`);
  }

  async #compare(given: string, file: string): Promise<void> {
    const isOutput = given === "stdout" || given === "stderr";
    const found = isOutput ? this.#output[given] : await Deno.readTextFile(`${this.#dir}/${given}`);
    const inScript = this.#files.get(file);
    const expected = inScript ?? await Deno.readTextFile(`${this.#dir}/${file}`);
    if (found === expand(expected, (name) => this.#env.get(name))) return;
    expect(this.#update && inScript !== undefined, `${given} is not ${file}:\n${found}`);
    const named = ["B32", "SAM"].reduce((text, name) => {
      const value = this.#env.get(name);
      return value === undefined ? text : text.replaceAll(value, `$${name}`);
    }, found);
    this.#files.set(file, named);
  }
}

interface Command {
  args: string[];
  isNegated: boolean;
  pattern: RegExp;
}

function expect(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}

/** Answers a command with a line, or closes. */
function answering(command: string, line: string | undefined): NonNullable<SamBridgeOptions["intercept"]> {
  return async (given, socket) => {
    if (!given.startsWith(command)) return false;
    if (line === undefined) socket.close();
    else await socket.write(`${line}\n`);
    return true;
  };
}
