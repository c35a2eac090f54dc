import { runCommand } from "../support/command.ts";
import { findProgram } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { makeScratch } from "../support/scratch.ts";

/** An OpenSSH server with keys of its own, for the user that runs the tests. */
export interface SshServer extends AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Options of ssh for a host of this name, which is behind the proxy command. */
  options(host: string, proxyCommand: string): Promise<string[]>;
}

/** As root, sshd wants a folder under /run, which only its service makes: it gets a /run of its own. */
const OWN_RUN = `mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$@"`;

/** Starts it. */
export async function startSshServer(): Promise<SshServer> {
  await using started = new AsyncDisposableStack();
  const scratch = started.use(await makeScratch());
  const key = async (name: string): Promise<string> => {
    const path = `${scratch.dir}/${name}`;
    const args = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path];
    const { code, stderr } = await runCommand("ssh-keygen", args, { timeout: 20_000 });
    if (code !== 0) throw new Error(`Cannot make a key: ${stderr}`);
    return path;
  };
  const [hostKey, userKey] = [await key("host"), await key("user")];
  const port = freePort();
  const config = await scratch.file(
    "sshd_config",
    `ListenAddress 127.0.0.1:${port}
HostKey ${hostKey}
AuthorizedKeysFile ${userKey}.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
UseDNS no
Subsystem sftp internal-sftp
`,
  );
  const command = [findProgram("sshd") ?? "sshd", "-D", "-e", "-f", config];
  const [program = "", ...args] = await isRoot()
    ? ["unshare", "--mount", "sh", "-c", OWN_RUN, "sh", ...command]
    : command;
  const server = started.use(spawnProxy({ program, args }));
  await server.waitFor("stderr", /Server listening/);
  const everything = started.move();
  return {
    port,
    options: async (host, proxyCommand) => {
      const known = `${scratch.dir}/known_hosts`;
      await Deno.writeTextFile(known, `${host} ${await Deno.readTextFile(`${hostKey}.pub`)}`);
      return [
        ...["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", userKey],
        ...["-o", `UserKnownHostsFile=${known}`, "-o", "StrictHostKeyChecking=yes"],
        ...["-o", `ProxyCommand=${proxyCommand}`, host],
      ];
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

async function isRoot(): Promise<boolean> {
  return (await runCommand("id", ["-u"])).stdout === "0\n";
}
