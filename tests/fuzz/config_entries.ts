import type { Random } from "../support/random.ts";
import { mutateText } from "./mutate.ts";

/** A key of a configuration file, and its value: one text, or a list of any other number of them. */
export interface Entry {
  key: string;
  texts: string[];
}

/** Too long together for a line of SAM. */
const LONG_OPTIONS = ["x", "y", "z"].map((key) => `${key}=${key.repeat(900)}`);

/** Values that each option takes. */
const GOOD_VALUES: Readonly<Record<string, readonly string[]>> = {
  "listen": ["4447", "127.0.0.1:0", "[::1]:9050", "localhost:1"],
  "listen-mode": ["600", "666"],
  "sam": ["7656", "[::1]:7656"],
  "sam-user": ["me", 'a "b" \\', "j\u00fcrgen"],
  "sam-password-file": ["/run/secret"],
  "name": ["irc", "a-b_c", "\u4e0d"],
  "identity": ["irc", "A_1-"],
  "keys-dir": ["/keys"],
  "isolate": ["auth", "none", "auth,destination,port,client,stream", "port,port"],
  "max-identities": ["1", "64"],
  "spare-identities": ["0", "16"],
  "identity-idle": ["0", "10m", "576h"],
  "auth-file": ["/logins"],
  "allow": ["*.i2p", "*:80", "a.i2p:1-2"],
  "deny": ["*:25", "b.i2p"],
  "length": ["0", "7"],
  "inbound-length": ["1"],
  "outbound-length": ["2"],
  "quantity": ["1", "16"],
  "inbound-quantity": ["2"],
  "outbound-quantity": ["3"],
  "backup": ["0", "16"],
  "inbound-backup": ["1"],
  "outbound-backup": ["2"],
  "variance": ["-7", "7"],
  "inbound-variance": ["0"],
  "outbound-variance": ["-1"],
  "lease-set-encryption": ["4,0", "6,4"],
  "o": ["i2p.streaming.profile=2", "inbound.length=4", "__proto__=1", "constructor==", "name=1", ...LONG_OPTIONS],
  "connect-timeout": ["90s"],
  "handshake-timeout": ["500ms"],
  "idle-timeout": ["0", "1h"],
  "max-connections": ["1", "65535"],
  "max-per-client": ["1", "65535"],
  "extended-errors": ["true", "false"],
  "udp": ["true", "false"],
  "sam-udp": ["7655"],
  "udp-style": ["datagram", "datagram2", "datagram3"],
  "forward": ["80=127.0.0.1:8080", "localhost:1"],
  "forward-header": ["true", "false"],
  "allow-caller": [`${"a".repeat(52)}.b32.i2p`],
  "deny-caller": [`${"b".repeat(51)}a.b32.i2p`],
  "bind": ["true", "false"],
  "max-inbound": ["1", "65535"],
  "max-per-caller": ["1", "65535"],
  "caller-idle-timeout": ["0", "30m"],
  "hosts": ["/run/hosts"],
  "map-names": ["127.192.0.0/10", "fe80::/10"],
  "leaks": ["off", "warn", "block"],
  "scrub": ["irc", "http,irc"],
  "secrets-file": ["/run/words"],
  "wait": ["0", "10m"],
  "quiet": ["true", "false"],
  "log-level": ["debug", "error"],
  "log-format": ["text", "json"],
  "color": ["auto", "always", "never"],
  "status": ["127.0.0.1:4448", "[::1]:0"],
  "log-destinations": ["true", "false"],
};

/** The options that may stand in a file; `o` has the key `options` there. */
export const KNOWN_OPTIONS: readonly string[] = Object.keys(GOOD_VALUES);

/** Keys that are no options of a file, some of them with the look of YAML's own signs. */
const NO_OPTIONS = ["lenght", "o", "config", "__proto__", "constructor", "listen ", "a: b", "# x", "- x"];

/** Keys with values, most of them good. */
export function randomEntries(random: Random): Entry[] {
  return Array.from({ length: random.below(6) }, () => {
    const name = random.pick(KNOWN_OPTIONS);
    const isKnown = random.below(12) > 0;
    const key = isKnown ? name === "o" ? "options" : name : random.pick(NO_OPTIONS);
    const count = random.below(4) > 0 ? 1 : random.below(4);
    const texts = Array.from({ length: count }, () => {
      const text = random.pick(GOOD_VALUES[random.below(20) === 0 ? random.pick(KNOWN_OPTIONS) : name] ?? []);
      return random.below(10) === 0 ? mutateText(text, random, { maxLength: 80 }) : text;
    });
    return { key, texts };
  });
}
