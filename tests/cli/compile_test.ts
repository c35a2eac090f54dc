import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../support/command.ts";

/** In front of the metadata of an executable; eight bytes with its length come in between. */
const MARKER = "d3n0l4nd";

/** What the runtime reads of itself in an executable; the parts that are looked at. */
interface Metadata {
  argv: string[];
  "entrypoint_key": string;
  "app_version": string;
  permissions: Record<string, unknown>;
}

Deno.test("the executable has the permissions of the set and no others, and never prompts", async () => {
  const { permissions, ...metadata } = await compile();
  const { net, import: imports, read, write, env, sys } = config.permissions.default;
  assertEquals(Object.fromEntries(Object.entries(permissions).filter(([, value]) => value !== null)), {
    allow_net: net.allow,
    deny_net: net.deny,
    allow_import: imports,
    allow_read: read,
    allow_write: write,
    allow_env: env,
    allow_sys: sys,
    prompt: false,
  });
  assertEquals(metadata.argv, []);
  assertEquals(metadata["entrypoint_key"], "main.ts");
  assertEquals(metadata["app_version"], config.version);
});

/**
 * Runs the task `compile` in full, with another program in place of the runtime that would have to be downloaded. The
 * result cannot run, but has all that is put into it.
 */
async function compile(): Promise<Metadata> {
  const dir = await Deno.makeTempDir();
  await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  const [deno, ...args] = config.tasks.compile.command.split(" ");
  const output = args.indexOf("--output") + 1;
  assert(deno === "deno" && output > 0, config.tasks.compile.command);
  args[output] = `${dir}/program`;
  const { code, stderr } = await runCommand(Deno.execPath(), args, {
    timeout: 60_000,
    env: { DENORT_BIN: "/bin/true", DENO_NO_UPDATE_CHECK: "1" },
  });
  assertEquals(code, 0, stderr);
  return readMetadata(await Deno.readFile(`${dir}/program`));
}

function readMetadata(file: Uint8Array<ArrayBuffer>): Metadata {
  const text = new TextDecoder("latin1").decode(file);
  for (let at = text.indexOf(MARKER); at >= 0; at = text.indexOf(MARKER, at + 1)) {
    const start = at + MARKER.length + 8;
    if (text[start] !== "{") continue;
    const length = Number(new DataView(file.buffer, start - 8).getBigUint64(0, true));
    return JSON.parse(new TextDecoder().decode(file.subarray(start, start + length)));
  }
  throw new Error("The executable has no metadata");
}
