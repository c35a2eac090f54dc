import type { Protocol } from "./detector.ts";
import type { LeakKind } from "./leak.ts";
import { type Packet, packetProtocol, PARTIAL } from "./reader.ts";

const IAC = "\xff";
const SE = "\xf0";

/** Options whose values name somebody: X-DISPLAY-LOCATION (RFC 1096), ENVIRON and NEW-ENVIRON (RFC 1572). */
const DISPLAY = "\x23";
const ENVIRONMENTS = ["\x24", "\x27"];

/** What makes a list of bytes an answer. */
const IS = "\0";

/**
 * The options of telnet (RFC 854) that name user or machine.
 *
 * ```
 * IAC SB 27  IS  VAR "USER" VALUE "name"  IAC SE
 * ```
 *
 * Not seen: what is typed; the type of the terminal is not a leak.
 */
export const TELNET: Protocol = packetProtocol(({ sent }) => {
  if (sent.length < 2) return IAC.startsWith(sent) ? undefined : false;
  return /^\xff[\xfa-\xfe]/.test(sent);
}, () => take);

function take(text: string): Packet {
  if (!text.startsWith(IAC)) {
    const end = text.indexOf(IAC);
    return { taken: end < 0 ? text.length : end, leaks: [] };
  }
  const command = text.charCodeAt(1);
  if (text.length < 2) return PARTIAL;
  if (command !== 0xfa) {
    return text.length < 3 && command > 0xfa ? PARTIAL : { taken: command > 0xfa && command < 0xff ? 3 : 2, leaks: [] };
  }
  const end = text.indexOf(IAC + SE);
  return end < 0 ? PARTIAL : { taken: end + 2, leaks: optionLeaks(text.slice(2, end)) };
}

function optionLeaks(option: string): LeakKind[] {
  if (option.charAt(1) !== IS) return [];
  const value = option.slice(2);
  // `:0` is a display of any machine.
  if (option.startsWith(DISPLAY)) return /^(?:unix|localhost)?:[\d.]+$|^$/.test(value) ? [] : ["telnet-environment"];
  if (!ENVIRONMENTS.includes(option.charAt(0))) return [];
  // deno-lint-ignore no-control-regex
  const variables = value.matchAll(/[\0\x03](USER|LOGNAME|ACCT|DISPLAY|SYSTEMTYPE|HOME|MAIL)\x01([^\0\x01\x03]+)/g);
  const names = [...variables].some(([, name, of = ""]) =>
    name !== "DISPLAY" || !/^(?:unix|localhost)?:[\d.]+$/.test(of)
  );
  return names ? ["telnet-environment"] : [];
}
