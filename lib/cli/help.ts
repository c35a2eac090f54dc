import { flagOf, OPTIONS, type OptionSpec, type Verb } from "./options.ts";

/** What each verb is for, and examples that run as they stand. */
const VERB_HELP: Readonly<Record<Verb, { usage: string; text: string; examples: readonly string[] }>> = {
  serve: {
    usage: "i2p-socks [serve] [OPTIONS]",
    text: "Serve SOCKS 4, 4a and 5 on loopback to one application, through the SAM bridge of an I2P router.\n" +
      'Prints a line that begins with "ready" when tunnels are built.',
    examples: [
      "i2p-socks",
      "i2p-socks --listen 127.0.0.1:9050 --name irc",
      "i2p-socks --identity irc --listen 127.0.0.1:9101",
      "i2p-socks --quantity 3 -o i2p.streaming.profile=2",
    ],
  },
  check: {
    usage: "i2p-socks check [NAME[:PORT]] [OPTIONS]",
    text:
      "Walk from the SAM port to a working session, and to a stream to NAME. Stops at the first thing wrong, with\n" +
      "its fix. The session is a throw-away one: a running proxy is not disturbed.\n" +
      "Exit codes: 0 all is well, 69 no SAM bridge, 75 the router is not ready, 1 anything else.",
    examples: ["i2p-socks check", "i2p-socks check stats.i2p --timeout 5m", "i2p-socks check --no-session --json"],
  },
  audit: {
    usage: "i2p-socks audit [--for DURATION] [OPTIONS]",
    text:
      "Serve like serve, and report at the end what the application gave away: names that it resolves itself, and\n" +
      "plaintext that tells about it, this machine or its user. Exit code 0 when clean, 1 otherwise.",
    examples: ["i2p-socks audit --for 5m --listen 127.0.0.1:9050", "i2p-socks audit --secrets-file words --json"],
  },
  lookup: {
    usage: "i2p-socks lookup NAME... [OPTIONS]",
    text: "Say what names and addresses are, and whether the router resolves them.",
    examples: ["i2p-socks lookup stats.i2p"],
  },
  keys: {
    usage: "i2p-socks keys ACTION [NAME] [FILE] [OPTIONS]",
    text: "Manage lasting identities: list, show NAME, new NAME, export NAME [FILE], import NAME [FILE],\n" +
      "rotate NAME, delete NAME. Files are those of i2pd (.dat) and Java I2P (privKeyFile); without FILE,\n" +
      "stdout or stdin. A running proxy is not needed, the router is for new and rotate.",
    examples: [
      "i2p-socks keys new irc",
      "i2p-socks keys export irc irc.dat",
      "i2p-socks keys import old < eepPriv.dat",
    ],
  },
  "hash-login": {
    usage: "i2p-socks hash-login USER",
    text: "Make a line for --auth-file. The password is asked for, or read from stdin.",
    examples: ["i2p-socks hash-login alice >> logins"],
  },
  status: {
    usage: "i2p-socks status [[HOST:]PORT] [--json] [--watch]",
    text:
      "Ask a running i2p-socks how it fares, at the address of its --status; 127.0.0.1:4448 if none is given here\n" +
      "(serve has no default: without --status it serves none).\n" +
      "Exit codes: 0 all applications are ready, 75 one is not, 1 nobody answers there; with --watch, the signal's.",
    examples: ["i2p-socks status", "i2p-socks status 127.0.0.1:9200 --watch", "i2p-socks status --json"],
  },
  help: {
    usage: "i2p-socks help [VERB]",
    text: "Show help for the program or for a verb.",
    examples: ["i2p-socks help lookup"],
  },
};

/** Width of the column of options. */
const COLUMN = 32;

/** The help of a verb; the one for `serve` also names the other verbs. */
export function helpText(verb: Verb): string {
  const { usage, text, examples } = VERB_HELP[verb];
  const others = Object.values(VERB_HELP).filter((other) => other.usage !== usage);
  return [
    text,
    "",
    "Usage:",
    `  ${usage}`,
    ...(verb === "serve" ? others.map((other) => `  ${other.usage}`) : []),
    "",
    "Options:",
    ...OPTIONS.filter((option) => option.verbs.includes(verb)).map(optionLine),
    "",
    "Durations are 500ms, 10s, 5m, 1h. Options win over environment variables.",
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}

function optionLine(option: OptionSpec): string {
  const left = `  ${flagOf(option)}${option.value === undefined ? "" : ` ${option.value}`}`;
  const notes = [
    ...(option.fallback === undefined ? [] : [`default: ${option.fallback}`]),
    ...(option.env === undefined ? [] : [`env: ${option.env}`]),
  ];
  return `${left.padEnd(COLUMN)}${left.length < COLUMN ? "" : "\n" + " ".repeat(COLUMN)}${option.help}` +
    (notes.length === 0 ? "" : ` [${notes.join("; ")}]`);
}
