/** Makes the executables of a release: `deno task release [TARGET...] [--output DIR]`. */
import { parseArgs } from "@std/cli/parse-args";
import config from "../../deno.json" with { type: "json" };
import { PROJECT, runCommand } from "./command.ts";

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

/** The name of an executable. */
export function nameOf(target: string): string {
  return `i2p-socks-${config.version}-${TARGETS[target]}`;
}

/** The words behind `deno` that make an executable: those of the task `compile`, for another target and place. */
export function compileArgs(output: string, target?: string): string[] {
  const [deno, ...args] = config.tasks.compile.command.split(" ");
  const at = args.indexOf("--output") + 1;
  if (deno !== "deno" || args[0] !== "compile" || at === 0) throw new Error("The task compile is not as expected");
  args[at] = output;
  return target === undefined ? args : ["compile", "--target", target, ...args.slice(1)];
}

/**
 * Makes executables and their SHA256SUMS, which `sha256sum -c` takes, in an empty folder.
 *
 * @throws {Error} with what the compiler said, if one cannot be made: then the folder has no SHA256SUMS.
 */
export async function release(targets: readonly string[], folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const sums: string[] = [];
  for (const target of targets) {
    const name = nameOf(target);
    const { code, stderr } = await runCommand(Deno.execPath(), compileArgs(`${folder}/${name}`, target), {
      timeout: TIMEOUT,
      env: { DENO_NO_UPDATE_CHECK: "1" },
    });
    if (code !== 0) throw new Error(`Cannot compile for ${target}: ${stderr}`);
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${folder}/${name}`));
    sums.push(`${new Uint8Array(digest).toHex()}  ${name}\n`);
    console.log(sums.at(-1)?.trimEnd());
  }
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums.join(""));
}

if (import.meta.main) {
  const { _: chosen, output } = parseArgs(Deno.args, { string: ["_", "output"] });
  const unknown = chosen.map(String).find((target) => !Object.hasOwn(TARGETS, target));
  if (unknown !== undefined) {
    console.error(`There is no target "${unknown}": ${Object.keys(TARGETS).join(", ")}`);
    Deno.exit(2);
  }
  const targets = chosen.length === 0 ? Object.keys(TARGETS) : chosen.map(String);
  await release(targets, output ? String(output) : `${PROJECT}${FOLDER}`);
}
