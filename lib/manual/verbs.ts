import type { Verb } from "../config/options.ts";
import { plain } from "./markdown.ts";
import check from "./check.md" with { type: "text" };
import connect from "./connect.md" with { type: "text" };
import keys from "./keys.md" with { type: "text" };
import service from "./service.md" with { type: "text" };

/** A verb of the command line: help, the man page and completions come from here. */
export interface VerbSpec {
  /** How to type it. */
  usage: string;
  /** What it does, in Markdown. The first sentence is all that lists of verbs show. */
  text: string;
  /** Command lines that run as they are. */
  examples: readonly string[];
}

export const VERB_HELP: Readonly<Record<Verb, VerbSpec>> = {
  serve: {
    usage: "i2p-socks [serve] [OPTIONS]",
    text:
      "Serve SOCKS 4, 4a and 5 on localhost to one application. i2p-socks connects the application to I2P, and to " +
      "nothing else: it talks SAM v3 to the I2P router (i2pd or Java I2P) that runs on this machine. It prints a line " +
      'that begins with "ready" when the router has built tunnels, which takes from seconds to minutes.',
    examples: [
      "i2p-socks",
      "i2p-socks --listen 127.0.0.1:9050 --name irc",
      "i2p-socks --identity irc --listen 127.0.0.1:9101",
      "i2p-socks --quantity 3 -o i2p.streaming.profile=2",
    ],
  },
  check: {
    usage: "i2p-socks check [NAME[:PORT]] [OPTIONS]",
    text: check,
    examples: ["i2p-socks check", "i2p-socks check stats.i2p --timeout 5m", "i2p-socks check --watch"],
  },
  audit: {
    usage: "i2p-socks audit [--for DURATION | --file FILE] [OPTIONS]",
    text: "Serve like serve, and report what the application gave away. It looks for host names that the application " +
      "resolves itself, and for unencrypted data that identifies the application, this machine or you. It replaces " +
      "serve: use the application for a while, then end it. The card at the end says what sites can know and link, and " +
      "what to change. With --file it reads the settings of an application (firefox, irssi, monerod, qbittorrent, ssh, " +
      "thunderbird, weechat) and names what will leak before anything is sent. See `help leaks`.\n\n" +
      "Exit codes: 0 it saw no leak, 1 it did.",
    examples: [
      "i2p-socks audit --for 5m --listen 127.0.0.1:9050",
      "i2p-socks audit --secrets-file words --json",
      "i2p-socks audit --file ~/.ssh/config",
    ],
  },
  connect: {
    usage: "i2p-socks connect HOST PORT [OPTIONS]",
    text: connect,
    examples: [
      "ssh -o ProxyCommand='i2p-socks connect %h %p' me@example.i2p",
      "ssh -o ProxyCommand='i2p-socks connect --via irc %h %p' me@a.i2p",
      "git -c core.sshCommand=\"ssh -o ProxyCommand='i2p-socks connect %h %p'\" fetch",
    ],
  },
  lookup: {
    usage: "i2p-socks lookup NAME... [OPTIONS]",
    text: "Look names and addresses up in the router. It prints a line for each: what it is, its base32 address, and " +
      "whether the router resolves it. A link with `?i2paddresshelper=` brings a name together with its address: for " +
      "such a link it prints the line for the `--hosts` file, and warns if the router has another address for the " +
      "name.\n\nExit codes: 0 all of them resolve, 1 one does not, 69 no SAM bridge.",
    examples: ["i2p-socks lookup stats.i2p", "i2p-socks lookup stats.i2p --json"],
  },
  keys: {
    usage: "i2p-socks keys ACTION [NAME] [FILE] [OPTIONS]",
    text: keys,
    examples: [
      "i2p-socks keys new irc",
      "i2p-socks keys export irc irc.dat",
      "i2p-socks keys import old < eepPriv.dat",
    ],
  },
  config: {
    usage: "i2p-socks config ACTION [FILE] [OPTIONS]",
    text:
      "Write, check and show the configuration of serve. `init` writes a file with every option and a comment for " +
      "each, for this user alone, and never over another file. `check` reports everything that is wrong with the " +
      "options and the file, with its line. `show` prints the settings that hold, each with where it comes from. FILE " +
      "is the usual place if there is none: see `help config`.\n\nExit codes: 0 done, 1 the file is there already, " +
      "2 a setting is wrong.",
    examples: ["i2p-socks config init", "i2p-socks config check", "i2p-socks config show --quantity 3"],
  },
  "hash-login": {
    usage: "i2p-socks hash-login USER",
    text: "Make a line for --auth-file. It asks for the password on a terminal, and otherwise reads it from stdin. " +
      "See `help logins`.",
    examples: ["i2p-socks hash-login alice >> logins"],
  },
  status: {
    usage: "i2p-socks status [--name NAME | [HOST:]PORT] [--json] [--watch]",
    text:
      "Show the status of your running proxies. That is all of them, the one that was started with `--name NAME`, or the one " +
      "whose --status is at that address. NAME alone will do, too. The state and the addresses are known of all; counters, reasons and leaks only of those that " +
      "were started with --status. `--json` prints an object on one line for each. `--watch` prints the status every " +
      "two seconds, with rates; on a terminal it fits the window.\n\n" +
      "Exit codes: 0 all applications are ready, 75 one is not, 1 nobody answers; with --watch, that of the signal.",
    examples: ["i2p-socks status", "i2p-socks status --name irc --watch", "i2p-socks status 127.0.0.1:4448 --json"],
  },
  why: {
    usage: "i2p-socks why [--name NAME | [HOST:]PORT] [--json]",
    text:
      "Say what failed last, and what to do about it. It asks your running proxies, or with `--name` one of them; they " +
      "must have been started with --status. It shows the last 20 different outcomes of each application, newest " +
      "first: when, how often, whose identity, the reason, and the fix for the router that is used. The same is on the " +
      "status page. No destination is kept or shown unless the proxy was started with --log-destinations.\n\n" +
      "Exit codes: 0 it was told, 1 no proxy serves its status.",
    examples: ["i2p-socks why", "i2p-socks why --name irc"],
  },
  ping: {
    usage: "i2p-socks ping SITE[:PORT] [--name NAME | --via HOST:PORT] [--count N] [--http]",
    text: "Measure the way to a site through a running proxy, whose tunnels are there already. It opens streams one " +
      "after the other, and prints how long each took to open and, where the site speaks first or `--http` asks it, " +
      "how long its first byte took. The last line tells an offline site from slow tunnels. i2pd opens a stream before " +
      "the site has answered, so use `--http` for a web site. The port is 80 if none is given. If several proxies run, " +
      "`--name` says which. The site sees the " +
      "identity of the application, or with `--via-user` that of a login.\n\n" +
      "Exit codes: 0 a stream opened, otherwise that of the reason: 1 the site, 69 no router, 75 not ready.",
    examples: ["i2p-socks ping stats.i2p --http", "i2p-socks ping irc.postman.i2p:6667 --name irc --count 5"],
  },
  report: {
    usage: "i2p-socks report [OPTIONS]",
    text:
      "Print what to put into a bug report: the version, the platform, the settings that are not defaults, and what " +
      "the SAM bridge says. It names no site, identity, user, password or path. Give it the options that you give to " +
      "serve; without options it looks at the configuration file at its usual place.",
    examples: ["i2p-socks report", "i2p-socks report --udp --status 127.0.0.1:4448"],
  },
  setup: {
    usage: "i2p-socks setup [CLIENT] [--name NAME | --listen [HOST:]PORT]",
    text:
      "Print the settings of an application for the proxy. They always let the proxy resolve names. The settings go " +
      "to stdout and notes go to stderr, so the settings can be written to a file. They are for your running proxy; if " +
      "several run, `--name` says which. If another program listens there, such as the router's own proxy with one " +
      "identity for all, it prints no settings and ends with 1. Without CLIENT it lists the applications that it " +
      "knows. See `help clients`.",
    examples: [
      "i2p-socks setup",
      "i2p-socks setup curl",
      "i2p-socks setup firefox --listen 127.0.0.1:9050 > user.js",
    ],
  },
  completions: {
    usage: "i2p-socks completions SHELL",
    text: "Print a script that completes command lines in bash, zsh or fish. It completes verbs, options and known " +
      "values. The script asks the program at every Tab, so it fits any later version.",
    examples: [
      "source <(i2p-socks completions bash)",
      "i2p-socks completions zsh > _i2p-socks",
      "i2p-socks completions fish > i2p-socks.fish",
    ],
  },
  service: {
    usage: "i2p-socks service KIND",
    text: service,
    examples: [
      "i2p-socks service systemd > i2p-socks.service",
      "i2p-socks service systemd-user > ~/.config/systemd/user/i2p-socks.service",
      "i2p-socks service container > Containerfile",
    ],
  },
  help: {
    usage: "i2p-socks help [VERB | TOPIC [NAME]] [--markdown | --man]",
    text: "Explain a verb or a topic. `help topics` lists the topics. NAME is one of the things that a topic lists: " +
      "`help reasons peer-unreachable`, `help leaks dns`, `help clients curl`.",
    examples: ["i2p-socks help lookup", "i2p-socks help reasons not-ready", "i2p-socks help --man > i2p-socks.1"],
  },
};

/** What a verb does, in one sentence without its full stop. */
export function summaryOf(verb: Verb): string {
  return plain(VERB_HELP[verb].text.replaceAll("\n", " ")).replace(/\.(?: .*)?$/, "");
}
