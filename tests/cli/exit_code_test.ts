import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ExitCode } from "../../lib/command/exit_code.ts";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { type CommandResult, proxyCommand, runCommand } from "../support/command.ts";
import { freePort } from "../support/free_port.ts";
import { startImpostor } from "../support/impostor.ts";
import { type SamBridgeOptions, startSamBridge } from "../sam_bridge/bridge.ts";
import { startSite } from "../support/site.ts";
import { readToEnd, writeAll } from "../support/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

/** How a start is to fail: a part of each error, and of some hint each, in order. */
interface Failure {
  code: ExitCode;
  errors: readonly string[];
  hints?: readonly string[];
  /** How many hints there are. @default {any number} */
  hintCount?: number;
}

/** Runs i2p-socks to its end; one that serves instead is killed. */
async function runProxy(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const command = proxyCommand(args);
  return await runCommand(command.program, command.args, {
    env: { DENO_NO_UPDATE_CHECK: "1", ...env },
    timeout: 60_000,
  });
}

function assertFails(result: CommandResult, { code, errors, hints = [], hintCount }: Failure, name = ""): void {
  const talk = parseTalk(result.stderr);
  assertEquals(result.code, code, `${name}: ${result.stderr}`);
  assertEquals(result.stdout, "");
  assertEquals(talk.errors.length, errors.length, result.stderr);
  errors.forEach((error, i) => assertStringIncludes(talk.errors[i] ?? "", error));
  for (const hint of hints) assert(talk.hints.some((given) => given.includes(hint)), `no hint "${hint}"`);
  if (hintCount !== undefined) assertEquals(talk.hints.length, hintCount, result.stderr);
}

const usage = (...errors: string[]): Failure => ({ code: 2, errors, hints: ["i2p-socks --help"] });
const NOT_LOOPBACK = "is not a loopback address, and only 127.0.0.1, [::1] and localhost are permitted";

const USAGE: { args: string[]; env?: Record<string, string>; fails: Failure }[] = [
  {
    args: ["--lisen", "127.0.0.1:0"],
    fails: { code: 2, errors: ['Unknown option "--lisen"'], hints: ["Did you mean --listen?", "--help"] },
  },
  {
    args: ["--sam-pasword-file=/x"],
    fails: { code: 2, errors: ['"--sam-pasword-file"'], hints: ["Did you mean --sam-password-file?"] },
  },
  { args: ["srve"], fails: { code: 2, errors: ['Unknown verb "srve"'], hints: ["Did you mean serve?"] } },
  { args: ["serve", "stats.i2p"], fails: { code: 2, errors: ['"stats.i2p"'] } },
  { args: ["lookup"], fails: { code: 2, errors: ["No name to look up"], hints: ["lookup NAME..."] } },
  { args: ["lookup", "x.i2p", "--listen", "1"], fails: { code: 2, errors: ["lookup has no option --listen"] } },
  { args: ["help", "lokup"], fails: { code: 2, errors: ['"lokup"'], hints: ["Did you mean lookup?"] } },
  { args: ["--listen"], fails: usage('--listen "": a value is missing') },
  { args: ["--listen", "127.0.0.1"], fails: usage('--listen "127.0.0.1": the port is missing') },
  { args: ["--listen", "127.0.0.1:"], fails: usage('--listen "127.0.0.1:": the port is missing') },
  { args: ["--listen", "70000"], fails: usage("70000 is above 65535") },
  { args: ["--listen", "::1:4447"], fails: usage("stands in brackets") },
  { args: ["--sam", "127.0.0.1:0"], fails: usage('--sam "127.0.0.1:0": port 0') },
  ...["0.0.0.0", "10.0.0.1", "example.com", "[::]", "127.0.0.2", "localhost.example.com"].flatMap((host) => [
    {
      args: ["--listen", `${host}:4447`],
      fails: usage(`Cannot use --listen "${host}:4447": "${host}" ${NOT_LOOPBACK}`),
    },
    { args: ["--sam", `${host}:7656`], fails: usage(`Cannot use --sam "${host}:7656": "${host}" ${NOT_LOOPBACK}`) },
  ]),
  {
    args: [
      "--listen",
      "10.0.0.1:1",
      "--listen",
      "127.0.0.1:0",
      "--sam",
      "example.com:1",
      "--length",
      "9",
      "--name",
      "a b",
    ],
    fails: usage('--listen "10.0.0.1:1"', '--sam "example.com:1"', '--name "a b"', '--length "9"'),
  },
  { args: ["--sam-user", "me"], fails: usage("--sam-user and --sam-password-file go together") },
  {
    args: [],
    env: { I2P_SOCKS_LISTEN: "0.0.0.0:1", I2P_SOCKS_SAM: "7656x" },
    fails: usage('I2P_SOCKS_LISTEN "0.0.0.0:1"', 'I2P_SOCKS_SAM "7656x"'),
  },
  {
    args: [],
    env: { I2P_SOCKS_UDP: "yes", I2P_SOCKS_LOG_LEVEL: "loud" },
    fails: usage('I2P_SOCKS_UDP "yes"', 'I2P_SOCKS_LOG_LEVEL "loud"'),
  },
  {
    args: ["lookup", "x.i2p"],
    env: { I2P_SOCKS_LISTN: "9050" },
    fails: { code: 2, errors: ["Unknown environment variable I2P_SOCKS_LISTN"], hints: ["I2P_SOCKS_LISTEN"] },
  },
  { args: ["--no-length=0"], fails: { code: 2, errors: ['Unknown option "--no-length"'], hints: ["--length"] } },
  { args: ["--no-udp=1"], fails: { code: 2, errors: ["--no-udp takes no value"] } },
  {
    args: ["--hosts", "/no/such/hosts", "--auth-file", "/no/such/logins"],
    fails: {
      code: 2,
      errors: [
        'Cannot read --auth-file "/no/such/logins": there is no such file',
        'Cannot read --hosts "/no/such/hosts": there is no such file',
      ],
      hints: ["--help"],
    },
  },
];

Deno.test("2: what cannot be used is named, all of it, with what was meant", async () => {
  for (const { args, env = {}, fails } of USAGE) {
    const result = await runProxy(args, env);
    assertFails(result, fails);
  }
});

Deno.test("69: nothing at the port of the SAM bridge", async () => {
  const port = freePort();
  const fails: Failure = {
    code: 69,
    errors: [`Nothing answers at 127.0.0.1:${port}: no SAM bridge (connection refused)`],
    hints: ["i2pd: start it", "i2pd.conf", "http://127.0.0.1:7657/configclients"],
  };
  const sam = ["--sam", `127.0.0.1:${port}`];
  assertFails(await runProxy(["--listen", "127.0.0.1:0", ...sam]), fails);
  assertFails(await runProxy(["lookup", "stats.i2p", ...sam]), fails);
});

/** Services that are no SAM bridge, and what is said of them. */
const IMPOSTORS: Record<string, { serve: (conn: Deno.TcpConn) => Promise<unknown>; says: string }> = {
  "it closes at once": { serve: () => Promise.resolve(), says: "it closed the connection" },
  "garbage": { serve: (conn) => answer(conn, "\x00\xff\x80garbage\n"), says: "it gave an unexpected reply" },
  "an SSH server": { serve: (conn) => answer(conn, "SSH-2.0-OpenSSH_9.2\r\n"), says: "it gave an unexpected reply" },
  "another line of SAM": {
    serve: (conn) => answer(conn, "STREAM STATUS RESULT=OK\n"),
    says: "it gave an unexpected reply",
  },
  "HELLO REPLY without a version": {
    serve: (conn) => answer(conn, "HELLO REPLY RESULT=OK\n"),
    says: "it gave an unexpected reply",
  },
  "a megabyte without a line end": {
    serve: (conn) => answer(conn, "HELLO REPLY RESULT=OK ".padEnd(1_000_000, "x")),
    says: "it gave an unexpected reply",
  },
  "silence": { serve: readToEnd, says: "it does not answer" },
};

/** Takes a line, answers, and leaves it to the client to close. */
async function answer(conn: Deno.TcpConn, text: string): Promise<void> {
  await conn.read(new Uint8Array(1024));
  await writeAll(conn, Uint8Array.from(text, (char) => char.charCodeAt(0)));
  await readToEnd(conn);
}

Deno.test("69: what listens there is no SAM bridge", async () => {
  await using site = await startSite();
  const ports = [{ name: "a web server", port: site.port, says: "it gave an unexpected reply" }];
  await using impostors = new AsyncDisposableStack();
  for (const [name, { serve, says }] of Object.entries(IMPOSTORS)) {
    const { port } = impostors.use(startImpostor(serve));
    ports.push({ name, port, says });
  }
  // All at once: the silent one takes the ten seconds that a bridge has for its HELLO. Which of them is waited for and
  // which is not shows in what is said: of one that was waited for, that it does not answer.
  await Promise.all(ports.map(async ({ name, port, says }) => {
    const result = await runProxy(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${port}`]);
    const error = `127.0.0.1:${port} is not a SAM bridge: ${says}`;
    assertFails(result, { code: 69, errors: [error], hints: ["7656", "4444"] }, name);
  }));
});

const KEY_FIX = REASONS["key-refused"].fix?.i2pd ?? "";

/** What a router says instead of a session, and how the program ends. */
const REFUSED_SESSIONS: { name: string; options: SamBridgeOptions; fails: Failure }[] = [
  {
    name: "its own words",
    options: saying('SESSION STATUS RESULT=I2P_ERROR MESSAGE="Too many tunnels, \\"later\\""'),
    fails: { code: 1, errors: ['I2P_ERROR (Too many tunnels, "later")'] },
  },
  {
    name: "a result of its own",
    options: saying("SESSION STATUS RESULT=SHUTTING_DOWN"),
    fails: { code: 1, errors: ["the router answered SHUTTING_DOWN"] },
  },
  {
    name: "keys that are none",
    options: saying("SESSION STATUS RESULT=OK DESTINATION=AAAA"),
    fails: { code: 1, errors: ["its answer is not SAM"] },
  },
  {
    name: "tunnels took too long",
    options: saying('SESSION STATUS RESULT=TIMEOUT MESSAGE="no tunnels"'),
    fails: { code: 75, errors: ["TIMEOUT (no tunnels)"] },
  },
  {
    name: "the key is one of another router: what helps with both is said once",
    options: saying("SESSION STATUS RESULT=INVALID_KEY"),
    fails: { code: 1, errors: ["INVALID_KEY"], hints: [KEY_FIX], hintCount: 1 },
  },
  {
    name: "it stops",
    options: saying(),
    fails: { code: 69, errors: ["the router closed the connection before tunnels were ready"], hints: ["start it"] },
  },
  {
    name: "it speaks no 3.1",
    options: saying("HELLO REPLY RESULT=NOVERSION", "HELLO"),
    fails: { code: 69, errors: ["NOVERSION"], hints: ["upgrade it"] },
  },
];

/** A bridge that answers a command with a line of its own, or closes. */
function saying(line?: string, to = "SESSION CREATE"): SamBridgeOptions {
  return {
    intercept: async (command, socket) => {
      if (!command.startsWith(to)) return false;
      if (line === undefined) socket.close();
      else await socket.write(`${line}\n`);
      return true;
    },
  };
}

Deno.test("1, 69, 75: the router refuses the session, and its words are passed on", async (t) => {
  for (const { name, options, fails } of REFUSED_SESSIONS) {
    await t.step(name, async () => {
      await using bridge = await startSamBridge(options);
      assertFails(await runProxy(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`]), fails);
    });
  }
});

Deno.test("1: words of the router cannot move the cursor or begin a line", async () => {
  const message = "\x1b[2J\x1b]0;owned\x07gone\rover";
  await using bridge = await startSamBridge(saying(`SESSION STATUS RESULT=I2P_ERROR MESSAGE="${message}"`));
  const { code, stderr } = await runProxy(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "gone");
  assert(!/[^\x20-\x7e\n]/.test(stderr), JSON.stringify(stderr));
});

Deno.test("73: a port that the user named is taken, by another program or by itself", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using bridge = await startSamBridge();
  const other = freePort();
  for (const ports of [[taken.addr.port], [other, other]]) {
    const listen = ports.flatMap((port) => ["--listen", `127.0.0.1:${port}`]);
    assertFails(await runProxy([...listen, "--sam", `127.0.0.1:${bridge.port}`]), {
      code: 73,
      errors: [`Cannot listen on 127.0.0.1:${ports[0]}: the port is taken`],
      hints: ["--listen"],
    });
  }
  assertEquals(bridge.lines, [], "the router was asked before the port was had");
});

Deno.test("77: a permission is missing, and the flag that needs it is named", async () => {
  const [sam, listen] = [freePort(), freePort()];
  const args = ["--sam", `127.0.0.1:${sam}`, "--listen", `127.0.0.1:${listen}`];
  const env = "--allow-env=I2P_SOCKS_*";
  const cases: { grants: string[]; args: string[]; missing: string[] }[] = [
    // What the user may have set there must not be passed over.
    { grants: [], args: [], missing: ["the environment variable I2P_SOCKS_LISTEN", "--listen"] },
    { grants: ["--allow-net"], args: ["--listen", "0"], missing: ["the environment variable I2P_SOCKS_SAM", "--sam"] },
    { grants: [], args: ["lookup", "stats.i2p"], missing: ["the environment variable I2P_SOCKS_SAM", "--sam"] },
    { grants: [], args, missing: ["the environment variable I2P_SOCKS_SAM_USER", "--sam-user"] },
    { grants: [env], args, missing: [`network access to 127.0.0.1:${sam}`, "--sam"] },
    { grants: [env], args: [], missing: ["network access to 127.0.0.1:7656", "--sam"] },
    { grants: [env], args: ["lookup", "stats.i2p"], missing: ["network access to 127.0.0.1:7656", "--sam"] },
    { grants: [env, `--allow-net=127.0.0.1:${listen}`], args, missing: [`127.0.0.1:${sam}`, "--sam"] },
    {
      grants: [env, "--allow-net=127.0.0.1"],
      args: [...args, "--listen", "[::1]:0"],
      missing: ["[::1]:0", "--listen"],
    },
    {
      grants: [env, "--allow-net=127.0.0.1"],
      args: [...args, "--identity", "me"],
      missing: ["the environment variable ", "--keys-dir"],
    },
    {
      grants: [env, "--allow-net=127.0.0.1"],
      args: [...args, "--identity", "me", "--keys-dir", "keys"],
      missing: ['read access to "keys"', "--keys-dir"],
    },
    {
      grants: [env, "--allow-net=127.0.0.1", "--allow-read"],
      args: [...args, "--identity", "me", "--keys-dir", "keys"],
      missing: ['write access to "keys"', "--keys-dir"],
    },
    {
      grants: [env, "--allow-net=127.0.0.1"],
      args: [...args, "--auth-file", "README.md"],
      missing: ['read access to "README.md"', "--auth-file"],
    },
    {
      grants: [env, "--allow-net=127.0.0.1"],
      args: [...args, "--sam-user", "me", "--sam-password-file", "README.md"],
      missing: ['read access to "README.md"', "--sam-password-file"],
    },
  ];
  for (const { grants, args, missing } of cases) {
    const result = await runCommand(Deno.execPath(), ["run", "--no-prompt", "--quiet", ...grants, "main.ts", ...args], {
      timeout: 30_000,
    });
    assertFails(result, { code: 77, errors: ["Missing permission: "], hints: ["deno run -P main.ts"] });
    for (const part of missing) assertStringIncludes(result.stderr, part);
  }
});

Deno.test("77: port 53 is closed to the program on purpose, and the hint says why", async () => {
  for (const args of [["--listen", "127.0.0.1:53"], ["lookup", "stats.i2p", "--sam", "[::1]:53"]]) {
    const result = await runProxy(args);
    assertFails(result, { code: 77, errors: [`${args.at(-1)}: port 53 is closed to the program`], hints: ["DNS"] });
    assertEquals(result.stderr.includes("deno run -P"), false, result.stderr);
  }
});

Deno.test("77: the runtime permits the two ports, but not the connection of the process to itself", async () => {
  const [sam, listen] = [freePort(), freePort()];
  const net = `--allow-net=127.0.0.1:${sam},127.0.0.1:${listen}`;
  const args = ["main.ts", "--sam", `127.0.0.1:${sam}`, "--listen", `127.0.0.1:${listen}`];
  const { code, stderr } = await runCommand(Deno.execPath(), [
    "run",
    "--no-prompt",
    "--quiet",
    "--allow-env",
    net,
    ...args,
  ], {
    timeout: 30_000,
  });
  assertEquals(code, 77, stderr);
  assertStringIncludes(stderr, "i2p-socks: error: Missing permission: network access to 127.0.0.1");
});

Deno.test("help, version and wrong usage need no permission", async () => {
  const run = (...args: string[]): Promise<CommandResult> =>
    runCommand(Deno.execPath(), ["run", "--no-prompt", "--quiet", "main.ts", ...args]);
  assertEquals((await run("--help")).code, 0);
  assertEquals((await run("--version")).code, 0);
  assertEquals((await run("--lisen")).code, 2);
});
