const LF = 10;

/**
 * Decodes UTF-8; a byte order mark in front is dropped. What is in another encoding is refused: a character in the place
 * of each wrong byte would make another text of it, without a word.
 *
 * @throws {SyntaxError} with the first line, counted from 1, that is no UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError(`line ${firstWrongLine(bytes)}: it is not UTF-8`);
  }
}

/** In UTF-8 no character has a line feed among its bytes, so each line is right or wrong by itself. */
function firstWrongLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let [number, start] = [1, 0];; number++) {
    const end = bytes.indexOf(LF, start);
    try {
      decoder.decode(bytes.subarray(start, end < 0 ? bytes.length : end));
    } catch {
      return number;
    }
    if (end < 0) return number;
    start = end + 1;
  }
}
