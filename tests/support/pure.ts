/**
 * Registers a test of something pure: it runs without any permission, so whatever touches the system fails.
 *
 * @param name the symbol and what it does, `parseDuration() refuses negative numbers`.
 */
export function pureTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, permissions: "none", fn });
}
