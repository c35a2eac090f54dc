import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PROJECT, proxyCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { echo } from "../support/harness.ts";
import { startImpostor } from "../support/impostor.ts";
import { pattern } from "../support/site.ts";
import { until } from "../support/wait.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";

/** Streams of a child. */
type Stream = "STDIN" | "STDOUT" | "STDERR";

/** Sets streams not to block, as a program does that shares them, and runs a command. */
const unblock = (streams: readonly Stream[]): string =>
  `use Fcntl;
fcntl($_, F_SETFL, fcntl($_, F_GETFL, 0) | O_NONBLOCK) for ${streams.map((stream) => `\\*${stream}`).join(", ")};
exec @ARGV;`;

const PIPES = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
const ENV = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

function spawn(args: readonly string[], streams: readonly Stream[]): Deno.ChildProcess {
  const { program, args: words } = proxyCommand(args);
  return new Deno.Command("perl", {
    args: ["-e", unblock(streams), program, ...words],
    cwd: PROJECT,
    env: ENV,
    ...PIPES,
  })
    .spawn();
}

e2eTest("connect loses nothing where its stdin does not block", ["perl"], async () => {
  await using bridge = await startSamBridge();
  await using service = startImpostor(echo);
  await using published = await publishService(bridge.port, service.port);
  const child = spawn(["connect", published.b32, "80", "--sam", `127.0.0.1:${bridge.port}`], ["STDIN"]);
  const sent = pattern(1_000_000);
  const writer = child.stdin.getWriter();
  // The stream is there before anything is to be read, and the answer before anybody reads it.
  await until("the stream is open", () => bridge.lines.some((line) => line.startsWith("STREAM CONNECT")));
  const writing = writer.write(sent);
  const reader = child.stdout.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(sent.length), { min: sent.length });
  assertEquals(value?.length, sent.length);
  assertEquals(value?.findIndex((byte, i) => byte !== sent[i]), -1, "the first byte that is wrong");
  await writing;
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 143);
  await reader.cancel();
  await child.stderr.cancel();
  await writer.close().catch(() => {});
});

e2eTest("connect ends where its stdout is full and does not block, and sends no byte twice", ["perl"], async () => {
  await using bridge = await startSamBridge();
  const sent = pattern(1_000_000);
  await using service = startImpostor(async (conn) => {
    await writeAll(conn, sent);
    await readToEnd(conn);
  });
  await using published = await publishService(bridge.port, service.port);
  const child = spawn(["connect", published.b32, "80", "--sam", `127.0.0.1:${bridge.port}`], ["STDOUT"]);
  // Nobody reads until it has ended.
  assertEquals((await child.status).code, 1);
  const got = new Uint8Array(await new Response(child.stdout).arrayBuffer());
  assert(got.length > 0 && got.length < sent.length);
  assertEquals(got.findIndex((byte, i) => byte !== sent[i]), -1, "the first byte that is wrong");
  assertStringIncludes(await new Response(child.stderr).text(), "it is full, and set not to wait for its reader");
  await child.stdin.close().catch(() => {});
});

e2eTest("the log goes on behind a reader that has stalled, where its pipe does not block", ["perl"], async () => {
  await using bridge = await startSamBridge();
  const options = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`, "--log-destinations"];
  const child = spawn(options, ["STDIN", "STDOUT", "STDERR"]);
  const reader = child.stdout.getReader();
  const ready = new TextDecoder().decode((await reader.read()).value);
  reader.releaseLock();
  const port = Number(/^ready listen=127\.0\.0\.1:(\d+)/.exec(ready)?.[1]);
  // More than the pipe holds, and the queue behind it.
  for (let i = 0; i < 4_000; i++) await refused(port, `${i}.example.com`);
  let log = "";
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) log += chunk;
  })();
  await until("the log goes on", () => /^\d+ lines of the log were lost$/m.test(log));
  await refused(port, "later.example.com");
  await until("what comes later is in it", () => log.includes("later.example.com"));
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 143);
  await Promise.all([child.stdin.close(), child.stdout.cancel(), reading]);
  assertMatch(log, /Ended accepted=4001 /);
});

/** A client that is refused. */
async function refused(port: number, host: string): Promise<void> {
  const { reply, conn } = await socksConnect(port, host, 80);
  conn.close();
  assertEquals(reply.code, 2);
}
