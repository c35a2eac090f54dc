import { runCommand } from "./command.ts";
import { makeScratch } from "./scratch.ts";

/** A repository served over HTTP, without a server program: git calls it the dumb protocol. */
export interface Repository extends AsyncDisposable {
  /** Port on 127.0.0.1; the repository is at `/project.git`. */
  readonly port: number;
  /** The one commit in it. */
  readonly head: string;
}

/** Makes and serves a repository with one commit. */
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
  const head = await git("-C", bare, "rev-parse", "HEAD");
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    handler: async (request) => {
      const { pathname } = new URL(request.url);
      const file = await Deno.readFile(scratch.dir + pathname).catch(() => undefined);
      return file === undefined ? new Response("None\n", { status: 404 }) : new Response(file);
    },
  });
  started.defer(() => server.shutdown());
  const everything = started.move();
  return { port: server.addr.port, head, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}
