/**
 * A text made safe to print: bytes of clients and words of routers reach logs and terminals, where they must not be able
 * to begin a line, to command a terminal, or to turn the direction of what follows. Control, format and separator
 * characters become escapes.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => {
    const escaped = JSON.stringify(c).slice(1, -1);
    return escaped === c ? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}` : escaped;
  });
}
