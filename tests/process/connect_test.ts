// deno-lint-ignore no-external-import -- the only way to a reset: see below
import { createServer } from "node:net";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { decode as text, encode as bytes } from "../support/bytes.ts";
import { runProxy } from "../support/command.ts";
import { startImpostor } from "../support/impostor.ts";
import { type PipedOptions, type PipedResult, runPiped } from "./piped.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { publishService, type SamBridge, type SamBridgeOptions, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";
import { bytesSha256, pattern } from "../support/site.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

const MEGABYTES_50 = 50_000_000;
const HELLO = bytes("hello\n");

/** A bridge with one service, `peer.i2p`. */
interface Stage extends AsyncDisposable {
  bridge: SamBridge;
  /** Options that name the bridge. */
  sam: string[];
  /** Runs `connect peer.i2p 22` with options and input. */
  connect(args?: readonly string[], options?: PipedOptions): Promise<PipedResult>;
}

async function setUp(
  serve: (conn: Deno.TcpConn) => Promise<unknown>,
  options: SamBridgeOptions = {},
  header = false,
): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const bridge = started.use(await startSamBridge(options));
  const backend = started.use(startImpostor(serve));
  const { destination } = started.use(await publishService(bridge.port, backend.port, { header }));
  bridge.setName("peer.i2p", destination);
  const everything = started.move();
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  return {
    bridge,
    sam,
    connect: (args, piped) => runPiped(["connect", "peer.i2p", "22", ...sam, ...args ?? []], piped),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

async function sha256(given: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", given)).toHex();
}

/** Answers a line with another, and ends. */
async function answerOnce(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(100);
  const count = await conn.read(buffer) ?? 0;
  await writeAll(conn, bytes(`you said ${text(buffer.subarray(0, count))}`));
}

/** Takes 50 MB and gives 50 MB at the same time, then ends; what it took goes to `took`. */
function exchange(took: (sum: string) => void): (conn: Deno.TcpConn) => Promise<void> {
  return async (conn) => {
    const all = pattern(MEGABYTES_50);
    const received = new Uint8Array(MEGABYTES_50);
    const receive = async (): Promise<void> => {
      for (let at = 0; at < received.length;) at += await conn.read(received.subarray(at)) ?? Infinity;
    };
    await Promise.all([receive(), writeAll(conn, all)]);
    took(await sha256(received));
  };
}

for (const manners of ["i2pd", "java"] as const) {
  Deno.test(`connect carries bytes both ways, says nothing, and ends with the peer, ${manners}`, async () => {
    await using stage = await setUp(answerOnce, { manners });
    for (const keepOpen of [true, false]) {
      const { code, stdout, stderr } = await stage.connect([], { input: HELLO, keepOpen });
      assertEquals([code, text(stdout), stderr], [0, "you said hello\n", ""], `stdin stays open: ${keepOpen}`);
    }
    assert(stage.bridge.lines.some((line) => /^STREAM CONNECT .* TO_PORT=22$/.test(line)));
    assertEquals(stage.bridge.sessions.length, 1, "its sessions have ended");
  });
}

Deno.test("connect takes the answer that comes after the end of stdin", async () => {
  await using stage = await setUp(async (conn) => {
    await answerOnce(conn);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await writeAll(conn, bytes("and that is all\n"));
  });
  const { code, stdout, stderr } = await stage.connect([], { input: HELLO });
  assertEquals([code, text(stdout), stderr], [0, "you said hello\nand that is all\n", ""]);
});

Deno.test("connect carries 50 MB up and 50 MB down at once, byte for byte", async (t) => {
  const sums: string[] = [];
  await using stage = await setUp(exchange((sum) => sums.push(sum)));
  const expected = await bytesSha256(MEGABYTES_50);
  const input = pattern(MEGABYTES_50);
  await t.step("through a session of its own", async () => {
    const { code, stdout, stderr } = await stage.connect([], { input });
    assertEquals([code, stderr, await sha256(stdout), sums.splice(0)], [0, "", expected, [expected]]);
  });
  await t.step("through a running proxy", async () => {
    await using proxy = await startProxyProcess(stage.sam);
    const via = ["connect", "peer.i2p", "22", "--via", `127.0.0.1:${proxy.port}`];
    const { code, stdout, stderr } = await runPiped(via, { input });
    assertEquals([code, stderr, await sha256(stdout), sums.splice(0)], [0, "", expected, [expected]]);
  });
});

Deno.test("connect is held up by whoever does not read, and holds up the peer", async () => {
  let written = 0;
  const all = pattern(MEGABYTES_50);
  await using stage = await setUp(async (conn) => {
    for (; written < all.length;) written += await conn.write(all.subarray(written, written + 65_536));
  });
  // Its stdout goes to a program that sleeps.
  const result = await runPiped([], {
    command: { program: "bash", args: ["-c", `"$@" | (sleep 2; head -c 10)`, "bash", ...shell(stage.sam)] },
  });
  assertEquals(text(result.stdout), text(all.subarray(0, 10)));
  // Buffers of the kernel take some, and grow: between 20 and 35 MB were seen.
  assert(written < 45_000_000, `${written} bytes were taken that nobody had read`);
});

Deno.test("connect ends with 1 when the peer's end is a reset, or its session is lost", async (t) => {
  await t.step("the stream is reset", async () => {
    // Of node, since a connection of Deno's ends with a proper end, whatever is left unread.
    const proxy = createServer((socket) => {
      const answers = ["\x05\x00", "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"];
      socket.on("data", () => {
        const answer = answers.shift();
        if (answer === undefined) socket.resetAndDestroy();
        else socket.write(answer, "latin1");
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    const port = typeof address === "object" ? address?.port : 0;
    const args = ["connect", "peer.i2p", "22", "--via", `127.0.0.1:${port}`];
    const { code, stderr } = await runPiped(args, { input: HELLO, keepOpen: true });
    await new Promise((resolve) => proxy.close(resolve));
    assertEquals(code, 1);
    assertStringIncludes(parseTalk(stderr).errors.join(), "The stream was cut");
  });
  await t.step("the router ends the session and its streams", async () => {
    await using stage = await setUp(async (conn) => {
      setTimeout(() => stage.bridge.dropSessions({ prefix: "i2p-socks-" }), 300);
      await readToEnd(conn);
    });
    const { code, stderr } = await stage.connect([], { input: HELLO, keepOpen: true });
    assertEquals(code, 1);
    assertStringIncludes(parseTalk(stderr).errors.join(), "the session was lost");
  });
});

/** What goes wrong: the exit code and a part of the error. */
const FAILURES: readonly { what: string; args: string[]; bridge?: SamBridgeOptions; code: number; says: string }[] = [
  { what: "no port", args: ["peer.i2p"], code: 2, says: "a host and a port" },
  { what: "too many words", args: ["peer.i2p", "22", "x"], code: 2, says: "a host and a port" },
  { what: "a port that is none", args: ["peer.i2p", "70000"], code: 2, says: '"70000"' },
  { what: "a name of the clearnet", args: ["example.com", "22"], code: 2, says: "names of I2P end in .i2p" },
  { what: "an IP address", args: ["93.184.216.34", "22"], code: 2, says: "IP address" },
  { what: "a base32 address cut short", args: ["abc.b32.i2p", "22"], code: 2, says: "52 characters" },
  {
    what: "--via and --identity",
    args: ["peer.i2p", "22", "--via", "4447", "--identity", "x"],
    code: 2,
    says: "--via",
  },
  { what: "--via-user alone", args: ["peer.i2p", "22", "--via-user", "x"], code: 2, says: "without --via" },
  { what: "--via off loopback", args: ["peer.i2p", "22", "--via", "10.0.0.1:1"], code: 2, says: "loopback" },
  { what: "nobody at --via", args: ["peer.i2p", "22", "--via", "127.0.0.1:9"], code: 69, says: "no running proxy" },
  {
    what: "nobody at --sam",
    args: ["peer.i2p", "22", "--sam", "127.0.0.1:9"],
    code: 69,
    says: "Nothing answers at 127.0.0.1:9, ",
  },
  {
    what: "a router without tunnels",
    args: ["peer.i2p", "22", "--connect-timeout", "500ms"],
    bridge: { sessionDelay: 20_000 },
    code: 75,
    says: "No tunnels were ready in time",
  },
  { what: "a name that is unknown", args: ["none.i2p", "22"], bridge: {}, code: 1, says: "address book" },
  {
    what: "a destination that is offline",
    args: [`${"a".repeat(52)}.b32.i2p`, "22"],
    bridge: {},
    code: 1,
    says: "could not reach the site",
  },
  {
    what: "a peer that refuses",
    args: ["peer.i2p", "22"],
    bridge: answering('STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="Connection refused"'),
    code: 1,
    says: "The site refused the connection (Connection refused)",
  },
  {
    what: "a router that does not answer",
    args: ["peer.i2p", "22", "--connect-timeout", "700ms"],
    bridge: answering(),
    code: 75,
    says: "No answer in time",
  },
];

Deno.test("connect tells by its exit code what went wrong, and says it on stderr alone", async (t) => {
  for (const { what, args, bridge: options, code, says } of FAILURES) {
    await t.step(what, async () => {
      await using stack = new AsyncDisposableStack();
      const bridge = options && stack.use(await startSamBridge(options));
      const sam = bridge === undefined ? [] : ["--sam", `127.0.0.1:${bridge.port}`];
      const result = await runPiped(["connect", ...args, ...sam], { keepOpen: true });
      assertEquals([result.code, result.stdout.length], [code, 0], result.stderr);
      assertStringIncludes(parseTalk(result.stderr).errors.join(), says);
    });
  }
});

/** A bridge that answers a STREAM CONNECT with a line, or not at all. */
function answering(line?: string): SamBridgeOptions {
  return {
    intercept: async (given, socket) => {
      if (!given.startsWith("STREAM CONNECT")) return false;
      if (line !== undefined) await socket.write(`${line}\n`);
      return true;
    },
  };
}

/** Replies to a request, as a SOCKS5 proxy does. */
async function reply(conn: Deno.TcpConn, code: number): Promise<void> {
  await conn.read(new Uint8Array(100));
  await conn.write(Uint8Array.of(5, 0));
  await conn.read(new Uint8Array(100));
  await conn.write(Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
}

/** What a proxy replies, and how the program ends for it. */
const REPLIES: readonly (readonly [number, number, string])[] = [
  [0x01, 1, "failed"],
  [0x02, 1, "does not permit"],
  [0x03, 75, "no session"],
  [0x04, 1, "cannot reach the site"],
  [0x05, 1, "The site refused"],
  [0x06, 75, "time limit"],
  [0x07, 1, "code 7"],
  [0xf0, 1, "offline"],
  [0xf7, 75, "time limit"],
];

Deno.test("connect tells what a proxy refuses, and what is no proxy", async (t) => {
  const through = async (serve: (conn: Deno.TcpConn) => Promise<unknown>, ...args: string[]): Promise<PipedResult> => {
    await using proxy = startImpostor(serve);
    return await runPiped(["connect", "peer.i2p", "22", "--via", `127.0.0.1:${proxy.port}`, ...args], {
      keepOpen: true,
    });
  };
  for (const [number, code, says] of REPLIES) {
    await t.step(`reply ${number}`, async () => {
      const result = await through((conn) => reply(conn, number).then(() => readToEnd(conn)));
      assertEquals([result.code, result.stdout.length], [code, 0], result.stderr);
      assertStringIncludes(parseTalk(result.stderr).errors.join(), says);
    });
  }
  await t.step("it wants a login", async () => {
    const result = await through((conn) => conn.write(Uint8Array.of(5, 255)).then(() => readToEnd(conn)));
    assertEquals([result.code, parseTalk(result.stderr).errors], [1, ["The proxy wants a login"]]);
  });
  await t.step("it speaks something else", async () => {
    const result = await through((conn) => conn.write(bytes("HTTP/1.1 400\r\n")).then(() => readToEnd(conn)));
    assertEquals(result.code, 69);
    assertStringIncludes(parseTalk(result.stderr).errors.join(), "it speaks something else");
  });
  await t.step("it closes", async () => {
    const result = await through((conn) => conn.read(new Uint8Array(100)));
    assertEquals(result.code, 69);
    assertStringIncludes(parseTalk(result.stderr).errors.join(), "it closes the connection");
  });
  await t.step("it does not answer", async () => {
    const result = await through(readToEnd, "--connect-timeout", "1s");
    assertEquals(result.code, 75);
    assertStringIncludes(parseTalk(result.stderr).errors.join(), "within 1 s");
  });
});

Deno.test("connect is told by a running proxy of this program why it refuses, with what to do", async () => {
  const answers: Readonly<Record<string, readonly [code: number, says: string]>> = {
    'CANT_REACH_PEER MESSAGE="LeaseSet not found"': [1, REASONS["lease-set-not-found"].message],
    "INVALID_KEY": [1, REASONS["name-unknown"].message],
    'CANT_REACH_PEER MESSAGE="Connection reset"': [1, REASONS["peer-refused"].message],
    "TIMEOUT": [75, REASONS["timed-out"].message],
  };
  let answer = "";
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      if (!line.startsWith("STREAM CONNECT")) return false;
      await socket.write(`STREAM STATUS RESULT=${answer}\n`);
      socket.close();
      return true;
    },
  });
  const sam = `127.0.0.1:${bridge.port}`;
  await using proxy = await startProxyProcess(["--sam", sam, "--connect-timeout", "1s"]);
  const fail = async (): Promise<PipedResult> =>
    await runPiped(["connect", "peer.i2p", "22", "--via", `${proxy.port}`]);
  for (const [given, [code, says]] of Object.entries(answers)) {
    answer = given;
    const result = await fail();
    assertEquals([result.code, parseTalk(result.stderr).errors], [code, [says]]);
  }
  await bridge.stopListening();
  bridge.dropSessions();
  await proxy.waitFor("stderr", /Router unreachable/);
  const { code, stderr } = await fail();
  assertEquals([code, parseTalk(stderr).errors], [69, [REASONS["router-down"].message]]);
  assertStringIncludes(stderr, "hint: i2pd: start the router; SAM listens on");
  assertStringIncludes(stderr, `i2p-socks check --sam ${sam} finds the cause`);
  assert(!stderr.includes("os error"), stderr);
  // ping says the same.
  const pinged = await runProxy(["ping", "peer.i2p", "--count", "1", "--via", `${proxy.port}`]);
  assertEquals(pinged.code, 69);
  assertStringIncludes(pinged.stdout, "i2pd: start the router; SAM listens on");
  assert(!/i2p-socks check (?!--sam)/.test(pinged.stdout), pinged.stdout);
});

Deno.test("connect goes through a running proxy: its session, its logins, its half-close", async (t) => {
  await using stage = await setUp(
    async (conn) => {
      await writeAll(conn, await conn.read(new Uint8Array(1000)) === null ? bytes("") : bytes("seen\n"));
    },
    {},
    true,
  );
  await using proxy = await startProxyProcess(stage.sam);
  const via = `127.0.0.1:${proxy.port}`;
  const sessions = (): number => stage.bridge.lines.filter((line) => line.startsWith("SESSION CREATE")).length;
  const before = sessions();
  await t.step("by an option, and by the environment", async () => {
    for (const [args, env] of [[["--via", via], {}], [[], { I2P_SOCKS_VIA: via }]] as const) {
      const result = await runPiped(["connect", "peer.i2p", "22", ...args], { input: HELLO, env });
      assertEquals([result.code, text(result.stdout), result.stderr], [0, "seen\n", ""]);
    }
    assertEquals(sessions(), before);
  });
  await t.step("with a login it has an identity of its own", async () => {
    await using scratch = await makeScratch();
    const file = await scratch.file("password", "x\n");
    for (const more of [[], ["--via-password-file", file]]) {
      const args = ["connect", "peer.i2p", "22", "--via", via, "--via-user", `me${more.length}`, ...more];
      assertEquals((await runPiped(args, { input: HELLO })).code, 0);
    }
    assertEquals(sessions(), before + 2);
  });
  await t.step("an option of a session is stronger than the environment", async () => {
    const { code } = await stage.connect([], { input: HELLO, env: { I2P_SOCKS_VIA: "127.0.0.1:9" } });
    assertEquals([code, sessions()], [0, before + 3]);
  });
});

Deno.test("connect keeps a lasting destination, and does not share it with a running proxy", async () => {
  await using scratch = await makeScratch();
  const callers: string[] = [];
  await using stage = await setUp(
    async (conn) => {
      const buffer = new Uint8Array(4096);
      const count = await conn.read(buffer) ?? 0;
      callers.push(text(buffer.subarray(0, count)).split(/[ \n]/, 1)[0] ?? "");
    },
    {},
    true,
  );
  const identity = ["--identity", "ssh", "--keys-dir", `${scratch.dir}/keys`];
  const proxy = await startProxyProcess([...stage.sam, ...identity]);
  const refused = await stage.connect(identity, { input: HELLO });
  await proxy.stop();
  assertEquals(refused.code, 1);
  assertStringIncludes(parseTalk(refused.stderr).errors.join(), "in use by another process");
  const { code, stderr } = await stage.connect(identity, { input: HELLO });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(await Promise.all(callers.map((caller) => b32Address(decodeI2pBase64(caller)))), [proxy.ready["b32"]]);
});

Deno.test({
  name: "connect ends at once with a signal, also while nobody reads from it",
  ignore: Deno.build.os === "windows",
  fn: async (t) => {
    await using stage = await setUp(async (conn) => {
      const megabyte = pattern(1_000_000);
      for (let i = 0; i < 1000; i++) await writeAll(conn, megabyte);
    });
    for (const [signal, code] of [["SIGTERM", 143], ["SIGHUP", 0]] as const) {
      await t.step(signal, async () => {
        const { code: ended, took, stderr } = await stage.connect([], {
          keepOpen: true,
          readsAfter: 12_000,
          started: (child) => setTimeout(() => child.kill(signal), 4_000),
        });
        assertEquals([ended, stderr], [code, ""]);
        assert(took > 3_900 && took < 11_000, `${took} ms`);
      });
    }
  },
});

/** `connect peer.i2p 22` as words for a shell. */
function shell(sam: readonly string[]): string[] {
  const executable = Deno.env.get("I2P_SOCKS_EXECUTABLE");
  const front = executable === undefined
    ? [Deno.execPath(), "run", "-P", "--no-prompt", "--quiet", "main.ts"]
    : [executable];
  return [...front, "connect", "peer.i2p", "22", ...sam];
}
