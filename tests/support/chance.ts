/**
 * Lets chance always have the same value while something runs: waits between attempts at a new session are that share of
 * their limit then. Tests that run side by side share it.
 */
export async function withChance<T>(value: number, run: () => Promise<T>): Promise<T> {
  const { random } = Math;
  Math.random = () => value;
  try {
    return await run();
  } finally {
    Math.random = random;
  }
}
