import { foldLine } from "../../lib/report/terminal_lines.ts";

/** What one key of a tour shows. */
export interface Stop {
  /** What it is about, for the list of keys. */
  title: string;
  /** Shows it; lines go to `say`. */
  show: (say: (line: string) => void) => Promise<void>;
}

const encoder = new TextEncoder();

/**
 * Shows stops of a tour by the keys 1, 2 … on a terminal, until `q`, Ctrl+C or the end of input. One stop is shown at a
 * time; keys pressed meanwhile wait.
 */
export async function giveTour(stops: readonly Stop[]): Promise<void> {
  // Raw, a terminal hands over each key, and leaves Ctrl+C and line ends to the program.
  const { columns } = Deno.consoleSize();
  const say = (text: string): void => {
    const lines = text.split("\n").flatMap((line) => foldLine(line, columns || 80));
    console.log(lines.join("\n"));
  };
  const menu = [...stops.map(({ title }, i) => `  ${i + 1}  ${title}`), "  q  end"].join("\n");
  say(`\nPress a key:\n${menu}\n`);
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    for await (const key of keys()) {
      if (key === "q" || key === "\x03" || key === "\x04") return;
      const stop = stops[Number(key) - 1];
      if (stop === undefined) continue;
      say(`\n--- ${key}. ${stop.title}`);
      await stop.show(say).catch((error) =>
        say(`That did not work: ${error instanceof Error ? error.message : error}`)
      );
      Deno.stdout.writeSync(encoder.encode(`\nAnother key: 1 to ${stops.length}, q ends.\n`));
    }
  } finally {
    Deno.stdin.setRaw(false);
  }
}

async function* keys(): AsyncGenerator<string> {
  const buffer = new Uint8Array(16);
  for (let count = await Deno.stdin.read(buffer); count !== null; count = await Deno.stdin.read(buffer)) {
    yield* new TextDecoder().decode(buffer.subarray(0, count));
  }
}
