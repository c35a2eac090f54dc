import { type Harness, type HarnessOptions, startHarness } from "../support/harness.ts";
import { startUdpService, type UdpService, type UdpServiceOptions } from "../sam_bridge/udp_service.ts";

/** A harness with UDP, whose service tells who calls, and an echo service for datagrams, `udp.i2p`, in its network. */
export interface UdpStage extends AsyncDisposable {
  /** Bridge and proxy. */
  harness: Harness;
  /** The echo service. */
  echo: UdpService;
}

/** Starts everything. The echo service has the kind of datagrams that the proxy has. */
export async function startUdpStage(
  options: HarnessOptions = {},
  serviceOptions: UdpServiceOptions = {},
): Promise<UdpStage> {
  const style = typeof options.udp === "object" ? options.udp.style : undefined;
  await using started = new AsyncDisposableStack();
  const harness = started.use(
    await startHarness({
      udp: true,
      header: true,
      service: async (conn) => void await conn.write(await firstLine(conn)),
      ...options,
    }),
  );
  const { bridge } = harness;
  const echo = started.use(
    await startUdpService(bridge.port, bridge.udpPort, { ...(style && { style }), ...serviceOptions }),
  );
  bridge.setName("udp.i2p", echo.destination);
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
