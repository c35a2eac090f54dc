import { assert, assertEquals } from "@std/assert";
import { DRAIN_TIMEOUT } from "../../lib/server/applications.ts";
import { type CommandResult, runCommand } from "../support/command.ts";
import { CurlLoop } from "../clients/curl_traffic.ts";
import { e2eTest } from "../support/e2e.ts";
import { type PrivateNet, socksGet, startPrivateNet } from "./private_net.ts";
import { descriptors, residentMemory } from "../support/process_status.ts";
import { type ProxyProcess, startProxyProcess } from "../support/proxy_process.ts";
import { fetchBySam, type SamReference } from "../sam_bridge/reference.ts";
import { bytesSha256 } from "../support/site.ts";
import { delay, until, untilItWorks } from "../support/wait.ts";

/** How often the router is killed. Each time takes half a minute, so ten times are left to `deno task chaos`. */
const ROUNDS = Number(Deno.env.get("I2P_SOCKS_CHAOS_ROUNDS") ?? 3);

/**
 * Milliseconds from the first answer that a plain SAM client gets to that of a client of i2p-socks. The router's own SOCKS
 * proxy is no measure: i2pd 2.45.1 tells no SAM client that its tunnels stand before 20 s have passed.
 */
const RECOVERY = 30_000;

/** Milliseconds after which what did not come in a round will not come. */
const ROUND_TIMEOUT = 90_000;

/** Seconds that a client is held, and that curl has, generous: one that nobody answers would take all of them. */
const CONNECT_TIMEOUT = 4;
const CURL_TIMEOUT = 25;

/** Bytes by which memory may have grown after the second kill. */
const GROWTH = 30_000_000;

/** Milliseconds for streams whose end the router has lost: the proxy ends them after a minute of silence. */
const SETTLING = 75_000;

/** Milliseconds besides a bound, for a slow machine: what is bounded would take a minute otherwise. */
const SLACK = 20_000;

/** What may become of a fetch while routers come and go: the answers are for no session, no stream, no answer in time. */
const ANSWERED = /^(ok|closed|SOCKS reply ([1346]|91))$/;

/** The applications of the proxy that goes through it all. */
const APPLICATIONS = ["transient", "lasting"];

/** Milliseconds after SAM has answered HELLO. */
interface Round {
  /** When the router's own SOCKS proxy reached the site. */
  socks: number;
  /** When a plain SAM client did. */
  sam: number;
  /** When each loop did, by the first byte of its answer. */
  loops: number[];
  /** Bytes of memory then. */
  memory: number;
}

e2eTest("clients are served again each time that the router was killed", ["i2pd", "curl"], async (t) => {
  await using net = await startPrivateNet();
  const options = ["--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions];
  const [proxy, finishing, cut] = await Promise.all([
    startApplications(net, options),
    startProxyProcess(options),
    startProxyProcess(options),
  ]);
  await using started = new AsyncDisposableStack();
  for (const one of [proxy, finishing, cut]) started.use(one);
  const before = await descriptors(proxy.pid);

  await t.step("a download that is running at SIGTERM ends whole, another one is cut at the bound", async () => {
    await Promise.all([expectWhole(finishing, net), expectCut(cut, net)]);
  });

  const loops = startTraffic(proxy, net);
  for (const loop of loops) started.use(loop);
  await Promise.all(loops.map((loop) => loop.nextSuccess(ROUND_TIMEOUT)));
  const rounds: Round[] = [];
  for (let n = 1; n <= ROUNDS && rounds.length === n - 1; n++) {
    await t.step(`kill ${n}: the same process serves all of them again`, async () => {
      const { reference, ...times } = await killAndMeasure(net, loops, n === ROUNDS);
      started.use(reference);
      rounds.push({ ...times, memory: await residentMemory(proxy.pid) });
    });
  }
  await Promise.all(loops.map((loop) => loop.stop()));

  await t.step(`no later than ${RECOVERY / 1000} s after the router served a plain SAM client`, () => {
    const late = rounds.flatMap(({ sam, loops }) => loops.map((time) => time - sam)).filter((wait) => wait > RECOVERY);
    assertEquals(late, [], describe(rounds, loops));
  });

  await t.step("each fetch that failed was answered or closed in time", () => {
    const outcomes = loops.flatMap(({ runs }) => runs.map(({ outcome }) => outcome));
    assertEquals(outcomes.filter((outcome) => !ANSWERED.test(outcome)), [], describe(rounds, loops));
  });

  await t.step("the log tells of each loss and each return once, and names no destination", () => {
    const count = (what: string): number => proxy.stderr().split(what).length - 1;
    const expected = ROUNDS * APPLICATIONS.length;
    assertEquals([count("Session lost"), count("Session ready again")], [expected, expected], proxy.stderr());
    for (const address of [net.siteB32, net.siteName]) assert(!proxy.stderr().includes(address), address);
  });

  await t.step("file descriptors and memory are back where they began", async () => {
    const after = await settledDescriptors(proxy.pid, before.length);
    console.log(`${describe(rounds, loops)}\nfile descriptors: ${before.length} before, ${after.length} after`);
    assertEquals(after.length, before.length, [...before, "", ...after].join("\n"));
    const [second = NaN, ...later] = rounds.slice(1).map(({ memory }) => memory);
    assert(later.every((memory) => memory <= second + GROWTH), describe(rounds, loops));
  });
});

/** One process with an application for each kind of identity. */
async function startApplications(net: PrivateNet, options: readonly string[]): Promise<ProxyProcess> {
  const config = `${net.dir}/i2p-socks.yaml`;
  await Deno.writeTextFile(
    config,
    `listen: 127.0.0.1:0
connect-timeout: ${CONNECT_TIMEOUT}s
keys-dir: ${net.dir}/keys
applications:
  - name: transient
  - name: lasting
    identity: chaos
`,
  );
  const proxy = await startProxyProcess(["--config", config, ...options], { freePort: false });
  await proxy.waitFor("stdout", /ready.*\n.*ready.*\n/, ROUND_TIMEOUT);
  return proxy;
}

function startTraffic(proxy: ProxyProcess, { siteB32 }: PrivateNet): CurlLoop[] {
  const [transient, lasting] = APPLICATIONS.map((name) =>
    new RegExp(`listen=(127\\.0\\.0\\.1:\\d+) .*name=${name}\n`).exec(proxy.stdout())?.[1] ?? ""
  );
  // The site ends each stream itself: one that only the client ends is kept for a minute, for an answer that may come.
  const always = ["--max-time", `${CURL_TIMEOUT}`, "--header", "Connection: close"];
  const loop = (name: string, path: string, ...proxy: string[]): CurlLoop =>
    new CurlLoop(name, [...always, ...proxy, `http://${siteB32}${path}`]);
  return [
    loop("page", "/", "--socks5-hostname", `${transient}`),
    loop("300 kB", "/bytes/300000", "--socks4a", `${transient}`),
    loop("slow page of a lasting identity", "/slow/20", "--socks5-hostname", `${lasting}`),
  ];
}

async function killAndMeasure(
  net: PrivateNet,
  loops: readonly CurlLoop[],
  isLast: boolean,
): Promise<Omit<Round, "memory"> & { reference: SamReference }> {
  // Into the middle of a slow page.
  await delay(1_000);
  const [{ hello, socks, reference }, ...runs] = await Promise.all([
    restartAndAsk(net),
    ...loops.map(async (loop) => {
      const run = await loop.nextSuccess(ROUND_TIMEOUT);
      // Of each hundred streams, the router loses the end of one or so, and that one is kept for a minute.
      if (isLast) await loop.stop();
      return run;
    }),
  ]);
  const after = (time: number): number => time - hello;
  return {
    socks: after(socks),
    sam: after(reference.fetched),
    loops: runs.map(({ answered }) => after(answered)),
    reference,
  };
}

/** When SAM said HELLO, and the router's own SOCKS proxy and a plain SAM client reached the site. */
async function restartAndAsk(net: PrivateNet): Promise<{ hello: number; socks: number; reference: SamReference }> {
  await net.restartRouter();
  const hello = performance.now();
  const [socks, reference] = await Promise.all([
    untilItWorks(() => socksGet(net.socksPort, net.siteB32, "/")),
    fetchBySam(net.samPort, net.siteB32, ROUND_TIMEOUT),
  ]);
  return { hello, socks, reference };
}

/** What was measured, in one line: seconds after a plain SAM client was served, for each kill. */
function describe(rounds: readonly Round[], loops: readonly CurlLoop[]): string {
  const seconds = (times: number[]): string => times.map((time) => (time / 1000).toFixed(1)).join(" ");
  const parts = loops.map(({ name }, i) =>
    `${name} ${seconds(rounds.map(({ sam, loops }) => Math.max(0, (loops[i] ?? NaN) - sam)))}`
  );
  return [
    `Seconds from a plain SAM client to the first success: ${parts.join(", ")}`,
    `SAM client after HELLO ${seconds(rounds.map(({ sam }) => sam))}`,
    `router's SOCKS after HELLO ${seconds(rounds.map(({ socks }) => socks))}`,
    `MB of memory ${rounds.map(({ memory }) => Math.round(memory / 1e6)).join(" ")}`,
    ...loops.map((loop) => `${loop.name}: ${loop.summary()}`),
  ].join("; ");
}

/** The file descriptors of a process as soon as they are as many as expected, or when that has taken too long. */
async function settledDescriptors(pid: number, expected: number): Promise<string[]> {
  const deadline = performance.now() + SETTLING;
  for (;;) {
    const found = await descriptors(pid);
    if (found.length === expected || performance.now() >= deadline) return found;
    await delay(200);
  }
}

/** A download of some four seconds: more than the sockets on its way can hold when the signal comes. */
async function expectWhole(proxy: ProxyProcess, net: PrivateNet): Promise<void> {
  const length = 20_000_000;
  const file = `${net.dir}/whole`;
  const sizeNow = (): Promise<number> => Deno.stat(file).then(({ size }) => size, () => 0);
  const download = fetch(proxy, net, `/bytes/${length}`, "--limit-rate", "5M", "--output", file);
  await until("a third of the download is there", async () => await sizeNow() > length / 3);
  proxy.signal("SIGTERM");
  await proxy.waitFor("stderr", /waiting up to 10 s for 1 connection\./);
  await untilItWorks(() => expectRefused(proxy.port), SLACK);
  const size = await sizeNow();
  assert(size < length, `${size} bytes when new clients were refused`);

  assertEquals(await download, { code: 0, stdout: "", stderr: "" });
  const status = await proxy.ended();
  assertEquals([status.code, status.signal], [143, null]);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(file));
  assertEquals(new Uint8Array(digest).toHex(), await bytesSha256(length));
}

/** A download that would take a minute. */
async function expectCut(proxy: ProxyProcess, net: PrivateNet): Promise<void> {
  const file = `${net.dir}/cut`;
  const download = fetch(proxy, net, "/slow/600", "--no-buffer", "--output", file);
  await until("a line has come", async () => (await Deno.readTextFile(file).catch(() => "")) !== "");
  const since = performance.now();
  proxy.signal("SIGTERM");
  const { code } = await download;
  const took = performance.now() - since;
  const status = await proxy.ended();
  assertEquals([code, status.code, status.signal], [18, 143, null]);
  assert(took > DRAIN_TIMEOUT - 100 && performance.now() - since < DRAIN_TIMEOUT + SLACK, `${took} ms`);
  // What came while it waited came whole: a line every 100 ms.
  assert((await Deno.readTextFile(file)).split("\n").length > 10);
}

async function fetch(proxy: ProxyProcess, net: PrivateNet, path: string, ...args: string[]): Promise<CommandResult> {
  const socks = ["--socks5-hostname", `127.0.0.1:${proxy.port}`];
  const common = ["--disable", "--silent", "--max-time", "60"];
  return await runCommand("curl", [...common, ...socks, ...args, `http://${net.siteB32}${path}`]);
}

/** @throws {Error} if a new client is let in. */
async function expectRefused(port: number): Promise<void> {
  try {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return;
    throw error;
  }
  throw new Error("Cannot go on: a new client was let in");
}
