import { KeyStore } from "../../lib/keys/key_store.ts";
import { numberedKey, numberOf } from "./blob.ts";
import { PROJECT } from "../support/command.ts";

/** What {@linkcode tortureKeys} did. */
export interface KeyTorture {
  /** Keys that were written. */
  writes: number;
  /** Writers that were killed. */
  kills: number;
}

/**
 * Has a process write keys and kills it at random moments, again and again, until `writes` keys are on disk. After each
 * kill the store must hold the last key that was reported, or the next one, whole.
 *
 * @param random returns a number, 0 up to but not 1.
 * @throws {Error} if a key was lost, torn or went back in time.
 */
export async function tortureKeys(directory: string, writes: number, random: () => number): Promise<KeyTorture> {
  const name = "tortured";
  const store = new KeyStore(directory);
  await store.create(name, numberedKey(0));
  let kills = 0;
  for (let done = 0; done < writes;) {
    const reported = await writeAndKill(directory, name, done + 1, writes, random() * 60);
    kills++;
    const found = numberOf(await store.read(name));
    const last = reported ?? done;
    if (found !== last && found !== last + 1) throw new Error(`Key ${last} was reported, and ${found} is there`);
    done = found;
  }
  return { writes, kills };
}

/** The number of the last key that was reported before the kill, if any. */
async function writeAndKill(
  directory: string,
  name: string,
  first: number,
  last: number,
  milliseconds: number,
): Promise<number | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-R", "-W", "tests/keys/key_writer.ts", directory, name, `${first}`, `${last}`],
    cwd: PROJECT,
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const chunk of child.stdout) {
    // The clock starts with the first key: before, the process only loads its code.
    timer ??= setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    }, milliseconds);
    text += new TextDecoder().decode(chunk);
  }
  clearTimeout(timer);
  await child.status;
  const lines = text.split("\n").filter((line) => line !== "");
  const reported = lines.at(-1);
  return reported === undefined ? undefined : Number(reported);
}

// `deno task torture-keys`: a thousand key writes.
if (import.meta.main) {
  const directory = await Deno.makeTempDir();
  const { writes, kills } = await tortureKeys(`${directory}/keys`, 1000, Math.random);
  await Deno.remove(directory, { recursive: true });
  console.log(`${writes} keys written, ${kills} writers killed, no key lost`);
}
