/**
 * A text made safe to print: bytes of clients and words of routers reach logs and terminals, where they must not be able
 * to begin a line, to command a terminal, or to turn the direction of what follows. Control, format and separator
 * characters become escapes.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped === character ? character.split("").map(escapeUnit).join("") : escaped;
  });
}

/** Of characters beyond U+FFFF both units of UTF-16, as JSON has them. */
function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
