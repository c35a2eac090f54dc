import { INPUT_FILE_OPTIONS, type ServiceOption, wordOf } from "./service_option.ts";

/** Whose service manager is to run the unit. */
export type SystemdScope = "system" | "user";

/** Where the unit belongs, the program lies and the folder of identities is. */
const SCOPES = {
  system: {
    file: "/etc/systemd/system/i2p-socks.service",
    program: "/usr/local/bin/i2p-socks",
    start: "systemctl daemon-reload && systemctl enable --now i2p-socks",
    log: "journalctl -u i2p-socks",
    target: "multi-user.target",
  },
  user: {
    file: "~/.config/systemd/user/i2p-socks.service",
    program: "%h/.local/bin/i2p-socks",
    start: "systemctl --user daemon-reload && systemctl --user enable --now i2p-socks",
    log: "journalctl --user -u i2p-socks",
    target: "default.target",
  },
} as const;

/** Where identities are kept, in systemd's own words. */
const KEYS_DIR = "%S/i2p-socks/keys";

/**
 * A unit of systemd (250 or later: Debian 12, Ubuntu 22.10).
 *
 * Files of secrets become credentials, which the service sees whoever owns them; identities go to its own state folder.
 */
export function systemdText(options: readonly ServiceOption[], scope: SystemdScope): string {
  const { file, program, start, log, target } = SCOPES[scope];
  const words = options.filter(({ name }) => name !== "keys-dir").map((option) => wordOf(inUnit(option)));
  const credentials = options.filter(isCredential);
  const config = options.find(({ name }) => name === "config");
  return [
    `# i2p-socks as a ${scope} service of systemd 250 or later. Put this into`,
    `# ${file}, the program at ${program.replace("%h", "~")}, then:`,
    `#   ${start}`,
    `# Its log: ${log}; the ready line is in it.`,
    ...keysNote(options, scope),
    "#",
    "# There is no socket unit: the runtime cannot take over a socket that systemd listens on.",
    "[Unit]",
    "Description=SOCKS proxy into I2P for one application",
    ...(scope === "system" ? ["After=network.target i2pd.service i2p.service"] : []),
    "# The router may start later: the program is started again until it is there.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${[program, "serve", ...words.map(quote)].join(" ")}`,
    ...(config === undefined ? [] : ["ExecReload=kill -HUP $MAINPID"]),
    `Environment=I2P_SOCKS_KEYS_DIR=${KEYS_DIR}`,
    "Restart=on-failure",
    "RestartSec=10",
    "# Bad options, and missing permissions: these do not mend themselves.",
    "RestartPreventExitStatus=2 77",
    "SuccessExitStatus=143",
    "# Clients get 10 seconds to end.",
    "TimeoutStopSec=20",
    "",
    "# What it may keep and read.",
    ...(scope === "system" ? ["DynamicUser=yes"] : []),
    "StateDirectory=i2p-socks",
    "StateDirectoryMode=0700",
    "UMask=0077",
    ...credentials.map(({ name, value = "" }) => `LoadCredential=${name}:${escape(value)}`),
    "",
    ...(scope === "system" ? SYSTEM_SANDBOX : USER_SANDBOX),
    "",
    "[Install]",
    `WantedBy=${target}`,
  ].join("\n");
}

/** What a unit of either kind may ask the kernel for: tests look at what the program does ask for. */
const SYSTEM_CALLS: readonly string[] = [
  "SystemCallArchitectures=native",
  "# What is not among these fails, and does not end the program. V8 protects its machine code with @pkey.",
  "SystemCallFilter=@system-service @pkey",
  "SystemCallFilter=~@privileged @resources",
  "SystemCallErrorNumber=EPERM",
];

/** What a unit of the system may have. */
const SYSTEM_SANDBOX: readonly string[] = [
  "# Loopback and nothing else, said by the kernel too.",
  "IPAddressDeny=any",
  "IPAddressAllow=localhost",
  "# AF_NETLINK lists the machine's own addresses for the leak guard.",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
  "",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectProc=invisible",
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectControlGroups=yes",
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "AmbientCapabilities=",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "RemoveIPC=yes",
  ...SYSTEM_CALLS,
  "# Must be off: V8 translates the program into machine code while it runs.",
  "MemoryDenyWriteExecute=no",
];

/** What a unit of a user may have without privileges. */
const USER_SANDBOX: readonly string[] = [
  "# What a user's service manager can enforce. It cannot hold the service on loopback (IPAddressDeny), nor hide the",
  "# file system on every machine: the unit of the system can. The program's own sandbox holds in any case.",
  "NoNewPrivileges=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  ...SYSTEM_CALLS,
  "# Must be off: V8 translates the program into machine code while it runs.",
  "MemoryDenyWriteExecute=no",
];

function keysNote(options: readonly ServiceOption[], scope: SystemdScope): string[] {
  const given = options.find(({ name }) => name === "keys-dir")?.value;
  const folder = scope === "system"
    ? "/var/lib/i2p-socks/keys"
    : "~/.config/i2p-socks/keys (~/.local/state from 254 on)";
  if (given === undefined) return [`# Identities: ${folder}`];
  return [
    `# Identities: ${folder}, in place of`,
    `# ${given}: move them with keys export and keys import.`,
  ];
}

/** Files are handed in as credentials, but for the configuration: a reload reads that again where it is. */
function isCredential({ name }: ServiceOption): boolean {
  return INPUT_FILE_OPTIONS.includes(name) && name !== "config";
}

/** An option as the unit has it: `%` begins a specifier there. */
function inUnit(option: ServiceOption): ServiceOption {
  if (isCredential(option)) return { ...option, value: `%d/${option.name}` };
  return option.value === undefined ? option : { ...option, value: escape(option.value).replaceAll("$", "$$$$") };
}

function escape(text: string): string {
  return text.replaceAll("%", "%%");
}

/** A word of a command line, in quotes where systemd would otherwise take it apart. */
function quote(word: string): string {
  if (!/[\s"'\\;]/.test(word)) return word;
  return `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
