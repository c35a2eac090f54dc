import { assert, assertEquals, assertRejects } from "@std/assert";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import {
  endpointOf,
  findApplication,
  type Instance,
  InstanceNote,
  listenerOf,
  runningInstances,
} from "../../lib/command/instances.ts";
import { createLog } from "../../lib/report/log.ts";
import { makeScratch } from "../support/scratch.ts";

function anInstance(name: string, port: number, parts: Partial<Instance> = {}): Instance {
  return {
    version: "0.1.0",
    pid: Deno.pid,
    startedAt: `2026-01-02T03:04:${String(port % 60).padStart(2, "0")}.000Z`,
    status: null,
    applications: [{ name, listen: [`127.0.0.1:${port}`], sam: "127.0.0.1:7656", ready: true, b32: null }],
    ...parts,
  };
}

/** Runs a test with a runtime folder of its own. */
async function withFolder(test: (folder: string, log: string[]) => Promise<void>): Promise<void> {
  await using scratch = await makeScratch();
  const before = Deno.env.get("XDG_RUNTIME_DIR");
  Deno.env.set("XDG_RUNTIME_DIR", scratch.dir);
  try {
    await test(`${scratch.dir}/i2p-socks`, []);
  } finally {
    if (before === undefined) Deno.env.delete("XDG_RUNTIME_DIR");
    else Deno.env.set("XDG_RUNTIME_DIR", before);
  }
}

const silent = createLog({ level: "error", format: "text", destinations: false, write: () => {} });

async function makeNote(instance?: Instance): Promise<InstanceNote> {
  const note = await InstanceNote.make(silent);
  assert(note !== undefined);
  if (instance !== undefined) await note.update(instance);
  return note;
}

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "a note is there for its user alone, as long as the instance runs, and says what it last said",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      assertEquals(await runningInstances(), []);
      const note = await makeNote(anInstance("a-name-that-is-long", 9101));
      const [path = ""] = note.paths;
      assertEquals([(await Deno.stat(folder)).mode, (await Deno.stat(path)).mode].map((mode) => (mode ?? 0) & 0o777), [
        0o700,
        0o600,
      ]);
      await note.update(anInstance("b", 9102));
      assertEquals(await runningInstances(), [anInstance("b", 9102)]);
      const other = await makeNote(anInstance("c", 9103));
      assertEquals((await runningInstances()).map(({ applications: [one] }) => one?.name), ["b", "c"]);
      await note.remove();
      await note.update(anInstance("d", 9104));
      assertEquals(await runningInstances(), [anInstance("c", 9103)]);
      await other.remove();
      assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    }),
});

Deno.test({
  name: "what is no note of a running instance of this user is passed over",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const note = await makeNote();
      const [path = ""] = note.paths;
      const write = (text: string): Promise<void> => Deno.writeTextFile(path, text);
      const wrong = [
        "",
        "{",
        "null",
        "[]",
        JSON.stringify({ ...anInstance("a", 9101), applications: [{}] }),
        JSON.stringify(anInstance("a", 9101, { status: "192.0.2.1:80" })),
        JSON.stringify(anInstance("a", 9101)).replace("127.0.0.1:9101", "example.com:80"),
        JSON.stringify(anInstance("a", 9101)).replace('"version"', '"edition"'),
      ];
      for (const text of wrong) {
        await write(text);
        assertEquals(await runningInstances(), [], text);
      }
      await write(JSON.stringify(anInstance("a", 9101)));
      assertEquals((await runningInstances()).length, 1);
      await Deno.chmod(path, 0o644);
      assertEquals(await runningInstances(), [], "others could have written it");
      await Deno.chmod(path, 0o600);
      await Deno.chmod(folder, 0o755);
      assertEquals(await runningInstances(), [], "others could have put it there");
      await Deno.chmod(folder, 0o700);
      assertEquals((await runningInstances()).length, 1);

      // Of a process that was killed: nobody holds its lock, and the next start removes it.
      for (const name of ["4194999.json", "4194999.lock"]) {
        await Deno.writeTextFile(`${folder}/${name}`, JSON.stringify(anInstance("dead", 9105)), { mode: 0o600 });
      }
      assertEquals((await runningInstances()).map(({ applications: [one] }) => one?.name), ["a"]);
      await (await makeNote()).remove();
      assertEquals((await Array.fromAsync(Deno.readDir(folder))).length, 2);
      await note.remove();
    }),
});

Deno.test({
  name: "an application is found by its name, or because it is the only one; none is guessed",
  ignore,
  fn: () =>
    withFolder(async () => {
      assertEquals(await findApplication(undefined), undefined);
      const hintsOf = async (name: string | undefined): Promise<readonly string[]> =>
        (await assertRejects(() => findApplication(name), CliError)).hints;
      assertEquals(await hintsOf("irc"), ["No i2p-socks of this user runs"]);
      const irc = await makeNote(anInstance("irc", 9101));
      const found = await findApplication(undefined);
      assertEquals(found && listenerOf(found.application), { hostname: "127.0.0.1", port: 9101 });
      assertEquals(await endpointOf("irc"), { hostname: "127.0.0.1", port: 9101 });
      assertEquals(await endpointOf({ hostname: "::1", port: 7 }), { hostname: "::1", port: 7 });
      assertEquals(await hintsOf("web"), ["There is irc at 127.0.0.1:9101"]);
      const web = await makeNote(anInstance("web", 9102));
      assertEquals(await hintsOf(undefined), [
        "Add --name NAME",
        ...["irc at 127.0.0.1:9101", "web at 127.0.0.1:9102"],
      ]);
      assertEquals((await findApplication("web"))?.application.listen, ["127.0.0.1:9102"]);
      await web.update(anInstance("irc", 9102));
      const error = await assertRejects(() => findApplication("irc"), CliError, "give an address");
      assertEquals(error.code, ExitCode.usage);
      // A name would not tell them apart.
      const places = ["irc at 127.0.0.1:9101", "irc at 127.0.0.1:9102"];
      assertEquals(error.hints, ["Add --via HOST:PORT, or start each with a --name of its own", ...places]);
      assertEquals(await hintsOf(undefined), error.hints);
      const setup = await assertRejects(() => findApplication(undefined, "--listen"), CliError);
      assertEquals(setup.hints[0], "Add --listen HOST:PORT, or start each with a --name of its own");
      await irc.remove();
      await web.remove();
    }),
});

Deno.test({
  name: "without a private folder there is no note, and nothing fails",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      await Deno.mkdir(folder, { mode: 0o755 });
      assertEquals(await InstanceNote.make(silent), undefined);
      await Deno.remove(folder);
      await Deno.writeTextFile(folder, "");
      assertEquals(await InstanceNote.make(silent), undefined);
      assertEquals(await runningInstances(), []);
    }),
});
