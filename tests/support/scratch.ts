/** A folder of a test's own, removed at the end. */
export interface Scratch extends AsyncDisposable {
  /** Its path. */
  readonly dir: string;
  /** Writes a file into it: its path. */
  file(name: string, text: string): Promise<string>;
}

/** Makes an empty folder. */
export async function makeScratch(): Promise<Scratch> {
  const dir = await Deno.makeTempDir({ prefix: "i2p-socks-test-" });
  return {
    dir,
    file: async (name, text) => {
      await Deno.writeTextFile(`${dir}/${name}`, text);
      return `${dir}/${name}`;
    },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}
