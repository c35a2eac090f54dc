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
