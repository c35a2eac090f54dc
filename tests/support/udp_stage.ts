import { type Harness, type HarnessOptions, startHarness } from "./harness.ts";
import { startUdpService, type UdpService, type UdpServiceOptions } from "./udp_service.ts";

/** A harness with UDP, and an echo service `udp.i2p` in its network. */
export interface UdpStage extends AsyncDisposable {
  /** Bridge and proxy. */
  harness: Harness;
  /** The service. */
  echo: UdpService;
}

/** Starts everything. */
export async function startUdpStage(
  options: HarnessOptions = {},
  serviceOptions: UdpServiceOptions = {},
): Promise<UdpStage> {
  await using started = new AsyncDisposableStack();
  const harness = started.use(await startHarness({ udp: true, ...options }));
  const { bridge } = harness;
  const echo = started.use(await startUdpService(bridge.port, bridge.udpPort, serviceOptions));
  bridge.setName("udp.i2p", echo.destination);
  const everything = started.move();
  return { harness, echo, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}
