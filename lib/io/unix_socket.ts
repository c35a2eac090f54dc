import { closeQuietly } from "./conn.ts";

/** A client's connection. */
export type ClientConn = Deno.TcpConn | Deno.UnixConn;

/** What clients connect to. */
export interface ClientListener {
  /** Where it listens. */
  readonly addr: Deno.NetAddr | { readonly transport: "unix"; readonly path: string };
  /** Waits for a client. */
  accept(): Promise<ClientConn>;
  /** Listens no more. */
  close(): void;
}

/** Where a socket is to be, and how. */
interface UnixSocketOptions {
  /** Its path. */
  path: string;
  /** Where it is made: in the same folder. */
  newPath: string;
  /** Who may connect, as for chmod. */
  mode: number;
}

/** Why a socket cannot be. The message is a clause. */
export class UnixSocketError extends Error {
  override readonly name = "UnixSocketError";
}

/** How often a socket is made again that another process has taken away, or has just made. */
const ATTEMPTS = 20;

/** Milliseconds between two attempts. */
const PAUSE = 50;

/**
 * Listens on a socket in the file system.
 *
 * It is made under another name and gets its own when its mode is right: nobody can connect before, and a socket that is
 * left over from a process that was killed is replaced in one step. The runtime grants sockets by their exact path alone;
 * this way one grant is enough for every name in a folder.
 *
 * @throws {UnixSocketError} if the path is taken, by another process, another user or another file.
 * @throws what `Deno.listen` and operations on files throw.
 */
export async function listenUnix({ path, newPath, mode }: UnixSocketOptions): Promise<ClientListener> {
  for (let attempt = 1;; attempt++) {
    try {
      const old = await lstat(path);
      if (old !== undefined && !old.isSocket) throw new UnixSocketError("the path is taken, and not by a socket");
      if (old !== undefined) await refuseUsed(path, newPath);
      const listener = Deno.listen({ transport: "unix", path: newPath });
      try {
        await Deno.chmod(newPath, mode);
        const own = await Deno.lstat(newPath);
        if (old !== undefined && old.uid !== own.uid) throw new UnixSocketError(`the socket is of user ${old.uid}`);
        await Deno.rename(newPath, path);
        return new UnixListener(listener, path, own.ino);
      } catch (error) {
        closeQuietly(listener);
        throw error;
      }
    } catch (error) {
      // Another process that starts in this folder has the name for a moment; or one has ended there half-way.
      const isPassing = error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.AlreadyExists ||
        (error instanceof Deno.errors.NotFound && await lstat(path.replace(/[^/]*$/, ".")) !== undefined);
      if (!isPassing || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      if (attempt > ATTEMPTS / 2 && !await isServed(newPath)) await Deno.remove(newPath).catch(() => {});
    }
  }
}

/**
 * Makes sure that nobody serves a socket any more. What may be connected to is the new path only, so for a moment that
 * is another name of it.
 */
async function refuseUsed(path: string, newPath: string): Promise<void> {
  try {
    await Deno.link(path, newPath);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new UnixSocketError("the socket is of another user");
  }
  try {
    if (await isServed(newPath)) throw new UnixSocketError("another process serves this socket");
  } finally {
    await Deno.remove(newPath);
  }
}

/** Whether somebody answers at a socket, or may: only a refusal says that nobody listens. */
async function isServed(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound);
  }
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A listener whose socket is removed when it closes, unless another one has its name by then. */
class UnixListener implements ClientListener {
  readonly #listener: Deno.UnixListener;
  readonly #path: string;
  readonly #inode: number | null;

  constructor(listener: Deno.UnixListener, path: string, inode: number | null) {
    this.#listener = listener;
    this.#path = path;
    this.#inode = inode;
  }

  get addr(): { transport: "unix"; path: string } {
    return { transport: "unix", path: this.#path };
  }

  accept(): Promise<Deno.UnixConn> {
    return this.#listener.accept();
  }

  close(): void {
    this.#listener.close();
    try {
      if (Deno.lstatSync(this.#path).ino === this.#inode) Deno.removeSync(this.#path);
    } catch {
      // Removed by another hand.
    }
  }
}
