import { BindClient } from "../../clients/socks_bind.ts";
import { resolveName } from "../../clients/socks_resolve.ts";
import { startUdpService } from "../../sam_bridge/udp_service.ts";
import { associate } from "../../clients/socks_udp.ts";
import type { Behaviour, Seen, Stage } from "../behaviour.ts";
import { fetchBy, open } from "../client.ts";
import { message, seconds, since, sleep, within } from "../router.ts";
import { addressOf } from "../sam.ts";
import { GREETING, startWeb } from "../web.ts";

/** Bytes through a service of the program's. */
const LARGE = 5_000_000;

/** Callers at once. */
const MANY = 20;

/** Sizes of datagrams. */
const SIZES = [1, 1000, 10_000];

export const SERVING: readonly Behaviour[] = [
  {
    name: "udp",
    promise: "datagrams go and come back, of one destination with streams where the router has PRIMARY",
    run: async (stage) => {
      const { ways, options, hasPrimary } = stage.router;
      const program = await stage.program("--udp");
      await using service = await startUdpService(ways.sam, ways.samUdp, { options });
      using client = await associate(program.port, { timeout: 120_000 });
      if (client.reply.code !== 0) return { ok: false, words: `ASSOCIATE refused with ${client.reply.code}` };
      const start = performance.now();
      const back: number[] = [];
      for (const size of SIZES) {
        const text = "d".repeat(size);
        for (let attempt = 0; attempt < 5 && !back.includes(size); attempt++) {
          await client.send(service.b32, 0, text);
          const received = await client.receive(5000);
          if (received?.text.length === size) back.push(size);
        }
      }
      const sender = service.received[0]?.from;
      const isSame = sender !== undefined && await addressOf(sender) === await stage.addressOf(program);
      const words = `${back.join(", ") || "none"} of ${SIZES.join(", ")} bytes in ${seconds(since(start))}, ${
        isSame ? "the address of streams" : sender === undefined ? "no sender" : "another address"
      }`;
      return { ok: back.length === SIZES.length && isSame === hasPrimary, words };
    },
  },
  {
    name: "check-udp",
    promise: "check --udp sends a datagram to itself and gets it",
    run: async (stage) => {
      const { code, stdout } = await stage.run(["check", ...stage.flags, "--udp", "--json"]);
      const steps: { ok: boolean; step: string; reason?: string }[] = JSON.parse(stdout).steps;
      const bad = steps.filter(({ ok }) => !ok).map(({ step, reason }) => `${step}: ${reason}`);
      return { ok: code === 0 && bad.length === 0, words: [`exit ${code}`, ...bad].join(", ") };
    },
  },
  {
    name: "forward",
    promise: `callers reach local services by their ports, ${MANY} at once, and 5 MB arrive whole`,
    run: async (stage) => {
      await using other = startWeb();
      const inside = await stage.program(
        ...["--forward", `80=127.0.0.1:${stage.web.port}`, "--forward", `81=127.0.0.1:${other.port}`],
      );
      const outside = await stage.port();
      const b32 = inside.ready["b32"] ?? "";
      const text = await retry(() => fetchBy(outside, b32, "/", { timeout: 60_000 })).then(({ text }) => text, message);
      const start = performance.now();
      const all = await Promise.allSettled(
        Array.from({ length: MANY }, () => fetchBy(outside, b32, "/", { timeout: 120_000 })),
      );
      const good = all.filter((one) => one.status === "fulfilled" && one.value.text === GREETING).length;
      const took = since(start);
      const large = await fetchBy(outside, b32, `/${LARGE}`, { timeout: 120_000 }).then(
        ({ body }) => `${body}`,
        message,
      );
      const { conn } = await retry(() => open(outside, b32, 81));
      conn.close();
      return {
        ok: text === GREETING && good === MANY && large === `${LARGE} bytes, right`,
        words: `${good} of ${MANY} in ${seconds(took)}, ${large}`,
      };
    },
  },
  {
    name: "forward-header",
    promise: "--forward-header tells the service who calls",
    run: async (stage) => {
      using service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const inside = await stage.program("--forward", `127.0.0.1:${service.addr.port}`, "--forward-header");
      const outside = await stage.program();
      const line = (async (): Promise<string> => {
        using conn = await service.accept();
        const buffer = new Uint8Array(200);
        const count = await conn.read(buffer) ?? 0;
        return new TextDecoder().decode(buffer.subarray(0, count)).split("\n")[0] ?? "";
      })();
      line.catch(() => {});
      const { conn } = await retry(() => open(outside.port, inside.ready["b32"] ?? ""));
      using _conn = conn;
      await conn.write(new TextEncoder().encode("x"));
      const seen = await within(60_000, "header", line);
      return {
        ok: seen === outside.ready["b32"],
        words: seen === outside.ready["b32"] ? "the caller's address" : seen,
      };
    },
  },
  { name: "bind", promise: "a client of SOCKS 5 and of SOCKS 4 waits for a caller, and gets him", run: bind },
  {
    name: "bind-given-up",
    promise: "a client that gave up waiting takes no caller from the one who waits",
    run: async (stage) => {
      const inside = await stage.program("--bind");
      const outside = await stage.port();
      const login = { user: "gives-up", password: "x" };
      for (let i = 0; i < 2; i++) {
        using client = await BindClient.ask(inside.port, { login });
        await within(120_000, "first reply", client.reply());
      }
      await sleep(1000);
      using client = await BindClient.ask(inside.port, { login });
      const { host } = await within(120_000, "first reply", client.reply());
      const calls: string[] = [];
      const second = client.reply();
      second.catch(() => {});
      const conns: Deno.TcpConn[] = [];
      for (let attempt = 1; attempt <= 4; attempt++) {
        const { conn } = await retry(() => open(outside, host, 0));
        conns.push(conn);
        await conn.write(new TextEncoder().encode("ping")).catch(() => {});
        const got = await within(8000, "caller", second).then(() => true, () => false);
        calls.push(got ? "through" : "swallowed");
        if (got) break;
      }
      for (const conn of conns) conn.close();
      const lost = calls.filter((call) => call === "swallowed").length;
      return {
        ok: calls[0] === "through",
        words: lost === 0 ? "none lost" : `${lost} callers lost of ${calls.length}`,
      };
    },
  },
  {
    name: "map-names",
    promise: "RESOLVE gives an address, and a connection to it reaches the name",
    run: async (stage) => {
      const { port } = await stage.program("--map-names", "198.18.0.0/15");
      const { name, site } = stage.router.ways;
      const address = [...await resolveName(port, name ?? site)].join(".");
      const { text } = await fetchBy(port, address, "/");
      return { ok: text === GREETING, words: text === GREETING ? "reached by its address" : text };
    },
  },
];

async function bind(stage: Stage): Promise<Seen> {
  const inside = await stage.program("--bind");
  const outside = await stage.program();
  const own = await stage.addressOf(outside);
  const seen: string[] = [];
  let ok = true;
  let host = "";
  for (const version of [5, 4] as const) {
    const login = { user: "waits", password: "" };
    try {
      using client = await BindClient.ask(inside.port, { version, login, port: 21 });
      const first = await within(200_000, "first reply", client.reply());
      if (version === 5) host = first.host;
      const { conn } = await retry(() => open(outside.port, host, 0));
      using _conn = conn;
      await conn.write(new TextEncoder().encode("ping"));
      const second = await within(60_000, "second reply", client.reply());
      const text = new TextDecoder().decode(await within(60_000, "bytes", client.take(4)));
      const isTold = version === 4 || second.host === own;
      ok &&= isTold && text === "ping";
      seen.push(`${version}: ${isTold && text === "ping" ? "called" : `${second.host} "${text}"`}`);
    } catch (error) {
      ok = false;
      seen.push(`${version}: ${message(error)}`);
    }
  }
  return { ok, words: seen.join(", ") };
}

/** A lease set of a service may take a moment to be found. */
async function retry<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(1000);
    }
  }
}
