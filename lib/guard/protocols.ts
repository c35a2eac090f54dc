import { BITTORRENT } from "./bittorrent.ts";
import { COIN } from "./coin.ts";
import { DATABASE } from "./database.ts";
import type { Protocol } from "./detector.ts";
import { FTP } from "./ftp.ts";
import { HTTP, HTTP_2 } from "./http.ts";
import { IRC } from "./irc.ts";
import { MAIL } from "./mail.ts";
import { REMOTE_DESKTOP } from "./remote_desktop.ts";
import { GIT, SVN } from "./repository.ts";
import { SIP } from "./sip.ts";
import { SSH } from "./ssh.ts";
import { TELNET } from "./telnet.ts";
import { TLS } from "./tls.ts";
import { XMPP } from "./xmpp.ts";

/** All protocols that the guard knows. */
export const PROTOCOLS: readonly Protocol[] = [
  HTTP,
  TLS,
  SSH,
  BITTORRENT,
  IRC,
  MAIL,
  FTP,
  XMPP,
  HTTP_2,
  SIP,
  GIT,
  SVN,
  TELNET,
  REMOTE_DESKTOP,
  DATABASE,
  COIN,
];
