import type { Protocol } from "../../lib/guard/detector.ts";
import { fromLatin1, toLatin1 } from "../../lib/io/latin1.ts";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { StreamGuard } from "../../lib/guard/stream_guard.ts";

/** What a reader of one protocol makes of a stream. */
export interface StreamReport {
  leaks: LeakKind[];
  /** Whether nothing more was to be seen before the stream ended. */
  isDone: boolean;
  cookies: string[];
}

/**
 * Has one protocol read a stream, alone and without identifiers.
 *
 * @returns undefined if it did not recognise it.
 */
export function readStream(
  protocol: Protocol,
  sent: string,
  { received = "", host = "site.i2p", isOpen = false }: { received?: string; host?: string; isOpen?: boolean } = {},
): StreamReport | undefined {
  const report: StreamReport = { leaks: [], isDone: false, cookies: [] };
  let isRecognised = false;
  const guard = new StreamGuard({
    host,
    protocols: [{ ...protocol, open: (context) => (isRecognised = true, protocol.open(context)) }],
    finder: { find: () => [], overlap: 0, open: () => ({ push: () => 0, end: () => {} }) },
    scrubbers: [],
    blocks: false,
    onLeak: (kind) => report.leaks.push(kind),
    onTrait: (trait, value) => {
      if (trait === "cookie") report.cookies.push(value);
      return undefined;
    },
  });
  guard.received.pass(toLatin1(received));
  const passed = guard.sent.pass(toLatin1(sent));
  if (passed === undefined || fromLatin1(passed) !== sent) {
    throw new Error("A guard that does not block held bytes back");
  }
  report.isDone = guard.sent.isDone;
  if (!isOpen) guard.sent.end();
  return isRecognised ? report : undefined;
}
