import { sleep } from "../../lib/io/deadline.ts";

/** Options of {@linkcode startSite}. */
export interface SiteOptions {
  /**
   * Port on 127.0.0.1; 0 is any free one.
   *
   * @default {0}
   */
  port?: number;
  /**
   * What the front page carries, to tell this site from any other.
   *
   * @default {16 random hex digits}
   */
  token?: string;
}

/** A web site that is being served. */
export interface Site extends AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** What the front page carries. */
  readonly token: string;
  /** Ends the site at once, answers under way included. A second call does nothing more. */
  close(): Promise<void>;
}

/** Most bytes that `/bytes/N` and {@linkcode pattern} give. */
export const MAX_BYTES: number = 200 * 1024 * 1024;

/** Most lines that `/slow/N` gives. */
export const MAX_LINES = 1000;

/** Milliseconds before each line of `/slow/N`. */
export const LINE_INTERVAL = 100;

/** Bytes after which the pattern repeats: a prime, so that the loss of any round number of bytes shifts it. */
const PERIOD = 65521;

/** Whole periods, so that one and the same block can be sent again and again. */
const BLOCK = makeBlock(4);

/**
 * Serves a small HTTP/1.1 site on 127.0.0.1.
 *
 * - `GET /` a page with the token
 * - `GET /bytes/N` the first N bytes of the {@linkcode pattern}
 * - `GET /headers` the request's headers, one a line
 * - `POST /echo` the request's body
 * - `GET /slow/N` N lines, one every 100 ms
 *
 * Every answer has a Content-Length: a router can lose an end of stream, so none is ended by closing alone.
 */
export function startSite(options: SiteOptions = {}): Promise<Site> {
  const token = options.token ?? randomToken();
  const ending = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    signal: ending.signal,
    onListen: () => {},
    handler: (request) => answer(request, token, ending.signal),
  });
  const close = (): Promise<void> => {
    ending.abort();
    return server.finished;
  };
  return Promise.resolve({ port: server.addr.port, token, close, [Symbol.asyncDispose]: close });
}

/**
 * The bytes of a `/bytes/N` body from `offset` on: what a part of it that arrived has to equal.
 *
 * @throws {RangeError} if it would be longer than {@linkcode MAX_BYTES}.
 */
export function pattern(length: number, offset = 0): Uint8Array<ArrayBuffer> {
  if (length > MAX_BYTES) throw new RangeError(`Cannot make ${length} bytes: at most ${MAX_BYTES} are allowed`);
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const from = (offset + done) % BLOCK.length;
    const part = BLOCK.subarray(from, from + length - done);
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

/** The SHA-256 of the body of `/bytes/N`, in hex. Holds the body in memory once. */
export async function bytesSha256(length: number): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", pattern(length));
  return new Uint8Array(digest).toHex();
}

async function answer(request: Request, token: string, ending: AbortSignal): Promise<Response> {
  const { pathname } = new URL(request.url);
  const [, page, count] = /^\/(\w*)(?:\/(\d{1,10}))?$/.exec(pathname) ?? [];
  const number = count === undefined ? undefined : Number(count);
  const route = `${request.method} /${page}${number === undefined ? "" : "/N"}`;
  switch (route) {
    case "GET /":
      return frontPage(token);
    case "GET /headers":
      return new Response([...request.headers].map(([name, value]) => `${name}: ${value}\n`).join(""));
    case "POST /echo":
      return new Response(await request.bytes(), { headers: { "content-type": "application/octet-stream" } });
    case "GET /bytes/N":
      return bytesPage(number ?? 0);
    case "GET /slow/N":
      return slowPage(number ?? 0, ending);
    default:
      return problem(404, `Cannot find ${request.method} ${pathname}`);
  }
}

function frontPage(token: string): Response {
  const html = `<!doctype html>
<html lang="en">
<title>A small site</title>
<h1>It works</h1>
<p>This page came from a small site on this machine. Its token is <code>${token}</code>.</p>
</html>
`;
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}

function bytesPage(length: number): Response {
  if (length > MAX_BYTES) return problem(400, `Cannot send ${length} bytes: at most ${MAX_BYTES} are allowed`);
  let left = length;
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void {
      const part = BLOCK.subarray(0, left);
      left -= part.length;
      if (part.length > 0) controller.enqueue(part);
      if (left === 0) controller.close();
    },
  });
  return sized(body, length, "application/octet-stream");
}

function slowPage(count: number, ending: AbortSignal): Response {
  if (count > MAX_LINES) return problem(400, `Cannot send ${count} lines: at most ${MAX_LINES} are allowed`);
  const lines = Array.from({ length: count }, (_, i) => new TextEncoder().encode(`line ${i + 1} of ${count}\n`));
  const length = lines.reduce((sum, line) => sum + line.length, 0);
  const body = ReadableStream.from(slowly(lines, ending));
  return sized(body, length, "text/plain; charset=utf-8");
}

async function* slowly(lines: Uint8Array[], ending: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const line of lines) {
    await sleep(LINE_INTERVAL, ending);
    if (ending.aborted) return;
    yield line;
  }
}

function problem(status: number, text: string): Response {
  return new Response(`${text}\n`, { status });
}

function sized(body: ReadableStream<Uint8Array>, length: number, type: string): Response {
  return new Response(body, { headers: { "content-type": type, "content-length": `${length}` } });
}

function makeBlock(periods: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(periods * PERIOD);
  for (let i = 0; i < block.length; i++) {
    // A hash of the offset, so that no two places of a period look alike for more than a few bytes.
    const mixed = Math.imul(i % PERIOD, 0x9e3779b1);
    block[i] = Math.imul(mixed ^ mixed >>> 15, 0x85ebca6b) >>> 24;
  }
  return block;
}

function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}
