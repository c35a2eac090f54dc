/** What the guard reports of plaintext. */
export type LeakKind =
  | "http-user-agent"
  | "http-client-hints"
  | "http-from"
  | "http-forwarded"
  | "http-via"
  | "http-referer"
  | "http-origin"
  | "http-host"
  | "http-cookie"
  | "http-unreadable"
  | "http-undecoded"
  | "websocket-unreadable"
  | "irc-user"
  | "irc-quit"
  | "irc-ctcp"
  | "irc-dcc"
  | "irc-unreadable"
  | "mail-hello"
  | "mail-from"
  | "mail-date"
  | "mail-received"
  | "mail-message-id"
  | "mail-mailer"
  | "mail-originating-ip"
  | "mail-organization"
  | "mail-unreadable"
  | "news-posting-host"
  | "ftp-address"
  | "ftp-client"
  | "sip-address"
  | "sip-client"
  | "ssh-banner"
  | "git-host"
  | "git-agent"
  | "svn-client"
  | "bittorrent-client"
  | "bittorrent-address"
  | "tls-server-name"
  | "xmpp-domain"
  | "xmpp-version"
  | "xmpp-time"
  | "telnet-environment"
  | "remote-desktop-user"
  | "database-client"
  | "coin-address"
  | "ntlm-names"
  | "own-address"
  | "own-host-name"
  | "own-user-name"
  | "own-home"
  | "public-address"
  | "secret";

/** What is known of a kind of leak. */
export interface LeakFacts {
  /** Protocol in which it is looked for. */
  protocol: string;
  /** What the plaintext says, one sentence. */
  message: string;
  /** What to do about it, one sentence. */
  fix: string;
  /** What the fix costs the user. */
  cost: string;
  /**
   * Whether nothing was found, but something could not be looked at: with `block` and with scrubbing it is not sent.
   *
   * @default {false}
   */
  isUnreadable?: boolean;
}

/** Every kind of leak: the one table behind log lines, counters, the audit's report and the README. */
export const LEAKS: Readonly<Record<LeakKind, LeakFacts>> = {
  "http-user-agent": {
    protocol: "HTTP",
    message: "User-Agent names the operating system or the device",
    fix: "Set a neutral User-Agent in the application, or --scrub http",
    cost: "Sites may send a page for another browser",
  },
  "http-client-hints": {
    protocol: "HTTP",
    message: "A header such as Sec-CH-UA-Platform names the system, the processor or the device",
    fix: "Use Firefox or Tor Browser, which send none, or --scrub http",
    cost: "Sites may send a page for another device",
  },
  "http-from": {
    protocol: "HTTP",
    message: "From names a mail address",
    fix: "Take the address out of the application's settings, or --scrub http",
    cost: "None",
  },
  "http-forwarded": {
    protocol: "HTTP",
    message: "A header such as X-Forwarded-For names the address that a request came from",
    fix: "Take out the proxy that adds it, or --scrub http",
    cost: "None",
  },
  "http-via": {
    protocol: "HTTP",
    message: "Via names a proxy in front of this one",
    fix: "Take out the proxy that adds it, or --scrub http",
    cost: "None",
  },
  "http-referer": {
    protocol: "HTTP",
    message: "Referer names a page of the clearnet, or of another site of I2P",
    fix: "Switch the Referer off in the application, or --scrub http",
    cost: "Few sites refuse requests without it",
  },
  "http-origin": {
    protocol: "HTTP",
    message: "Origin names a site of the clearnet, or another one of I2P",
    fix: "Use a browser profile for I2P alone",
    cost: "Another profile",
  },
  "http-host": {
    protocol: "HTTP",
    message: "Host names a site of the clearnet",
    fix: "The application sends a request for the clearnet into I2P: look at its proxy settings",
    cost: "None",
  },
  "http-cookie": {
    protocol: "HTTP",
    message: "The same cookie goes to two sites, which can link the two visits",
    fix: "Use a browser profile for each site, or a login for each (see Identities)",
    cost: "A profile, or an identity, for each site",
  },
  "http-unreadable": {
    protocol: "HTTP",
    message:
      "A request that two readers may understand in two ways, or bytes behind it that are no request: the guard cannot follow",
    fix: "Use a client that keeps to HTTP/1.1",
    cost: "None",
    isUnreadable: true,
  },
  "http-undecoded": {
    protocol: "HTTP",
    message: "HTTP/2 without TLS, which the guard does not decode",
    fix: "Switch HTTP/2 without TLS off (curl: --http1.1)",
    cost: "None",
    isUnreadable: true,
  },
  "websocket-unreadable": {
    protocol: "WebSocket",
    message: "Compressed messages, which the guard does not decode",
    fix: "Switch permessage-deflate off, or --scrub http, which takes the offer out",
    cost: "More bytes",
    isUnreadable: true,
  },
  "irc-user": {
    protocol: "IRC",
    message: "USER or SETNAME names the system's user, its host, or a real name",
    fix: "Set user name and real name in the client, or --scrub irc",
    cost: "None",
  },
  "irc-quit": {
    protocol: "IRC",
    message: "The text of QUIT, PART or AWAY names the client",
    fix: "Set other texts in the client, or --scrub irc",
    cost: "None",
  },
  "irc-ctcp": {
    protocol: "IRC",
    message: "An answer to CTCP (VERSION, TIME, FINGER, CLIENTINFO and the like) names client, system or time zone",
    fix: "Switch CTCP answers off in the client, or --scrub irc",
    cost: "Others cannot ask for them",
  },
  "irc-dcc": {
    protocol: "IRC",
    message: "DCC offers the IP address of this machine",
    fix: "Switch DCC off in the client, or --scrub irc",
    cost: "No file transfers, which cannot work through I2P anyway",
  },
  "irc-unreadable": {
    protocol: "IRC",
    message: "A line that is not a message of IRC, or too long for one, was left out",
    fix: "Look in the client for what sends it",
    cost: "None",
    isUnreadable: true,
  },
  "mail-hello": {
    protocol: "SMTP",
    message: "EHLO names this machine",
    fix: "Set the mail client's HELO name to localhost",
    cost: "None",
  },
  "mail-from": {
    protocol: "SMTP",
    message: "The sender's address is at this machine, or in the clearnet",
    fix: "Set an address of I2P in the mail client",
    cost: "None",
  },
  "mail-date": {
    protocol: "SMTP",
    message: "Date names the time zone",
    fix: "Run the mail client with TZ=UTC",
    cost: "Times are shown in UTC",
  },
  "mail-received": {
    protocol: "SMTP",
    message: "A Received header names the machines that a mail has passed",
    fix: "Send the mail from the client itself, without a local mail server",
    cost: "None",
  },
  "mail-message-id": {
    protocol: "SMTP",
    message: "Message-ID names this machine or a domain of the clearnet",
    fix: "Set the domain of Message-ID in the mail client",
    cost: "None",
  },
  "mail-mailer": {
    protocol: "SMTP",
    message: "X-Mailer, User-Agent or the ID of IMAP names the mail client and often the system",
    fix: "Switch the header, or ID, off in the mail client",
    cost: "None",
  },
  "mail-originating-ip": {
    protocol: "SMTP",
    message: "A header such as X-Originating-IP names the address that a mail comes from",
    fix: "Switch the header off in the mail client",
    cost: "None",
  },
  "mail-organization": {
    protocol: "SMTP",
    message: "Organization names the user's organization",
    fix: "Take it out of the settings of the mail or news client",
    cost: "None",
  },
  "mail-unreadable": {
    protocol: "SMTP",
    message: "Compression within the session, which the guard does not decode",
    fix: "Switch COMPRESS off in the client",
    cost: "More bytes",
    isUnreadable: true,
  },
  "news-posting-host": {
    protocol: "NNTP",
    message: "A header such as NNTP-Posting-Host or Path names the machine that an article comes from",
    fix: "Set the host name in the news client",
    cost: "None",
  },
  "ftp-address": {
    protocol: "FTP",
    message: "PORT, EPRT or LPRT names the IP address of this machine",
    fix: "Use passive mode",
    cost: "None",
  },
  "ftp-client": {
    protocol: "FTP",
    message: "CLNT, or the password of an anonymous login, names the client or a mail address",
    fix: "Set another password; in lftp, switch CLNT off",
    cost: "None",
  },
  "sip-address": {
    protocol: "SIP",
    message: "Via, Contact, Call-ID or the session's description names the address of this machine",
    fix: "Nothing hides it in most clients: use a gateway for SIP",
    cost: "Another program",
  },
  "sip-client": {
    protocol: "SIP",
    message: "User-Agent or Server names the client and often the system",
    fix: "Switch it off, or set another, in the client",
    cost: "None",
  },
  "ssh-banner": {
    protocol: "SSH",
    message: "The version line names the distribution and its release",
    fix: "Nothing hides it in OpenSSH's client; a build of the client without the distribution's patch does",
    cost: "A build of one's own",
  },
  "git-host": {
    protocol: "git",
    message: "The request names a host of the clearnet",
    fix: "Use the repository's name in I2P as its URL",
    cost: "None",
  },
  "git-agent": {
    protocol: "git",
    message: "The agent names the operating system",
    fix: "Set GIT_USER_AGENT=git",
    cost: "None",
  },
  "svn-client": {
    protocol: "Subversion",
    message: "The greeting names the operating system and the processor",
    fix: "Nothing hides it in svn: use the repository by HTTP, with --scrub http",
    cost: "Another URL",
  },
  "bittorrent-client": {
    protocol: "BitTorrent",
    message: "The peer id, or the extensions' handshake, names the client and its version",
    fix: "Switch anonymous mode on in the client; qBittorrent (4.5) names itself to trackers all the same",
    cost: "Some trackers refuse it",
  },
  "bittorrent-address": {
    protocol: "BitTorrent",
    message: "The extensions' handshake, or an announce to a tracker, names the IP address of this machine",
    fix: "Switch the announced address off in the client",
    cost: "None",
  },
  "tls-server-name": {
    protocol: "TLS",
    message: "The ClientHello names a host of the clearnet",
    fix: "The application connects to the clearnet through I2P: look at its settings",
    cost: "None",
  },
  "xmpp-domain": {
    protocol: "XMPP",
    message: "The stream's opening names a domain of the clearnet",
    fix: "Use an account on a server of I2P",
    cost: "A new account",
  },
  "xmpp-version": {
    protocol: "XMPP",
    message: "An answer to a question for the software's version names client and often the system",
    fix: "Switch answers to version queries off in the client",
    cost: "None",
  },
  "xmpp-time": {
    protocol: "XMPP",
    message: "An answer to a question for the time names the time zone",
    fix: "Switch answers to time queries off, or run the client with TZ=UTC",
    cost: "Times are shown in UTC",
  },
  "telnet-environment": {
    protocol: "telnet",
    message: "The environment, or the X display, names the user or this machine",
    fix: "Unset USER and DISPLAY before telnet",
    cost: "None",
  },
  "remote-desktop-user": {
    protocol: "RDP",
    message: "The request names the user",
    fix: "Give the client another user name, or none",
    cost: "None",
  },
  "database-client": {
    protocol: "databases",
    message: "The handshake names the operating system, the processor or the machine",
    fix: "Switch connection attributes off in the client",
    cost: "None",
  },
  "coin-address": {
    protocol: "coins",
    message: "The version message names the IP address of this machine",
    fix: "Set the address that the node announces, or none (bitcoind: -discover=0)",
    cost: "None",
  },
  "ntlm-names": {
    protocol: "NTLM",
    message: "The login names the user, the domain and the machine",
    fix: "Use another way of logging in",
    cost: "None",
  },
  "own-address": {
    protocol: "any",
    message: "An IP address of this machine",
    fix: "Look in the application for a setting of the address that it announces",
    cost: "None",
  },
  "own-host-name": {
    protocol: "any",
    message: "The host name of this machine",
    fix: "Look in the application for a setting of the host name",
    cost: "None",
  },
  "own-user-name": {
    protocol: "any",
    message: "The name of the system's user",
    fix: "Set another user name in the application",
    cost: "None",
  },
  "own-home": {
    protocol: "any",
    message: "The path of the home folder, which names the system's user",
    fix: "Use files outside the home folder, or run the application as another user",
    cost: "None",
  },
  "public-address": {
    protocol: "any",
    message: "What looks like a public IP address",
    fix: "Look in the application for a setting of the address that it announces",
    cost: "None",
  },
  "secret": {
    protocol: "any",
    message: "A line of --secrets-file",
    fix: "Find out why the application sends it",
    cost: "None",
  },
};
