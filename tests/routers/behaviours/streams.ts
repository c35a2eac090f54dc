import { writeAll } from "../../clients/socks_client.ts";
import type { Behaviour } from "../behaviour.ts";
import { fetchBy, type Fetched, open, readOn, readSome } from "../client.ts";
import { message, seconds, since, sleep, within } from "../router.ts";
import { GREETING } from "../web.ts";

/** Bytes of a large transfer. */
const LARGE = 20_000_000;

/** Bytes of each of many at once. */
const SMALL = 500_000;

const MANY = 20;

/** Milliseconds without a byte after which a stream counts as hanging. */
const HANGS = 45_000;

export const STREAMS: readonly Behaviour[] = [
  {
    name: "ready",
    promise: "the ready line comes, and the bridge is spoken to in 3.1",
    run: async (stage) => {
      const start = performance.now();
      const { ready } = await stage.program();
      const took = since(start);
      return { ok: ready["sam"] === "3.1", words: `${seconds(took)}, sam=${ready["sam"]}`, figures: { ready: took } };
    },
  },
  {
    name: "check",
    promise: "check walks to an open stream, and the router's log has no error of it",
    run: async (stage) => {
      const before = (await stage.router.complaints()).length;
      const start = performance.now();
      const { code, stdout } = await stage.run(["check", ...stage.flags, "--json", stage.router.ways.site]);
      const took = since(start);
      const steps: { ok: boolean; step: string; reason?: string }[] = JSON.parse(stdout).steps;
      const bad = steps.filter(({ ok }) => !ok).map(({ step, reason }) => `${step}: ${reason}`);
      await sleep(1000);
      const complaints = (await stage.router.complaints()).slice(before);
      const words = [
        `exit ${code} in ${seconds(took)}`,
        ...bad,
        ...complaints.length === 0
          ? []
          : [`${complaints.length} errors in the router's log: ${complaints[0]?.slice(-80)}`],
      ].join(", ");
      return { ok: code === 0 && bad.length === 0 && complaints.length === 0, words };
    },
  },
  {
    name: "b32",
    promise: "a base32 address in lower and upper case, by SOCKS 5 and 4a",
    run: async (stage) => {
      const port = await stage.port();
      const { site } = stage.router.ways;
      const texts = [
        await fetchBy(port, site, "/"),
        await fetchBy(port, site.toUpperCase(), "/"),
        await fetchBy(port, site, "/", { version: 4 }),
      ];
      return { ok: texts.every(({ text }) => text === GREETING), words: texts.map(firstByte).join(", ") };
    },
  },
  {
    name: "names",
    promise: "a name of the router's address book, also in upper case and as .i2p.alt",
    run: async (stage) => {
      const port = await stage.port();
      const { name } = stage.router.ways;
      if (name === undefined) return { ok: undefined, words: "no address book" };
      const seen: string[] = [];
      let ok = true;
      for (const form of [name, name.toUpperCase(), `${name}.alt`]) {
        const text = await fetchBy(port, form, "/").then(firstByte, (error) => {
          ok = false;
          return `${form}: ${message(error)}`;
        });
        seen.push(text);
      }
      return { ok, words: seen.join(", ") };
    },
  },
  {
    name: "download",
    promise: "20 MB arrive whole",
    run: async (stage) => {
      const { body, total } = await fetchBy(await stage.port(), stage.router.ways.site, `/${LARGE}`);
      return { ok: body.count === LARGE && body.isWhole, words: `${body}, ${seconds(total)}` };
    },
  },
  {
    name: "upload",
    promise: "20 MB that are sent arrive whole",
    run: async (stage) => {
      const { text, total } = await fetchBy(await stage.port(), stage.router.ways.site, "/sum", { post: LARGE });
      return { ok: text === `${LARGE} bytes, right`, words: `${text}, ${seconds(total)}` };
    },
  },
  {
    name: "many",
    promise: "20 at once, each whole",
    run: async (stage) => {
      const port = await stage.port();
      const start = performance.now();
      const all = await Promise.allSettled(
        Array.from({ length: MANY }, () => fetchBy(port, stage.router.ways.site, `/${SMALL}`)),
      );
      const good = all.filter((one) => one.status === "fulfilled" && one.value.body.isWhole);
      const bad = all.flatMap((one) => one.status === "rejected" ? [message(one.reason)] : []);
      const words = [`${good.length} of ${MANY} in ${seconds(since(start))}`, ...new Set(bad)].join(", ");
      return { ok: good.length === MANY, words };
    },
  },
  {
    name: "half-close",
    promise: "a client that ends its side behind its request gets the whole answer",
    run: async (stage) => {
      const size = 300_000;
      const { conn } = await open(await stage.port(), stage.router.ways.site);
      using _conn = conn;
      await writeAll(conn, new TextEncoder().encode(`GET /close/${size} HTTP/1.1\r\n\r\n`));
      await conn.closeWrite();
      const { count, ended } = await readOn(() => readSome(conn), HANGS);
      const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".length;
      const words = `${count - head} of ${size} bytes behind the client's end, ${ended ? "ended" : "no end"}`;
      return { ok: count === size + head && ended, words };
    },
  },
  {
    name: "peer-close",
    promise: "the end of the peer reaches the client behind the last byte",
    run: async (stage) => {
      const size = 2_000_000;
      const { conn } = await open(await stage.port(), stage.router.ways.site);
      using _conn = conn;
      const start = performance.now();
      await conn.write(new TextEncoder().encode(`GET /close/${size} HTTP/1.1\r\n\r\n`));
      const { count, ended } = await readOn(() => readSome(conn), HANGS);
      const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".length;
      const end = ended ? `the end after ${seconds(since(start))}` : "no end";
      return { ok: count === size + head && ended, words: `${count - head} of ${size} bytes, ${end}` };
    },
  },
  {
    name: "silence",
    promise: "a stream goes on after a long silence",
    run: async (stage) => {
      const { conn } = await open(await stage.port(), stage.router.ways.site);
      using _conn = conn;
      await conn.write(new TextEncoder().encode("ECHO\nbefore"));
      const before = await word(conn, 6);
      await sleep(stage.patience.silence);
      await conn.write(new TextEncoder().encode("behind"));
      const start = performance.now();
      const behind = await word(conn, 6);
      const words = `${before}, ${seconds(stage.patience.silence)} of silence, ${behind} after ${
        seconds(since(start))
      }`;
      return { ok: before === "before" && behind === "behind", words };
    },
  },
];

function firstByte({ firstByte }: Fetched): string {
  return `${Math.round(firstByte)} ms`;
}

async function word(conn: Deno.TcpConn, length: number): Promise<string> {
  let text = "";
  while (text.length < length) {
    const buffer = new Uint8Array(64);
    const count = await within(60_000, "echo", conn.read(buffer));
    if (count === null) return `the end behind "${text}"`;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}
