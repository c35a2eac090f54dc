import { type Harness, type HarnessOptions, startHarness } from "./harness.ts";
import type { SamBridgeOptions } from "./sam_bridge.ts";
import { startUdpService, type UdpService } from "./udp_service.ts";

/** A harness with UDP, whose service tells who calls, and an echo service for datagrams. */
export interface Stage extends AsyncDisposable {
  /** The proxy. */
  harness: Harness;
  /** The echo service. */
  echo: UdpService;
}

/** Starts everything, before a bridge of some manners. The echo service has the kind of datagrams that the proxy has. */
export async function startUdpStage(bridge: SamBridgeOptions, options: HarnessOptions = {}): Promise<Stage> {
  const style = typeof options.udp === "object" ? options.udp.style : undefined;
  await using started = new AsyncDisposableStack();
  const harness = started.use(
    await startHarness({
      udp: true,
      header: true,
      service: async (conn) => void await conn.write(await firstLine(conn)),
      bridge,
      ...options,
    }),
  );
  const echo = started.use(
    await startUdpService(harness.bridge.port, harness.bridge.udpPort, { ...(style && { style }) }),
  );
  const everything = started.move();
  return { harness, echo, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}

async function firstLine(conn: Deno.Conn): Promise<Uint8Array> {
  const bytes = new Uint8Array(2048);
  for (let filled = 0; filled < bytes.length;) {
    const count = await conn.read(bytes.subarray(filled));
    filled += count ?? bytes.length;
    const end = bytes.indexOf(10);
    if (end >= 0) return bytes.subarray(0, end);
  }
  return new Uint8Array();
}
