/** What an application can give away in plaintext. */
export type LeakKind =
  | "http-user-agent"
  | "http-forwarded"
  | "http-via"
  | "http-referer"
  | "http-origin"
  | "http-host"
  | "http-cookie"
  | "irc-user"
  | "irc-ctcp"
  | "irc-dcc"
  | "mail-hello"
  | "mail-received"
  | "mail-message-id"
  | "mail-mailer"
  | "mail-originating-ip"
  | "ssh-banner"
  | "bittorrent-client"
  | "tls-server-name"
  | "xmpp-domain"
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
  /** What it gives away, one sentence. */
  story: string;
  /** What to do about it, one sentence. */
  fix: string;
}

/** Every kind of leak: the one table behind log lines, counters, the audit's report and the README. */
export const LEAKS: Readonly<Record<LeakKind, LeakFacts>> = {
  "http-user-agent": {
    protocol: "HTTP",
    story: "User-Agent names the operating system or the device",
    fix: "Set a neutral User-Agent in the application, or --scrub http",
  },
  "http-forwarded": {
    protocol: "HTTP",
    story: "A header such as X-Forwarded-For names the address that a request came from",
    fix: "Take out the proxy that adds it, or --scrub http",
  },
  "http-via": {
    protocol: "HTTP",
    story: "Via names a proxy in front of this one",
    fix: "Take out the proxy that adds it, or --scrub http",
  },
  "http-referer": {
    protocol: "HTTP",
    story: "Referer names a page of the clearnet, or of another site of I2P",
    fix: "Switch the Referer off in the application, or --scrub http",
  },
  "http-origin": {
    protocol: "HTTP",
    story: "Origin names a site of the clearnet, or another one of I2P",
    fix: "Use a browser profile for I2P alone",
  },
  "http-host": {
    protocol: "HTTP",
    story: "Host names a site of the clearnet",
    fix: "The application sends a request for the clearnet into I2P: look at its proxy settings",
  },
  "http-cookie": {
    protocol: "HTTP",
    story: "The same cookie goes to two sites, which can link the two visits",
    fix: "Use a browser profile for each site, or a login for each (see Identities)",
  },
  "irc-user": {
    protocol: "IRC",
    story: "USER names the system's user, its host, or a real name",
    fix: "Set user name and real name in the client, or --scrub irc",
  },
  "irc-ctcp": {
    protocol: "IRC",
    story: "An answer to CTCP (VERSION, TIME, FINGER, CLIENTINFO and the like) tells client, system or time zone",
    fix: "Switch CTCP answers off in the client, or --scrub irc",
  },
  "irc-dcc": {
    protocol: "IRC",
    story: "DCC offers the IP address of this machine",
    fix: "Switch DCC off in the client, or --scrub irc",
  },
  "mail-hello": {
    protocol: "SMTP",
    story: "EHLO names this machine",
    fix: "Set the mail client's HELO name to localhost",
  },
  "mail-received": {
    protocol: "SMTP",
    story: "A Received header names the machines that a mail has passed",
    fix: "Send the mail from the client itself, without a local mail server",
  },
  "mail-message-id": {
    protocol: "SMTP",
    story: "Message-ID names this machine or a domain of the clearnet",
    fix: "Set the domain of Message-ID in the mail client",
  },
  "mail-mailer": {
    protocol: "SMTP",
    story: "X-Mailer, User-Agent or the ID of IMAP names the mail client and often the system",
    fix: "Switch the header, or ID, off in the mail client",
  },
  "mail-originating-ip": {
    protocol: "SMTP",
    story: "A header such as X-Originating-IP names the address that a mail comes from",
    fix: "Switch the header off in the mail client",
  },
  "ssh-banner": {
    protocol: "SSH",
    story: "The version line names the distribution and its release",
    fix: "Nothing hides it in OpenSSH's client; a build of the client without the distribution's patch does",
  },
  "bittorrent-client": {
    protocol: "BitTorrent",
    story: "The peer id names the client and its version",
    fix: "Switch anonymous mode on in the client; qBittorrent (4.5) tells trackers all the same",
  },
  "tls-server-name": {
    protocol: "TLS",
    story: "The ClientHello names a host of the clearnet",
    fix: "The application connects to the clearnet through I2P: look at its settings",
  },
  "xmpp-domain": {
    protocol: "XMPP",
    story: "The stream's opening names a domain of the clearnet",
    fix: "Use an account on a server of I2P",
  },
  "own-address": {
    protocol: "any",
    story: "An IP address of this machine",
    fix: "Look in the application for a setting of the address that it announces",
  },
  "own-host-name": {
    protocol: "any",
    story: "The host name of this machine",
    fix: "Look in the application for a setting of the host name",
  },
  "own-user-name": {
    protocol: "any",
    story: "The name of the system's user",
    fix: "Set another user name in the application",
  },
  "own-home": {
    protocol: "any",
    story: "The path of the home folder, which names the system's user",
    fix: "Use files outside the home folder, or run the application as another user",
  },
  "public-address": {
    protocol: "any",
    story: "What looks like a public IP address",
    fix: "Look in the application for a setting of the address that it announces",
  },
  "secret": {
    protocol: "any",
    story: "A line of --secrets-file",
    fix: "Find out why the application sends it",
  },
};
