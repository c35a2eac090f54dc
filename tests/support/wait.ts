/** Milliseconds that something may take to come true: many times what it needs, for a machine that is busy. */
const PATIENCE = 30_000;

/**
 * Waits until something is true.
 *
 * @param what says it in words, for the error.
 * @throws {Error} after half a minute.
 */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE;
  do {
    if (await isTrue()) return;
    await delay(5);
  } while (performance.now() < end);
  throw new Error(`Not within ${PATIENCE / 1000} s: ${what}`);
}

/** Waits. */
export async function delay(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Tries until an attempt succeeds.
 *
 * @param timeout milliseconds after which what the last attempt threw is thrown. @default {90 s: a router builds tunnels}
 * @returns when it succeeded, as of `performance.now()`.
 */
export async function untilItWorks(attempt: () => Promise<unknown>, timeout = 90_000): Promise<number> {
  const end = performance.now() + timeout;
  for (;;) {
    try {
      await attempt();
      return performance.now();
    } catch (error) {
      if (performance.now() >= end) throw error;
      await delay(250);
    }
  }
}
