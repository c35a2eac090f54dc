/**
 * Streams of applications with the expected verdict, as text files in `corpus/`:
 *
 * ```
 * === name
 * leaks: kind kind          (or: innocent)
 * made by: the program, or the document that has the example
 * > what the application sends\r\n
 * < what the peer answers\r\n
 * ```
 *
 * Lines of one direction that follow each other belong together. A backslash stands in front of `r`, `n`, `t`, another
 * backslash, or `x` and two digits of hex; every character is one byte.
 */
import type { OwnIdentifiers } from "../../lib/guard/identifiers.ts";
import { makeFinder } from "../../lib/guard/identifiers.ts";
import { fromLatin1, toLatin1 } from "../../lib/io/latin1.ts";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { PROTOCOLS } from "../../lib/guard/protocols.ts";
import { type Scrubber, StreamGuard } from "../../lib/guard/stream_guard.ts";

/** Who the applications of the corpus ran as, and where. */
export const IDENTITY: OwnIdentifiers = {
  addresses: ["127.0.0.1", "10.1.2.3", "::1", "fd00:abcd::77"],
  hostName: "wobbegong.example.org",
  userName: "alicia",
  home: "/home/alicia",
  secrets: ["hunter2-blue-42", "Alicia Marlow"],
};

/** A stream of the corpus. */
export interface CorpusStream {
  name: string;
  /** What it leaks, whether the guard can see it or not; nothing if it is innocent. */
  leaks: string[];
  /** What either side sends, in turns. */
  turns: { isSent: boolean; text: string }[];
}

/** Reads the corpus. */
export async function readCorpus(): Promise<CorpusStream[]> {
  const folder = new URL("corpus/", import.meta.url);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(new URL(name, folder))));
  return texts.flatMap((text) => text.split(/^=== /m).slice(1).map(parseStream));
}

function parseStream(text: string): CorpusStream {
  const [name = "", verdict = "", , ...lines] = text.trimEnd().split("\n");
  if (verdict !== "innocent" && !verdict.startsWith("leaks: ")) throw new SyntaxError(`${name} has no verdict`);
  const turns: CorpusStream["turns"] = [];
  for (const line of lines) {
    if (!/^[<>] /.test(line)) throw new SyntaxError(`${name}: ${line}`);
    const [isSent, part] = [line.startsWith(">"), unescape(line.slice(2))];
    const last = turns.at(-1);
    if (last?.isSent === isSent) last.text += part;
    else turns.push({ isSent, text: part });
  }
  return { name, leaks: verdict.split(" ").slice(1), turns };
}

function unescape(text: string): string {
  return text.replace(/\\(?:x([\da-f]{2})|(.))/g, (_, hex: string | undefined, letter: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return { r: "\r", n: "\n", t: "\t" }[letter] ?? letter;
  });
}

/** What a guard made of a stream. */
export interface Verdict {
  /** In the order in which they were found. */
  leaks: LeakKind[];
  /** Whether the guard ended the stream. */
  isBlocked: boolean;
  /** What went on to the peer. */
  passed: string;
}

/** How a guard is set up, and how a stream comes to it. */
export interface Trial {
  /** @default {false} */
  blocks?: boolean;
  /** @default {[]} */
  scrubbers?: readonly ((onLeak: (kind: LeakKind) => void) => Scrubber)[];
  /** Cuts what is sent in one turn into pieces. @default {in one piece} */
  cut?: (text: string) => string[];
}

/** Where the streams of the corpus go. */
export const HOST = "site.i2p";

/** One finder for all streams, as an application has. */
const FINDER = makeFinder(IDENTITY);

/** Has a guard look at a stream. */
export function guardStream({ turns }: CorpusStream, { blocks = false, scrubbers = [], cut }: Trial = {}): Verdict {
  const leaks: LeakKind[] = [];
  const guard = new StreamGuard({
    host: HOST,
    protocols: PROTOCOLS,
    finder: FINDER,
    scrubbers,
    blocks,
    onLeak: (kind) => leaks.push(kind),
  });
  let passed = "";
  for (const { isSent, text } of turns) {
    if (!isSent) guard.received.pass(toLatin1(text));
    for (const piece of isSent ? cut?.(text) ?? [text] : []) {
      const bytes = guard.sent.pass(toLatin1(piece));
      if (bytes === undefined) return { leaks, isBlocked: true, passed };
      passed += fromLatin1(bytes);
    }
  }
  const rest = guard.sent.end();
  return { leaks, isBlocked: rest === undefined, passed: passed + fromLatin1(rest ?? new Uint8Array()) };
}
