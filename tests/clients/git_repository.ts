import { runCommand } from "../support/command.ts";
import { makeScratch } from "../support/scratch.ts";

/** A git repository that is served over HTTP, as `/project.git`. */
export interface Repository extends AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** The commit it starts with. */
  readonly head: string;
  /** Where it lies on disk. */
  readonly path: string;
  /** What was asked for: method and path of each request, in order. */
  readonly requests: string[];
  /** The commit that it has now. */
  currentHead(): Promise<string>;
}

/** Headers of a request, by the variables that a CGI program finds them in (RFC 3875 §4.1). */
const HEADERS: Readonly<Record<string, string>> = {
  CONTENT_TYPE: "content-type",
  HTTP_CONTENT_ENCODING: "content-encoding",
  GIT_PROTOCOL: "git-protocol",
};

/**
 * Makes one, and serves it with git's own server, `git http-backend`: clients fetch and push by the smart protocol, or
 * fetch its files one by one with `GIT_SMART_HTTP=0`.
 */
export async function makeRepository(): Promise<Repository> {
  await using started = new AsyncDisposableStack();
  const scratch = started.use(await makeScratch());
  const work = `${scratch.dir}/work`;
  const bare = `${scratch.dir}/project.git`;
  const git = async (...args: string[]): Promise<string> => {
    const env = { HOME: scratch.dir, GIT_CONFIG_NOSYSTEM: "1" };
    const { code, stdout, stderr } = await runCommand("git", args, { env, timeout: 20_000 });
    if (code !== 0) throw new Error(`Cannot run git ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  await git("init", "--quiet", "--initial-branch=main", work);
  await scratch.file("work/page.txt", "0123456789\n".repeat(20_000));
  await git("-C", work, "add", ".");
  await git("-C", work, "-c", "user.name=A", "-c", "user.email=a@a.i2p", "commit", "--quiet", "--message=A page");
  await git("clone", "--quiet", "--bare", work, bare);
  await git("-C", bare, "update-server-info");
  await git("-C", bare, "config", "http.receivepack", "true");
  const currentHead = (): Promise<string> => git("-C", bare, "rev-parse", "main");
  const head = await currentHead();
  const requests: string[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    handler: async (request) => {
      requests.push(`${request.method} ${new URL(request.url).pathname}`);
      return await askBackend(scratch.dir, request);
    },
  });
  started.defer(() => server.shutdown());
  const everything = started.move();
  return {
    port: server.addr.port,
    head,
    path: bare,
    requests,
    currentHead,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Hands a request to `git http-backend`, which is a CGI program. */
async function askBackend(root: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = Object.entries(HEADERS).flatMap(([variable, name]) => {
    const value = request.headers.get(name);
    return value === null ? [] : [[variable, value]];
  });
  const body = await request.bytes();
  const child = new Deno.Command("git", {
    args: ["http-backend"],
    env: {
      ...Object.fromEntries(headers),
      ...{ HOME: root, GIT_CONFIG_NOSYSTEM: "1", GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: "1" },
      ...{ REQUEST_METHOD: request.method, PATH_INFO: pathname, QUERY_STRING: search.slice(1) },
      CONTENT_LENGTH: `${body.length}`,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const answer = child.output();
  // It reads no body that it does not want.
  await ReadableStream.from([body]).pipeTo(child.stdin).catch(() => {});
  return parseAnswer((await answer).stdout);
}

/** Reads the answer of a CGI program (RFC 3875 §6): headers, one of them the status, and a body. */
function parseAnswer(bytes: Uint8Array<ArrayBuffer>): Response {
  const text = new TextDecoder("latin1").decode(bytes);
  const end = text.indexOf("\r\n\r\n");
  const headers = new Headers(
    text.slice(0, end).split("\r\n").map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  const status = Number(headers.get("status")?.slice(0, 3) ?? 200);
  headers.delete("status");
  return new Response(bytes.slice(end + 4), { status, headers });
}
