import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { encodeHex } from "@std/encoding/hex";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../../lib/report/log.ts";
import { proxyCommand } from "../support/command.ts";
import { type ProxyChild, spawnProxy } from "../support/proxy_process.ts";
import { ADDRESSES, askFor, FOREIGN_NAMES, sendGarbage } from "../clients/requests.ts";
import { type PublishedService, publishService, type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import type { SamSocket } from "../sam_bridge/bridge.ts";
import { atMost } from "../sam_bridge/wire.ts";
import { startSite } from "../support/site.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";

const LOGIN = { user: "quillfish", password: "ananas-compote" };
const WRONG_LOGINS = [{ user: "quillfish", password: "papaya-salad" }, {
  user: "moonfish",
  password: "guava-jam",
}] as const;

/** Where clients go that end in every other way than by a name that is not of I2P. */
const PLACES = {
  served: "wobbegong.i2p",
  unknown: "coelacanth.i2p",
  denied: "lumpsucker.i2p",
  failing: "oarfish.i2p",
  malformed: "snail_fish.i2p",
  short: "sculpin.b32.i2p",
  gone: `${"d".repeat(52)}.b32.i2p`,
  ownName: "sawfish.i2p",
  ownTarget: `${"e".repeat(51)}a.b32.i2p`,
} as const;

/** What applications send and sites answer; no log has a use for any of it. */
const PAYLOAD = {
  path: "/hagfish-page",
  secret: "gulper-eel-4711",
  agent: "Stonefish/7.0 (Linux armv7l)",
  cookie: "c00kie-of-the-blobfish",
  referer: "http://clearnet-barracuda.example/",
  nick: "pufferfish-nick",
  answer: "answer-of-the-anglerfish",
};

/** Names that the program uses itself, and addresses of this machine that it listens on or connects to. */
const OWN_WORDS = /^(127\.0\.0\.1|::1?|localhost|\[::1\]|127\.1|\W*)$/i;

/** A folder with the files that the program is given. */
async function makeFiles(): Promise<{ dir: string } & AsyncDisposable> {
  const dir = await Deno.makeTempDir({ prefix: "i2p-socks-log-" });
  await Deno.writeTextFile(`${dir}/hosts`, `${PLACES.ownName} ${PLACES.ownTarget}\n`);
  await Deno.writeTextFile(`${dir}/secrets`, `${PAYLOAD.secret}\n`);
  await Deno.writeTextFile(`${dir}/logins`, `${LOGIN.user}:${LOGIN.password}\n`);
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

/** What the program is to do: one application for everybody with a lasting identity, one with logins that blocks. */
function configurationOf(dir: string, sam: number, name: string): string {
  return `sam: 127.0.0.1:${sam}
secrets-file: ${dir}/secrets
hosts: ${dir}/hosts
deny: ${PLACES.denied}
applications:
  - {name: open, listen: "127.0.0.1:0", identity: ${name}, keys-dir: ${dir}/keys}
  - {name: closed, listen: "127.0.0.1:0", auth-file: ${dir}/logins, leaks: block}
`;
}

/** A bridge whose errors name what they are about, as routers' words do; notes the private keys it sees. */
function startTalkativeBridge(keys: Set<string>, echoesKeys = false): Promise<SamBridge> {
  const failed = new Set<string>();
  const intercept = async (line: string, socket: SamSocket): Promise<boolean> => {
    const isOwn = line.includes(" ID=i2p-socks-");
    const write = socket.write.bind(socket);
    if (line.startsWith("SESSION CREATE")) {
      socket.write = (text) => {
        note(text);
        return write(text);
      };
    }
    const note = (text: string): void => {
      const blob = / DESTINATION=([\w~-]{500,}=*)/.exec(text)?.[1];
      if (blob !== undefined) keys.add(blob);
    };
    note(line);
    if (isOwn && line.startsWith("STREAM CONNECT") && line.includes(PLACES.failing)) {
      await write(`STREAM STATUS RESULT=I2P_ERROR MESSAGE="Cannot reach ${PLACES.failing}: try ${PLACES.gone}"\n`);
      return true;
    }
    // The first session after a loss, once a program: its words name a destination and the very key.
    const lasting = isOwn && line.startsWith("SESSION CREATE") && / DESTINATION=([\w~-]{500,}=*)/.exec(line)?.[1];
    if (echoesKeys && lasting && failed.has(lasting) && !failed.has(`${lasting} again`)) {
      failed.add(`${lasting} again`);
      await write(`SESSION STATUS RESULT=I2P_ERROR MESSAGE="No tunnels to ${PLACES.failing} for ${lasting}"\n`);
      return true;
    }
    if (lasting) failed.add(lasting);
    return false;
  };
  return startSamBridge({ manners: "i2pd", intercept });
}

/** Every sort of client, with good and bad ends. */
async function runScenario(child: ProxyChild, service: PublishedService): Promise<void> {
  const ports = child.stdout().matchAll(/listen"?[=:]"?127\.0\.0\.1:(\d+)"?.* ?"?name"?[=:]"?(\w+)/g)
    .map(([, port, name]) => [name ?? "", Number(port)] as const);
  const { open = 0, closed = 0 } = Object.fromEntries(ports);
  const leaky = `GET ${PAYLOAD.path} HTTP/1.1\r\nHost: ${PLACES.served}\r\nUser-Agent: ${PAYLOAD.agent}\r\n` +
    `Cookie: id=${PAYLOAD.cookie}\r\nReferer: ${PAYLOAD.referer}\r\n\r\n${PAYLOAD.secret}`;
  const irc = `NICK ${PAYLOAD.nick}\r\nUSER ${PAYLOAD.nick} 0 * :${PAYLOAD.secret}\r\nNOTICE x :\x01VERSION y\x01\r\n`;
  for (const payload of [leaky, irc, `EHLO ${PAYLOAD.nick}.example.org\r\n`]) {
    assertMatch(await exchange(open, PLACES.served, payload), /answer-of/);
    assertMatch(await exchange(open, service.b32, payload), /answer-of/);
    assertEquals(await exchange(closed, PLACES.served, payload, LOGIN), "");
  }
  const { served: _served, ...places } = PLACES;
  const hosts = [...Object.values(places), ...FOREIGN_NAMES, ...ADDRESSES];
  await askFor(open, hosts);
  await askFor(closed, hosts.slice(0, 12), { login: LOGIN });
  for (const login of WRONG_LOGINS) await askFor(closed, [PLACES.served], { login });
  await sendGarbage(open);
}

/** Sends one payload as early data and behind it, and returns what comes back within its patience. */
async function exchange(port: number, host: string, payload: string, login?: typeof LOGIN): Promise<string> {
  const { reply, conn } = await socksConnect(port, host, 6667, { timeout: 20_000, ...(login && { login }) });
  try {
    if (reply.code !== 0) throw new Error(`The proxy refused: ${reply.code}`);
    await writeAll(conn, new TextEncoder().encode(payload));
    await conn.closeWrite();
    return new TextDecoder().decode(await atMost(20_000, readToEnd(conn)));
  } finally {
    conn.close();
  }
}

/** A service that answers all it gets once. */
function startService(): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async (): Promise<void> => {
    for await (const conn of listener) {
      const count = await conn.read(new Uint8Array(4_096)).catch(() => null);
      if (count !== null) await writeAll(conn, new TextEncoder().encode(PAYLOAD.answer)).catch(() => {});
      conn.close();
    }
  })();
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await serving;
    },
  };
}

/** Words that tell a destination. */
function destinationsOf(service: PublishedService): string[] {
  const words = [...Object.values(PLACES), ...FOREIGN_NAMES, ...ADDRESSES].filter((word) => !OWN_WORDS.test(word));
  return [...words, service.b32, service.destination.slice(0, 60), "2001:db8", "ffff:5db8"]
    // In JSON and in text alike, odd characters are escaped.
    .map((word) => word.split(/[^\w.:\-[\]%]/).toSorted((a, b) => b.length - a.length)[0] ?? "")
    .filter((word) => word.length >= 4);
}

/** Everything that no option lets into a log. */
async function secretsOf(dir: string, keys: Iterable<string>): Promise<string[]> {
  const words = [LOGIN, ...WRONG_LOGINS].flatMap(({ user, password }) => [user, password]);
  const agent = PAYLOAD.agent.split(" ");
  const blobs = [...keys];
  for await (const { name } of Deno.readDir(`${dir}/keys`)) {
    if (name.endsWith(".dat")) blobs.push(encodeI2pBase64(await Deno.readFile(`${dir}/keys/${name}`)));
  }
  assert(blobs.length >= 1, "no key was seen");
  return [...words, ...Object.values(PAYLOAD), ...agent, ...blobs.flatMap(piecesOf)];
}

/** Pieces of a private key in the ways that keys are written: of the public part and of the private one. */
function piecesOf(blob: string): string[] {
  const bytes = decodeI2pBase64(blob);
  const forms = [blob, encodeBase64(bytes), encodeHex(bytes)];
  return forms.flatMap((form) => [form.slice(0, 24), form.slice(-48, -24), form.slice(-24)])
    // Padding of a destination may be zeros.
    .filter((piece) => new Set(piece).size > 4);
}

/** All that a program wrote, without the one place where its own address belongs: ready lines, and the making of a key. */
function withoutOwnAddress(output: string): string {
  return output.replace(/^.*(ready listen=|"event":"ready"|Created identity).*$/gm, "");
}

Deno.test("whatever clients do, no level and no format of the log tells where they go, or any secret", async (t) => {
  await using files = await makeFiles();
  const { dir } = files;
  await using backend = startService();
  await using site = await startSite();
  for (const format of LOG_FORMATS) {
    for (const level of LOG_LEVELS) {
      for (const destinations of level === "debug" ? [false, true] : [false]) {
        const name = `${level}-${format}-${destinations ? "loud" : "quiet"}`;
        await t.step(`${level}, ${format}${destinations ? ", with --log-destinations" : ""}`, async () => {
          const keys = new Set<string>();
          await using bridge = await startTalkativeBridge(keys);
          await using service = await publishService(bridge.port, backend.port);
          await using other = await publishService(bridge.port, site.port);
          bridge.setName(PLACES.served, service.destination);
          await Deno.writeTextFile(`${dir}/config.yaml`, configurationOf(dir, bridge.port, name));
          const args = ["--config", `${dir}/config.yaml`, "--log-level", level, "--log-format", format];
          await using child = spawnProxy(proxyCommand([...args, ...(destinations ? ["--log-destinations"] : [])]));
          await child.waitFor("stdout", /ready[^]*ready.*\n/);
          await runScenario(child, service);
          const own = bridge.sessions.map(({ b32 }) => b32).filter((b32) => b32 !== service.b32 && b32 !== other.b32);
          assertEquals(await child.stop(), 143, child.stderr());

          const output = child.stdout() + child.stderr();
          assertEquals(found(await secretsOf(dir, keys), output), [], "a secret");
          assert(!/[A-Za-z0-9~+/-]{80}/.test(output.replace(/[ab]{80,}/g, "")), "something as long as a key");
          assertEquals(found(own, withoutOwnAddress(output)), [], "an own address");
          const told = found(destinationsOf(service), withoutOwnAddress(output));
          if (destinations) {
            assert(told.length > destinationsOf(service).length / 2, `only ${told}`);
            for (const place of [PLACES.served, PLACES.failing, service.b32, "93.184.216.34"]) {
              assert(told.includes(place), place);
            }
          } else assertEquals(told, []);
          const isHeard = { debug: 60, info: 60, warn: 5, error: 0 }[level];
          assert(child.stderr().split("\n").length > isHeard, child.stderr());
        });
      }
    }
  }
});

Deno.test("a router whose words repeat a destination and a key does not get them into the log", async () => {
  await using files = await makeFiles();
  const keys = new Set<string>();
  await using bridge = await startTalkativeBridge(keys, true);
  const own = ["--identity", "echoed", "--keys-dir", `${files.dir}/keys`, "--log-level", "debug"];
  const args = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`, ...own];
  await using child = spawnProxy(proxyCommand(args));
  await child.waitFor("stdout", /ready.*\n/);
  bridge.dropSessions();
  await child.waitFor("stderr", /(No new session|Router unreachable) for/);
  await child.stop();
  assertEquals(found([PLACES.failing], child.stderr()), [], "a destination");
  assertEquals(found(await secretsOf(files.dir, keys), child.stderr()), [], "a key");
});

Deno.test("a router whose words repeat a key does not get it into the error with which the program ends", async () => {
  await using files = await makeFiles();
  let key = "";
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      [, key = ""] = / DESTINATION=(\S+)/.exec(line) ?? [];
      if (key === "") return false;
      await socket.write(`SESSION STATUS RESULT=I2P_ERROR MESSAGE="Cannot use ${key}, says the test"\n`);
      return true;
    },
  });
  const own = ["--identity", "echoed", "--keys-dir", `${files.dir}/keys`, "--log-destinations"];
  await using child = spawnProxy(
    proxyCommand(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`, ...own]),
  );
  assertEquals((await child.ended()).code, 1);
  assertMatch(child.stderr(), /Cannot use \[redacted\], says the test/);
  assertEquals(found(await secretsOf(files.dir, [key]), child.stderr()), [], "a key");
});

function found(words: Iterable<string>, output: string): string[] {
  return [...new Set(words)].filter((word) => output.includes(word));
}
