/** The platform's decoder of that name: Windows-1252, which has other characters from 0x80 to 0x9f. */
const DECODER = new TextDecoder("windows-1252");

/** Their bytes. */
const BYTES: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 32 }, (_, at) => [DECODER.decode(Uint8Array.of(0x80 + at)), String.fromCharCode(0x80 + at)]),
);

/** Decodes ASCII, which is most of what is looked at, eight times as fast. */
const ASCII = new TextDecoder();

/** Bytes as text, one to one. Much faster than to make a character of each byte. */
export function fromLatin1(bytes: Uint8Array): string {
  const ascii = ASCII.decode(bytes);
  // Any other byte makes it shorter, or is replaced.
  if (ascii.length === bytes.length && !ascii.includes("\ufffd")) return ascii;
  const text = DECODER.decode(bytes);
  return /[^\0-\xff]/.test(text) ? text.replace(/[^\0-\xff]/g, (character) => BYTES.get(character) ?? "") : text;
}

/** The bytes of a text whose characters are all below 256: the inverse of {@linkcode fromLatin1}. */
export function toLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
