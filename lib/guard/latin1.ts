/** Bytes as text, one to one; no decoder of the platform does that (their Latin-1 is Windows-1252). */
export function fromLatin1(bytes: Uint8Array): string {
  let text = "";
  // A call takes its arguments on the stack, so they are handed over in portions.
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return text;
}

/** The bytes of a text whose characters are all below 256: the inverse of {@linkcode fromLatin1}. */
export function toLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
