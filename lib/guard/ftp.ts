import type { Head, Protocol } from "./detector.ts";
import { isHarmlessHost } from "./host.ts";
import type { LeakKind } from "./leak.ts";
import { lineProtocol } from "./reader.ts";

/** What clients of FTP say first, and those of SMTP do not. */
const FIRST = /^(?:ACCT|AUTH|CLNT|CSID|FEAT|HOST|LANG|OPTS|PASS|PBSZ|PWD|SYST|TYPE|USER)\b/i;

/** Words for nobody in the password of an anonymous login. */
const NOBODY =
  /^(?:anonymous|anon|guest|user|ftp|nobody|none)?(?:@(?:[\w.-]+\.)?(?:i2p|invalid|localhost)?|@example\.(?:com|net|org))?$|@(?:[\w-]+\.)*i2p$/i;

/**
 * FTP (RFC 959), where the server greets as such: addresses of active mode, and what names the client.
 *
 * Not seen: what follows AUTH TLS, and names of files and folders, but for the home folder.
 */
export const FTP: Protocol = lineProtocol(recognise, () => {
  let isAnonymous = false;
  return (line) => {
    const [, command = "", rest = ""] = /^([A-Z]{3,4}) *(.*)$/i.exec(line) ?? [];
    if (command.toUpperCase() === "USER") isAnonymous = /^(?:anonymous|ftp)$/i.test(rest);
    return inspect(command.toUpperCase(), rest.trim(), isAnonymous);
  };
}, /^AUTH (?:TLS|SSL)/i);

function recognise({ sent, received }: Head): boolean | undefined {
  if (!"220".startsWith(received.slice(0, 3)) || /^.*(?:SMTP|LMTP)\b/.test(received)) return false;
  const end = sent.indexOf("\n");
  if (end < 0) return /^[A-Z]{0,4}(?: [^\n]{0,500})?\r?$/i.test(sent) ? undefined : false;
  if (!FIRST.test(sent)) return false;
  // Clients of POP and IRC begin like this as well, and wait for their servers, too.
  return received.length >= 3 ? true : undefined;
}

function inspect(command: string, rest: string, isAnonymous: boolean): LeakKind[] {
  switch (command) {
    case "PORT":
      return isHarmlessHost(rest.split(",", 4).join(".")) ? [] : ["ftp-address"];
    case "EPRT":
      return isHarmlessHost(rest.split(rest.charAt(0))[2] ?? "") ? [] : ["ftp-address"];
    case "LPRT":
      return ["ftp-address"];
    case "CLNT":
    case "CSID":
      return rest === "" ? [] : ["ftp-client"];
    case "PASS":
      return isAnonymous && !NOBODY.test(rest) ? ["ftp-client"] : [];
    default:
      return [];
  }
}
