/** Makes the executables of a release and the man page: `deno task release [TARGET...] [--output DIR]`. */
import { parseArgs } from "@std/cli/parse-args";
import config from "../../deno.json" with { type: "json" };
import { manPage } from "../../lib/manual/man_page.ts";
import { PROJECT, runCommand } from "../support/command.ts";
import { targetOf } from "./executable_target.ts";

/** The targets of `deno compile`, and what the executables for them are called. */
export const TARGETS: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": "linux-x86_64",
  "aarch64-unknown-linux-gnu": "linux-aarch64",
  "x86_64-pc-windows-msvc": "windows-x86_64.exe",
  "aarch64-pc-windows-msvc": "windows-aarch64.exe",
  "x86_64-apple-darwin": "macos-x86_64",
  "aarch64-apple-darwin": "macos-aarch64",
};

/** Where a release is put, from the project's root; git ignores it. */
const FOLDER = ".release";

/** Milliseconds for one executable: the first one of a target downloads its runtime. */
const TIMEOUT = 600_000;

/** The man page's name. */
export const MAN_PAGE = "i2p-socks.1";

/** The name of an executable. */
export function nameOf(target: string): string {
  return `i2p-socks-${config.version}-${TARGETS[target]}`;
}

/** The words behind `deno` that make an executable: those of the task `compile`, for another target and place. */
export function compileArgs(output: string, target?: string): string[] {
  const [deno, ...args] = config.tasks.compile.command.replace(/^export .* && /, "").split(" ");
  const at = args.indexOf("--output") + 1;
  if (deno !== "deno" || args[0] !== "compile" || at === 0) throw new Error("The task compile is not as expected");
  args[at] = output;
  // The runtime takes no path of Unix for a socket on other systems: there it would end at the start.
  if (target?.includes("linux")) args[args.indexOf("-P")] = "-P=unix";
  return target === undefined ? args : ["compile", "--target", target, ...args.slice(1)];
}

/**
 * Makes executables, the man page, and their SHA256SUMS, which `sha256sum -c` takes, in an empty folder.
 *
 * @param compile makes the executable of a target; a test may have another way.
 * @throws {Error} if one cannot be made, or is not for its target: then the folder has no SHA256SUMS.
 */
export async function release(
  targets: readonly string[],
  folder: string,
  compile: (file: string, target: string) => Promise<void> = compileFor,
): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const sums: string[] = [];
  for (const target of targets) {
    const name = nameOf(target);
    await compile(`${folder}/${name}`, target);
    const file = await Deno.readFile(`${folder}/${name}`);
    const made = targetOf(file);
    // The compiler takes any program for a base binary, and one that DENORT_BIN names for every target.
    if (made !== target) throw new Error(`Made ${name} for ${made ?? "no target"}: is DENORT_BIN set?`);
    sums.push(await sumLine(name, file));
  }
  const page = new TextEncoder().encode(manPage());
  await Deno.writeFile(`${folder}/${MAN_PAGE}`, page);
  sums.push(await sumLine(MAN_PAGE, page));
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums.join(""));
}

async function sumLine(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `${new Uint8Array(digest).toHex()}  ${name}\n`;
}

/** @throws {Error} with what the compiler said, if it cannot. */
async function compileFor(file: string, target: string): Promise<void> {
  console.log(`Making ${file}`);
  const { code, stderr } = await runCommand(Deno.execPath(), compileArgs(file, target), {
    timeout: TIMEOUT,
    env: { DENO_NO_UPDATE_CHECK: "1", OTEL_DENO: "false" },
  });
  if (code !== 0) throw new Error(`Cannot compile for ${target}: ${stderr}`);
}

if (import.meta.main) {
  const { _: chosen, output } = parseArgs(Deno.args, { string: ["_", "output"] });
  const unknown = chosen.map(String).find((target) => !Object.hasOwn(TARGETS, target));
  if (unknown !== undefined) {
    console.error(`There is no target "${unknown}": ${Object.keys(TARGETS).join(", ")}`);
    Deno.exit(2);
  }
  const targets = chosen.length === 0 ? Object.keys(TARGETS) : chosen.map(String);
  try {
    await release(targets, output ? String(output) : `${PROJECT}${FOLDER}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
