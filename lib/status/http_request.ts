/** What the status server looks at in a request. */
export interface HttpRequest {
  method: string;
  /** Path without its query. */
  path: string;
  host: string | undefined;
  origin: string | undefined;
}

/** Length of a request's head with the empty line behind it; undefined as long as that has not come. */
export function headLength(bytes: Uint8Array): number | undefined {
  for (let i = bytes.indexOf(10); i >= 0; i = bytes.indexOf(10, i + 1)) {
    if (bytes[i + 1] === 10) return i + 2;
    if (bytes[i + 1] === 13 && bytes[i + 2] === 10) return i + 3;
  }
  return undefined;
}

/**
 * Parses the head of a request (RFC 9112). Stricter than most, since only browsers, scrapers and scripts are to be
 * understood: no folded lines, no white space before a colon, and no second Host or Origin, of which a guard could read
 * the wrong one.
 *
 * @returns undefined for what is not an HTTP/1 request.
 */
export function parseRequestHead(bytes: Uint8Array): HttpRequest | undefined {
  const [first = "", ...lines] = new TextDecoder("latin1").decode(bytes).split(/\r?\n/);
  const [, method = "", path] = /^([A-Z]+) (\/[^ ?#]*)[^ ]* HTTP\/1\.[01]$/.exec(first) ?? [];
  if (path === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    if (line === "") break;
    // A line end of its own kind would have other readers see other lines.
    const [, name, value = ""] = /^([\w!#$%&'*+.^`|~-]+):([^\r]*)$/.exec(line) ?? [];
    if (name === undefined) return undefined;
    const key = name.toLowerCase();
    if ((key === "host" || key === "origin") && headers.has(key)) return undefined;
    headers.set(key, value.trim());
  }
  return { method, path, host: headers.get("host"), origin: headers.get("origin") };
}
