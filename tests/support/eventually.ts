/** Waits for something to come true, ten seconds at most. */
export async function eventually(what: string, isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Not within 10 s: ${what}`);
}
