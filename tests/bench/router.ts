import { findI2pd } from "../support/e2e.ts";
import { startPrivateNet } from "../e2e/private_net.ts";
import { socksConnect, writeAll } from "../clients/socks_client.ts";
import { OURS } from "./goals.ts";
import type { Stage } from "./stage.ts";
import { turns } from "./statistics.ts";
import { startProxy, type Variant } from "./variants.ts";

/** Bytes of a download through a router. */
const DOWNLOAD = 8_000_000;

/** First bytes that are waited for in one turn. */
const FIRSTS = 10;

/** Milliseconds for one answer of the site. */
const ANSWER_TIMEOUT = 60_000;

/** Milliseconds until the network stands, and until a session does. */
const BUILD_TIMEOUT = 90_000;

/** A real router: a download and the time to the first byte, through ours and through the router's own SOCKS. */
export async function measureRouter(stage: Stage): Promise<void> {
  const reason = !stage.plan.router ? "skipped by --quick" : findI2pd() === undefined ? "i2pd is not installed" : "";
  if (reason !== "") {
    stage.missing.set("i2pd", reason);
    return;
  }
  stage.say("a real router: builds tunnels for a while");
  await using net = await startPrivateNet({ timeout: BUILD_TIMEOUT });
  const { child, port } = await startProxy(net.samPort, net.sessionOptions);
  await using _child = child;
  const variants = [way(OURS, port, child.pid), way("i2pd", net.socksPort, undefined)];
  // The first stream to a destination looks up its lease set.
  for (const { via } of variants) await firstByte(Number(via), net.siteB32);
  for (const variant of turns(variants, stage.plan.rounds)) {
    await stage.attempt(variant, async () => {
      const times: number[] = [];
      for (let i = 0; i < FIRSTS; i++) times.push(await firstByte(Number(variant.via), net.siteB32));
      times.sort((a, b) => a - b);
      const seconds = await download(Number(variant.via), net.siteB32);
      return { "router-first": times[FIRSTS >> 1] ?? NaN, "router-rate": DOWNLOAD / 1e6 / seconds };
    });
  }
}

function way(name: string, port: number, pid: number | undefined): Variant {
  const nothing = (): Promise<void> => Promise.resolve();
  return { name, via: `${port}`, pid, revive: nothing, [Symbol.asyncDispose]: nothing };
}

/** Milliseconds from dialling to the first byte of an answer. */
async function firstByte(port: number, host: string): Promise<number> {
  const since = performance.now();
  await get(port, host, "/", 1);
  return performance.now() - since;
}

/** Seconds of a download. */
async function download(port: number, host: string): Promise<number> {
  const since = performance.now();
  await get(port, host, `/bytes/${DOWNLOAD}`, DOWNLOAD);
  return (performance.now() - since) / 1000;
}

/** Asks for a page, and reads so many bytes of the answer. */
async function get(port: number, host: string, path: string, bytes: number): Promise<void> {
  const { conn, reply, early } = await socksConnect(port, host, 80, { timeout: ANSWER_TIMEOUT });
  const timer = setTimeout(() => conn.close(), ANSWER_TIMEOUT);
  try {
    if (reply.code !== 0) throw new Error(`Port ${port} refuses with ${reply.code}`);
    await writeAll(
      conn,
      new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    const buffer = new Uint8Array(65_536);
    for (let got = early.length; got < bytes;) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error(`The answer ended after ${got} of ${bytes} bytes`);
      got += count;
    }
  } finally {
    clearTimeout(timer);
    try {
      conn.close();
    } catch {
      // The timer closed it.
    }
  }
}
