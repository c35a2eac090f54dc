import { assert, assertEquals, assertRejects } from "@std/assert";
import { type KeyProblem, KeyStoreError } from "../../lib/keys/error.ts";
import { KeyStore } from "../../lib/keys/key_store.ts";
import { numberedKey, numberOf } from "../keys/blob.ts";
import { PROJECT } from "../support/command.ts";
import { tortureKeys } from "../keys/key_torture.ts";
import { Random } from "../support/random.ts";
import { makeScratch } from "../support/scratch.ts";

Deno.test("KeyStore lets one process at a time use or change a key", async () => {
  await using scratch = await makeScratch();
  const store = new KeyStore(`${scratch.dir}/keys`);
  await store.create("one", numberedKey(1));
  const holder = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--ext=ts", HOLDER, `${scratch.dir}/keys`],
    cwd: PROJECT,
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  assertEquals(await problem(() => store.lock("one")), "in-use");
  assertEquals(await problem(() => store.replace("one", numberedKey(2))), "in-use");
  assertEquals(await problem(() => store.delete("one")), "in-use");
  using other = await store.lock("other");
  assert(other !== undefined);
  // Reading needs no lock: keys show works beside a running proxy.
  assertEquals(numberOf(await store.read("one")), 1);
  holder.kill("SIGKILL");
  await holder.status;
  await reader.cancel();
  using lock = await store.lock("one");
  assert(lock !== undefined);
});

/** Takes a lock, says so, and waits to be killed. */
const HOLDER = `
  import { KeyStore } from "./lib/keys/key_store.ts";
  const lock = await new KeyStore(Deno.args[0]).lock("one");
  console.log(lock !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
`;

Deno.test("Kills at random moments lose no key, and leave no litter for the next writer", async () => {
  await using scratch = await makeScratch();
  const random = new Random(1);
  const { kills } = await tortureKeys(`${scratch.dir}/keys`, 120, () => random.next());
  assert(kills > 1);
  await new KeyStore(`${scratch.dir}/keys`).replace("tortured", numberedKey(1));
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${scratch.dir}/keys`)) names.push(name);
  assertEquals(names.sort(), ["tortured.dat", "tortured.lock"]);
});

async function problem(work: () => Promise<unknown>): Promise<KeyProblem> {
  return (await assertRejects(work, KeyStoreError)).problem;
}
