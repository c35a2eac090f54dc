/** Widest line of help, in characters. */
const HELP_WIDTH = 80;

/**
 * Breaks a text at its spaces into lines of at most {@linkcode HELP_WIDTH} characters. Words that are longer, and the
 * spaces at its beginning and between columns, stay as they are.
 *
 * @param indent what every line but the first begins with.
 */
export function wrap(text: string, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const piece of text.match(/\s*\S+/g) ?? []) {
    const isFull = line !== "" && line.length + piece.length > HELP_WIDTH;
    if (isFull) lines.push(line);
    line = isFull ? indent + piece.trimStart() : line + piece;
  }
  return [...lines, line].join("\n");
}
