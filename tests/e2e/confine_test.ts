import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { succeeds, unless } from "../clients/client_stage.ts";
import { CONFINE, CONFINE_SCRIPT, INSIDE } from "../clients/confined.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { makeScratch, type Scratch } from "../support/scratch.ts";
import { until } from "../support/wait.ts";

/** Where nobody serves: what these programs do needs no proxy. */
const NOBODY = ["--proxy", `127.0.0.1:${freePort()}`];

/** Shells that Debian has as `sh`, and as what users have. */
const SHELLS = ["dash", "bash"];

/** Ways into a namespace; without the first the script takes the second. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  "bubblewrap": [],
  "unshare": ["bwrap"],
};

interface Stage extends AsyncDisposable {
  scratch: Scratch;
  /** The words that run a program by the script, in some shell, without some programs on PATH. */
  words(shell: string, without: readonly string[], args: readonly string[]): Promise<string[]>;
  /** Folders that the script has not removed. */
  left(): string[];
}

async function makeStage(): Promise<Stage> {
  const scratch = await makeScratch();
  const script = await scratch.file("i2p-run", CONFINE_SCRIPT);
  await Deno.mkdir(`${scratch.dir}/tmp`);
  return {
    scratch,
    words: async (shell, without, args) => {
      const path = without.length === 0 ? "" : await pathWithout(scratch.dir, without);
      const set = [`TMPDIR=${scratch.dir}/tmp`, ...(path === "" ? [] : [`PATH=${path}`])];
      return ["env", ...set, shell, script, ...NOBODY, ...args];
    },
    left: () => [...Deno.readDirSync(`${scratch.dir}/tmp`)].map(({ name }) => name),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

/** A folder of links to all programs but some. */
async function pathWithout(dir: string, without: readonly string[]): Promise<string> {
  const folder = `${dir}/bin-without-${without.join("-")}`;
  try {
    await Deno.mkdir(folder);
  } catch {
    return folder;
  }
  for (const from of ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]) {
    for await (const { name } of Deno.readDir(from)) {
      if (without.includes(name)) continue;
      await Deno.symlink(`${from}/${name}`, `${folder}/${name}`).catch(() => {});
    }
  }
  return folder;
}

/** Says that it is up, then each signal that it gets, and ends with one. */
const LISTENER = `for signal in HUP INT QUIT TERM USR1 USR2; do trap "echo got $signal; exit 42" $signal; done
echo up
while :; do sleep 0.05; done`;

e2eTest("the script is clean for shellcheck", ["shellcheck", ...SHELLS], async () => {
  await using scratch = await makeScratch();
  const script = await scratch.file("i2p-run", CONFINE_SCRIPT);
  const { code, stdout } = await runCommand("shellcheck", ["--shell", "sh", script]);
  assertEquals([code, stdout], [0, ""]);
  for (const shell of SHELLS) assertEquals((await runCommand(shell, ["-n", script])).stderr, "", shell);
  assertEquals(CONFINE_SCRIPT.split("\n").filter((line) => line.length > 120), []);
});

for (const [way, without] of Object.entries(WAYS)) {
  for (const shell of SHELLS) {
    e2eTest(`confined by ${way} with ${shell}: exit codes, signals, and nothing left`, [
      ...CONFINE,
      shell,
    ], async (t) => {
      await using stage = await makeStage();
      const start = async (program: readonly string[]): Promise<ReturnType<typeof spawnProxy>> => {
        const [first = "", ...args] = await stage.words(shell, without, program);
        return spawnProxy({ program: first, args });
      };

      await t.step("exit codes come through", async () => {
        const cases: [string[], number][] = [
          [["true"], 0],
          [["sh", "-c", "exit 42"], 42],
          [["sh", "-c", "kill -s KILL $$"], 128 + 9],
          [["sh", "-c", "kill -s TERM $$"], 128 + 15],
          [["no-such-program"], 127],
        ];
        for (const [program, code] of cases) {
          await using child = await start(program);
          assertEquals((await child.ended()).code, code, program.join(" ") + child.stderr());
        }
        assertEquals(stage.left(), []);
      });

      await t.step("words, stdin and files come through as they are", async () => {
        const [first = "", ...args] = await stage.words(shell, without, [
          ...["--", "sh", "-c", 'cat; printf "[%s]" "$@"; umask; touch "$0"'],
          ...[`${stage.scratch.dir}/touched`, "a b", "c'd", '"', "$e", "*", ""],
        ]);
        const child = new Deno.Command(first, { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
        const writer = child.stdin.getWriter();
        await writer.write(new TextEncoder().encode("typed\n"));
        await writer.close();
        const { stdout } = await child.output();
        const umask = (await runCommand("sh", ["-c", "umask"])).stdout;
        assertEquals(new TextDecoder().decode(stdout), `typed\n[a b][c'd]["][$e][*][]${umask}`);
        assert((await Deno.stat(`${stage.scratch.dir}/touched`)).isFile);
      });

      await t.step("signals reach the program, which ends by itself", async () => {
        for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const) {
          await using child = await start(["sh", "-c", LISTENER]);
          await child.waitFor("stdout", /up/);
          assertEquals(await child.stop(signal), 42, signal);
          assertEquals(child.stdout(), `up\ngot ${signal.slice(3)}\n`);
        }
        // A signal for all processes of a terminal ends none of those in between.
        const [first = "", ...args] = await stage.words(shell, without, ["sh", "-c", LISTENER]);
        await using all = spawnProxy({ program: "setsid", args: [first, ...args] });
        await all.waitFor("stdout", /up/);
        assertEquals((await runCommand("kill", ["-s", "TERM", "--", `-${all.pid}`])).code, 0);
        assertEquals((await all.ended()).code, 42, all.stderr());
        // It gets it itself, and may get it once more from the script.
        assertMatch(all.stdout(), /^up\n(got TERM\n){1,2}$/);
        // A program that has nothing to say to it ends by it.
        await using child = await start(["sh", "-c", "echo up; exec sleep 60"]);
        await child.waitFor("stdout", /up/);
        assertEquals(await child.stop("SIGINT"), 128 + 2);
        assertEquals(stage.left(), []);
      });

      await t.step("what it leaves running ends with it, and with the script, however that ends", async () => {
        const mark = `60.${crypto.getRandomValues(new Uint16Array(1))[0]}`;
        const running = async (): Promise<string> => {
          const { stdout } = await runCommand("ps", ["-eo", "args"]);
          return stdout.split("\n").filter((line) => line.includes(mark) || line.includes(stage.scratch.dir)).join(
            "\n",
          );
        };
        {
          await using child = await start(["sh", "-c", `setsid sleep ${mark} & exit 3`]);
          assertEquals((await child.ended()).code, 3);
          assertEquals([await running(), stage.left()], ["", []]);
        }
        await using child = await start(["sh", "-c", `setsid sleep ${mark} & echo up; sleep ${mark}`]);
        await child.waitFor("stdout", /up/);
        assertStringIncludes(await running(), mark);
        child.signal("SIGKILL");
        let last = "";
        await until("everything has ended", async () => (last = await running()) === "" && stage.left().length === 0)
          .catch((error) => Promise.reject(new Error(`${error}: ${last}`)));
      });

      await t.step("there is loopback only, and the program has no privileges in its namespace", async () => {
        const look = "ip -brief address; ip link add x type dummy 2>&1; grep -E '^(Cap|NoNew)' /proc/self/status";
        await using child = await start(["sh", "-c", look]);
        assertEquals((await child.ended()).code, 0, child.stderr());
        const [addresses = "", refused = "", ...rest] = child.stdout().trimEnd().split("\n");
        assertMatch(addresses, /^lo +UNKNOWN +127\.0\.0\.1\/8 127\.0\.0\.2\/8 ::1\/128 *$/);
        assertMatch(refused, /not permitted/);
        // CAP_SETFCAP is all that root has of its own namespace, and nobody else has anything.
        const bounds = (1 << 31 >>> 0).toString(16).padStart(16, "0");
        const has = Deno.uid() === 0 ? bounds : "0".repeat(16);
        assertEquals(rest.map((line) => line.replace(/\s+/, " ")), [
          ...[`CapInh: ${"0".repeat(16)}`, `CapPrm: ${has}`, `CapEff: ${has}`, `CapBnd: ${bounds}`],
          ...[`CapAmb: ${"0".repeat(16)}`, "NoNewPrivs: 1"],
        ]);
      });
    });

    e2eTest(`confined by ${way} with ${shell}: abstract sockets are out of reach, those of files are not`, [
      ...CONFINE,
      shell,
    ], async () => {
      await using stage = await makeStage();
      const name = `i2p-socks-test-${crypto.randomUUID()}`;
      const path = `${stage.scratch.dir}/desktop`;
      const serve = (address: string): ReturnType<typeof spawnProxy> =>
        spawnProxy({ program: "socat", args: [address, "SYSTEM:echo reached"] });
      await using _abstract = serve(`ABSTRACT-LISTEN:${name},fork`);
      await using _file = serve(`UNIX-LISTEN:${path},fork`);
      const ask = (address: string): string => `socat -u ${address} - 2>&1`;
      const abstract = ask(`ABSTRACT-CONNECT:${name}`);
      await until("both listen", async () => {
        const { stdout } = await runCommand("sh", ["-c", `${abstract}; ${ask(`UNIX-CONNECT:${path}`)}`]);
        return stdout === "reached\nreached\n";
      });
      const run = async (...args: string[]): Promise<string> => {
        const [first = "", ...rest] = await stage.words(shell, without, args);
        return (await runCommand(first, rest)).stdout;
      };
      assertMatch(await run("sh", "-c", abstract), /Connection refused/);
      assertEquals(await run("sh", "-c", ask(`UNIX-CONNECT:${path}`)), "reached\n");
    });
  }
}

e2eTest("--no-desktop hides the sockets of /run, and what names them", CONFINE, async () => {
  await using stage = await makeStage();
  for (const without of Object.values(WAYS)) {
    const env = ["DISPLAY=:7", "XDG_RUNTIME_DIR=/run/user/7", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/7/bus"];
    const look = 'ls -A /run; echo "$DISPLAY$XDG_RUNTIME_DIR$DBUS_SESSION_BUS_ADDRESS"';
    const words = await stage.words("sh", without, ["--no-desktop", "sh", "-c", look]);
    assertEquals((await runCommand("env", [...env, ...words])).stdout, "\n");
    const open = await stage.words("sh", without, ["sh", "-c", look]);
    assertMatch((await runCommand("env", [...env, ...open])).stdout, /.\n:7\/run\/user\/7unix:path=.*\n$/s);
  }
});

e2eTest("--print-only shows the commands, and runs none", CONFINE, async () => {
  await using stage = await makeStage();
  const args = ["--print-only", "--port", "9200", "sh", "-c", "echo 'a b'"];
  const [first = "", ...rest] = await stage.words("sh", [], args);
  const { code, stdout, stderr } = await runCommand(first, rest);
  assertEquals([code, stderr, stage.left()], [0, "", []]);
  const [bridge = "", enclosed = "", ...more] = stdout.split("\n");
  assertMatch(bridge, /^'socat' .*'TCP4:127\.0\.0\.1:\d+' $/);
  assertMatch(enclosed, /^'bwrap' .*'--unshare-net' .*'9200' .*'sh' '-c' 'echo '\\''a b'\\''' $/);
  assertEquals(more, [""]);
  // Without programs and privileges it shows the same.
  const bare = await stage.words("sh", ["bwrap", "socat", "unshare"], args);
  assertMatch((await runCommand(bare[0] ?? "", bare.slice(1))).stdout, /\n'unshare' .*'--net' /);
});

e2eTest("the script says what it cannot use", CONFINE, async () => {
  await using stage = await makeStage();
  const cases: [string[], string[], RegExp][] = [
    [[], [], /which program\?\n.*usage: /],
    [[], ["--port", "0", "true"], /port 0 is not a number from 1 to 65535/],
    [[], ["--port", "65536", "true"], /port 65536 is not/],
    [[], ["--port"], /--port needs a value/],
    [[], ["--proxy", "192.0.2.1:9050", "true"], /192\.0\.2\.1:9050 is not 127\.0\.0\.1:PORT/],
    [[], ["--prot", "true"], /unknown option --prot/],
    [["socat"], ["true"], /socat is missing \(Debian: apt install socat\)/],
  ];
  for (const [without, args, says] of cases) {
    const [first = "", ...rest] = await stage.words("sh", without, args);
    const { code, stdout, stderr } = await runCommand(first, rest);
    assertEquals([code, stdout], [125, ""], stderr);
    assertMatch(stderr, says);
  }
  const [first = "", ...rest] = await stage.words("sh", [], ["true"]);
  const { code, stderr } = await runCommand(first, rest);
  assertEquals(code, 0);
  assertMatch(stderr, /^i2p-run: nobody answers at 127\.0\.0\.1:\d+ yet: is i2p-socks running there\?\n$/);
});

e2eTest("where the kernel lets nobody have namespaces, root may, and others are told", [
  ...CONFINE,
  ...unless(succeeds("unshare", "-Ur", "sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces"), "a user namespace"),
], async () => {
  await using stage = await makeStage();
  const closed = 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"';
  const within = (...words: string[]): ReturnType<typeof runCommand> =>
    runCommand("unshare", ["-Ur", "sh", "-c", closed, "sh", ...words]);
  const root = await within(...await stage.words("sh", [], ["sh", "-c", "ip -brief link; exit 7"]));
  assertEquals(root.code, 7, root.stderr);
  assertMatch(root.stdout, /^lo +UNKNOWN .*\n$/);
  const powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
  const user = await within(...powerless, ...await stage.words("sh", [], ["true"]));
  assertEquals(user.code, 125);
  assertMatch(user.stderr, /cannot make a network namespace.*max_user_namespaces/s);
  assertEquals(stage.left(), []);
});

e2eTest("the port inside is the listener's, and can be another", CONFINE, async () => {
  await using stage = await makeStage();
  const listening = "sed -n 's/^ *[0-9]*: 0100007F:\\([0-9A-F]*\\) 00000000:0000 0A .*/\\1/p' /proc/net/tcp";
  for (const [flags, port] of [[[], INSIDE], [["--port", "9300"], 9300]] as const) {
    const [first = "", ...rest] = await stage.words("sh", [], [...flags, "sh", "-c", listening]);
    assertEquals((await runCommand(first, rest)).stdout, `${port.toString(16).toUpperCase()}\n`);
  }
});
