import type { RawOptions } from "../config/raw_options.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import type { Terminal } from "../command/terminal.ts";
import confined from "../templates/service_confined.service" with { type: "text" };
import container from "../templates/service_container.txt" with { type: "text" };
import launchd from "../templates/service_launchd.plist" with { type: "text" };
import systemd from "../templates/service_systemd.service" with { type: "text" };
import windows from "../templates/service_windows.ps1" with { type: "text" };

/** What the unit of systemd says in other words. */
type Replacements = readonly (readonly [from: string | RegExp, to: string])[];

/** For a template unit: each instance has its own configuration and, by `%N`, its own folder of identities. */
const TEMPLATE: Replacements = [
  ["a service of systemd", "services of systemd"],
  ["system/i2p-socks.service", "system/i2p-socks@.service"],
  ["--config /etc/i2p-socks/config.yaml", "--config /etc/i2p-socks/%i.yaml"],
  ["/etc/i2p-socks/config.yaml", "/etc/i2p-socks/NAME.yaml"],
  [/(--now |-u |\/var\/lib\/|\/credentials\/)i2p-socks/g, "$1i2p-socks@NAME"],
  ["SOCKS proxy into I2P", "SOCKS proxy into I2P (%i)"],
];

/** For the service manager of a user. */
const USER: Replacements = [
  ["a service of systemd", "a user's service of systemd"],
  ["/etc/systemd/system/", "~/.config/systemd/user/"],
  ["ExecStart=/usr/local/bin/i2p-socks serve --config /etc/", "ExecStart=%h/.local/bin/i2p-socks serve --config %E/"],
  ["/usr/local/bin/", "~/.local/bin/"],
  ["/etc/i2p-socks/", "~/.config/i2p-socks/"],
  [/(system|journal)ctl/g, "$& --user"],
  ["/var/lib/i2p-socks/keys", "~/.config/i2p-socks/keys (~/.local/state from systemd 254 on)"],
  [/After=.*\n/g, ""],
  [
    /# Files that the YAML[^]*RemoveIPC=yes\n/g,
    "# A user's service manager cannot hold the service on loopback (IPAddressDeny), nor hide the file system on every\n" +
    "# machine: the unit of the system can. The program's own sandbox holds in any case.\n",
  ],
  ["multi-user.target", "default.target"],
];

/** One file has both: neither is of use without the other. */
const [application = "", bridge = ""] = confined.split("# === and its bridge ===\n");

/**
 * The text for each kind of service: starts `serve --config`, with the file at its usual place. Two are for an
 * application that is to reach I2P only, and for what leads from it to the proxy.
 */
export const KINDS: Readonly<Record<string, string>> = {
  "systemd": systemd,
  "systemd-template": replace(systemd, TEMPLATE),
  "systemd-user": replace(systemd, USER),
  "systemd-confined": `${application.trimEnd()}\n`,
  "systemd-bridge": bridge,
  container,
  launchd,
  windows,
};

function replace(text: string, replacements: Replacements): string {
  return replacements.reduce((replaced, [from, to]) => replaced.replaceAll(from, to), text);
}

/**
 * Prints what starts the program as a service.
 *
 * @throws {CliError} if there is no such kind of service.
 */
export function service(operands: readonly string[], _given: RawOptions, terminal: Terminal): ExitCode {
  const [kind, ...more] = operands;
  const names = Object.keys(KINDS);
  if (kind === undefined || more.length > 0) {
    throw new CliError(ExitCode.usage, `service takes one of ${names.join(", ")}`);
  }
  const text = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (text === undefined) {
    const hints = didYouMean(kind, names);
    const all = [`There are ${names.join(", ")}`];
    throw new CliError(ExitCode.usage, `Unknown kind of service "${kind}"`, hints.length > 0 ? hints : all);
  }
  terminal.exact(text.trimEnd());
  return ExitCode.ok;
}
