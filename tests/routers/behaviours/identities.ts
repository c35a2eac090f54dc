import { open } from "../client.ts";
import type { Behaviour, Stage } from "../behaviour.ts";
import { LOGIN } from "../java.ts";
import { message, seconds, since, within } from "../router.ts";
import { addressOf, SamSession } from "../sam.ts";

/** Logins that come at once. */
const MANY = 8;

/** Milliseconds that a program has for saying why it does not start. */
const END_TIMEOUT = 200_000;

export const IDENTITIES: readonly Behaviour[] = [
  {
    name: "keys",
    promise: "keys new, list, show, export, import, rotate and delete",
    run: async (stage) => {
      const dir = `${stage.dir}/key-verbs`;
      const keys = async (...args: string[]): Promise<string> => {
        const sam = ["--sam", `127.0.0.1:${stage.router.ways.sam}`];
        const { code, stdout, stderr } = await stage.run(["keys", ...args, "--keys-dir", dir, ...sam]);
        if (code !== 0) throw new Error(`keys ${args.join(" ")}: exit ${code}, ${stderr}`);
        return stdout;
      };
      const b32 = (text: string): string => /[a-z2-7]{52}\.b32\.i2p/.exec(text)?.[0] ?? "";
      await keys("new", "one");
      const first = b32(await keys("show", "one"));
      await keys("export", "one", `${dir}.dat`);
      await keys("import", "two", `${dir}.dat`);
      const second = b32(await keys("show", "two"));
      await keys("rotate", "one", "--yes");
      const rotated = b32(await keys("show", "one"));
      const listed = await keys("list");
      await keys("delete", "two", "--yes");
      const left = await keys("list");
      const ok = first !== "" && first === second && rotated !== first && listed.includes(second) &&
        !left.includes(second);
      return { ok, words: ok ? "all seven" : `${first}, ${second}, ${rotated}: ${listed} ${left}` };
    },
  },
  {
    name: "identity",
    promise: "a lasting identity has the same address after kill -9, and is ready again",
    run: async (stage) => {
      const first = await stage.start(["--identity", "lasting"]);
      const before = first.ready["b32"];
      await first.stop("SIGKILL");
      const start = performance.now();
      const second = await stage.program("--identity", "lasting");
      const took = since(start);
      const { caller } = await stage.call(second.port);
      const seen = await addressOf(caller);
      const same = before === second.ready["b32"] && seen === before;
      return { ok: same, words: `${same ? "the same" : `${before}, then ${seen}`}, again after ${seconds(took)}` };
    },
  },
  {
    name: "logins",
    promise: "each login has an address of its own, and keeps it",
    run: async (stage) => {
      const { port } = await stage.program();
      const start = performance.now();
      const callers: string[] = [];
      for (const login of [undefined, "alice", "bob", "alice"]) {
        callers.push(await addressOf((await stage.call(port, login)).caller));
      }
      const [own, alice, bob, again] = callers;
      const ok = own !== undefined && alice === again && new Set(callers).size === 3 && bob !== alice;
      return { ok, words: `${new Set(callers).size} addresses in ${seconds(since(start))}` };
    },
  },
  {
    name: "many-logins",
    promise: `${MANY} new logins at once are served within a minute`,
    run: async (stage) => {
      // Of its own, so that each of these is a new one.
      const { port } = await stage.program("--max-identities", `${MANY + 1}`);
      const start = performance.now();
      const all = await Promise.allSettled(Array.from({ length: MANY }, async (_, i) => {
        const login = { user: `many-${i}`, password: "x" };
        const { conn } = await open(port, stage.router.ways.site, 80, { login });
        conn.close();
        return since(start);
      }));
      const times = all.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
      const bad = all.flatMap((one) => one.status === "rejected" ? [message(one.reason)] : []);
      const range = times.length === 0 ? "" : ` after ${seconds(Math.min(...times))} to ${seconds(Math.max(...times))}`;
      const ok = times.length === MANY && Math.max(...times) < 60_000;
      return { ok, words: [`${times.length} of ${MANY}${range}`, ...new Set(bad)].join(", ") };
    },
  },
  {
    name: "sam-login",
    promise: "a bridge that asks for a login: told where none or a wrong one is given, served with the right one",
    run: async (stage) => {
      const { samLogin } = stage.router.ways;
      if (samLogin === undefined) return { ok: undefined, words: "no logins" };
      const flags = stage.flags.map((flag) =>
        flag === `127.0.0.1:${stage.router.ways.sam}` ? `127.0.0.1:${samLogin}` : flag
      );
      const file = `${stage.dir}/sam-password`;
      const check = async (password: string | undefined): Promise<string> => {
        const login = password === undefined ? [] : ["--sam-user", LOGIN.user, "--sam-password-file", file];
        await Deno.writeTextFile(file, `${password ?? ""}\n`, { mode: 0o600 });
        const { code, stdout } = await stage.run(["check", ...flags, "--json", ...login], END_TIMEOUT);
        const bad: { ok: boolean; reason?: string }[] = JSON.parse(stdout).steps;
        return [code, ...bad.filter(({ ok }) => !ok).map(({ reason }) => reason)].join(" ");
      };
      const seen = [await check(undefined), await check("wrong"), await check(LOGIN.password)];
      const ok = seen[0]?.endsWith("sam-login") === true && seen[1]?.endsWith("sam-login") === true && seen[2] === "0";
      return { ok, words: `none: ${seen[0]}; wrong: ${seen[1]}; right: ${seen[2]}` };
    },
  },
  {
    name: "in-use",
    promise: "a key that another program holds: told as in use, or shared where the router shares; the other goes on",
    run: async (stage) => {
      const { router } = stage;
      using holder = await SamSession.create(router.ways.sam, router.options);
      await importKey(stage, "held", holder.keys);
      const start = performance.now();
      await using second = stage.spawn(["--identity", "held"]);
      const outcome = await Promise.race([
        second.waitFor("stdout", /^ready /m, END_TIMEOUT).then(() => "ready beside it"),
        // It may wait for a session of its own that the router has not forgotten.
        second.waitFor("stderr", /still has this identity in use/, END_TIMEOUT).then(() => "told as in use, and waits"),
      ]).catch(message);
      const took = seconds(since(start));
      const reason = /reason=(\S+)/.exec(outcome)?.[1] ?? outcome.replace(/^.*?error: /, "").slice(0, 160);
      const exit = /exit code (\d+)/.exec(outcome)?.[1];
      const goesOn = await reaches(stage, holder);
      const words = [exit === undefined ? reason : `exit ${exit}, ${reason}`, took, goesOn].join("; ");
      const isTold = router.sharesDestinations
        ? outcome === "ready beside it"
        : /DUPLICATED?_DEST|in use/.test(outcome);
      return { ok: isTold && goesOn === "the other goes on", words };
    },
  },
];

/** Imports a key as SAM has it. */
async function importKey(stage: Stage, name: string, keys: string): Promise<void> {
  const file = `${stage.dir}/${name}.b64`;
  await Deno.writeTextFile(file, keys, { mode: 0o600 });
  const { code, stderr } = await stage.run(["keys", "import", name, file, "--keys-dir", `${stage.dir}/keys`]);
  if (code !== 0) throw new Error(`keys import: ${stderr}`);
}

/** Whether a session is still there for callers. */
async function reaches(stage: Stage, holder: SamSession): Promise<string> {
  try {
    const { socket, caller } = await holder.accept();
    using _socket = socket;
    const { conn } = await open(await stage.port(), await holder.b32);
    using _conn = conn;
    await conn.write(new TextEncoder().encode("x"));
    await within(30_000, "caller", caller);
    return "the other goes on";
  } catch (error) {
    return `the other is gone (${message(error).slice(0, 80)})`;
  }
}
