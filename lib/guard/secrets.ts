/** Most bytes of a file of secrets: every stream is searched for each of them. */
export const MAX_SECRETS_FILE = 65_536;

/** Fewest characters of a secret: shorter ones are found by chance. */
export const MIN_SECRET = 4;

/** Fewest bytes of a secret that is looked for in base64: of shorter ones, too few characters are its own. */
const MIN_BASE64 = 5;

/**
 * Reads the secrets of a file: one a line, exact but for a CR at its end. Empty lines and those that begin with `#` are
 * skipped.
 *
 * @throws {SyntaxError} if a line has fewer than {@linkcode MIN_SECRET} characters; the text names its number alone.
 */
export function parseSecrets(text: string): string[] {
  const secrets: string[] = [];
  for (const [index, ending] of text.replace(/^\ufeff/, "").split("\n").entries()) {
    const line = ending.replace(/\r+$/, "");
    if (line.trim() === "" || line.startsWith("#")) continue;
    if ([...line].length < MIN_SECRET) {
      throw new SyntaxError(`line ${index + 1}: a secret has at least ${MIN_SECRET} characters`);
    }
    secrets.push(line);
  }
  return secrets;
}

/** A text as it goes over the wire, one character for each of its bytes in UTF-8. */
export function wireText(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/**
 * What a secret looks like on the wire: itself; with plus signs for spaces, as in forms; and where it stands somewhere in
 * what has been put into base64, of either alphabet, the characters that are the same whatever is around it. Base64 that
 * is wrapped inside of it hides it. Percent-encoding is left to the one who searches.
 */
export function secretForms(secret: string): string[] {
  const raw = wireText(secret);
  const plain = [raw, raw.replaceAll(" ", "+")];
  if (raw.length < MIN_BASE64) return [...new Set(plain)];
  const encoded = [0, 1, 2].map((offset) => {
    // Characters, of 6 bits each, that hold bits of what stands in front or behind are not its own.
    const first = Math.ceil(offset * 8 / 6);
    const end = Math.floor((offset + raw.length) * 8 / 6);
    return btoa("\0".repeat(offset) + raw).slice(first, end);
  });
  return [...new Set([...plain, ...encoded, ...encoded.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))])];
}
