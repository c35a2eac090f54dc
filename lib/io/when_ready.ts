import { startTimer } from "./timer.ts";

/** Milliseconds until what cannot read or write now, and does not wait either, is tried again. */
const RETRY = 20;

/**
 * Writes some of the bytes as soon as that can be. A pipe or terminal that another program has set not to block, as
 * programs do that share it, fails in place of waiting for its reader. Only for what may come twice, such as lines: Deno's
 * stdout keeps what stands behind the last line feed, and may have written it although it fails.
 *
 * @throws whatever else keeps it from writing.
 */
export function writeWhenReady(
  output: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<number> {
  return whenReady(() => output.write(bytes));
}

/**
 * Reads what there is as soon as there is something, as {@linkcode writeWhenReady} writes.
 *
 * @throws whatever else keeps it from reading.
 */
export function readWhenReady(
  source: { read(buffer: Uint8Array): Promise<number | null> },
  buffer: Uint8Array,
): Promise<number | null> {
  return whenReady(() => source.read(buffer));
}

async function whenReady<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise<void>((resolve) => startTimer(RETRY, resolve));
    }
  }
}
