import { assert, assertEquals } from "@std/assert";
import { echo } from "../support/harness.ts";
import { e2eTest } from "../support/e2e.ts";
import { cpuTicks, residentMemory } from "../support/process_status.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { socksConnect, writeAll } from "../clients/socks_client.ts";

/** Idle streams. */
const STREAMS = 2000;

/** Streams that are being opened at a time. */
const OPENED_AT_ONCE = 20;

/** Bytes of memory that an idle stream may cost, garbage of its handshake included. */
const MEMORY_PER_STREAM = 120_000;

/** Ticks of 10 ms that a process may take in a second while nothing moves. */
const IDLE_TICKS = 20;

const HOST = `${"a".repeat(52)}.b32.i2p`;

e2eTest(
  "two thousand idle streams cost little memory and no time, and they and the next one work",
  ["cat"],
  async () => {
    await using bridge = await startSamBridge({
      keepLines: false,
      intercept: async (line, socket) => {
        if (!line.startsWith("STREAM CONNECT")) return false;
        await socket.write("STREAM STATUS RESULT=OK\n");
        await echo(socket.conn).catch(() => {});
        socket.close();
        return true;
      },
    });
    const most = ["--max-connections", String(STREAMS + 1), "--max-per-client", String(STREAMS + 1)];
    await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, ...most]);
    const before = await residentMemory(proxy.pid);
    await using clients = new AsyncDisposableStack();
    const conns: Deno.TcpConn[] = [];
    const open = async (): Promise<Deno.TcpConn> => {
      const { conn, reply } = await socksConnect(proxy.port, HOST, 80, { timeout: 30_000 });
      clients.defer(() => conn.close());
      assertEquals(reply.code, 0);
      return conn;
    };
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, async () => {
      for (let i = 0; i < STREAMS / OPENED_AT_ONCE; i++) conns.push(await open());
    }));
    const since = await cpuTicks(proxy.pid);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const ticks = await cpuTicks(proxy.pid) - since;
    const perStream = (await residentMemory(proxy.pid) - before) / STREAMS;
    assert(perStream < MEMORY_PER_STREAM, `${perStream} bytes a stream`);
    assert(ticks <= IDLE_TICKS, `${ticks} ticks in a second without traffic`);
    for (const [i, conn] of [await open(), ...conns].entries()) {
      const byte = Uint8Array.of(i);
      await writeAll(conn, byte);
      const answer = new Uint8Array(2);
      assertEquals(await conn.read(answer), 1);
      assertEquals(answer[0], byte[0]);
    }
  },
);
