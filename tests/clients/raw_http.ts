import { readToEnd, writeAll } from "./socks_client.ts";

/** An HTTP answer, taken apart. */
export interface RawAnswer {
  /** Status code; 0 where the connection was closed without an answer. */
  status: number;
  /** Headers, their names in lower case. */
  headers: Record<string, string>;
  /** The body. */
  body: string;
  /** All of it, as it came. */
  text: string;
}

/** Asks for a path at a port of 127.0.0.1, with headers that no browser would let one choose. Half a minute at most. */
export async function rawGet(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<RawAnswer> {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return await rawHttp(port, [`${method} ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
}

/** Sends bytes to a port of 127.0.0.1 and takes the answer apart. Half a minute at most. */
export async function rawHttp(port: number, request: string): Promise<RawAnswer> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  let isOpen = true;
  const close = (): void => {
    if (isOpen) conn.close();
    isOpen = false;
  };
  const timer = setTimeout(close, 30_000);
  try {
    await writeAll(conn, new TextEncoder().encode(request));
    return parseAnswer(new TextDecoder().decode(await readToEnd(conn)));
  } catch (error) {
    // Closed with bytes unread, which makes the kernel send a reset.
    if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) return parseAnswer("");
    throw error;
  } finally {
    clearTimeout(timer);
    close();
  }
}

/** Takes an HTTP answer apart. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, Math.max(end, 0)).split("\r\n");
  const headers = lines.map((line) => [line.replace(/:.*/, "").toLowerCase(), line.replace(/^[^:]*: */, "")]);
  return {
    status: Number(/^HTTP\/1\.1 (\d+) /.exec(first)?.[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: text.slice(end + 4),
    text,
  };
}
