import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { inspectMailLine, MAIL } from "../../lib/guard/mail.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

function recognise(sent: string, received = ""): boolean | undefined {
  return MAIL.recognise({ sent, received, host: "smtp.postman.i2p" });
}

function assertLeaks(lines: readonly string[], ...leaks: LeakKind[]): void {
  for (const line of lines) assertEquals([...inspectMailLine(line)], leaks, JSON.stringify(line));
}

/** Asserts that a stream is undecided up to some byte, and from there on decided for good. */
function assertDecided(verdicts: readonly (boolean | undefined)[], expected: boolean, text: string): void {
  const first = verdicts.indexOf(expected);
  assertEquals(first >= 0, true, `${text} is never decided`);
  assertEquals(new Set(verdicts.slice(0, first)).has(!expected), false, text);
  assertEquals(verdicts.slice(first).every((verdict) => verdict === expected), true, text);
}

function prefixes(text: string): string[] {
  return Array.from({ length: text.length + 1 }, (_, length) => text.slice(0, length));
}

pureTest("MAIL.recognise() knows what servers greet with, in every fragment", () => {
  const greetings = [
    "220 mail.i2p ESMTP postman\r\n",
    "220-mail.i2p SMTP\r\n220 hello\r\n",
    "220 x LMTP ready\r\n",
    "+OK <1.2@pop.i2p>\r\n",
    "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n",
    "* PREAUTH x\r\n",
  ];
  for (const greeting of greetings) {
    assertDecided(prefixes(greeting).map((received) => recognise("", received)), true, greeting);
  }
});

pureTest("MAIL.recognise() knows what clients begin with, in every fragment", () => {
  const openings: (readonly [string, string])[] = [
    // Clients that do not wait.
    ["EHLO localhost\r\n", ""],
    ["helo x\r\n", ""],
    ["LHLO x\n", ""],
    ["a1 LOGIN alice secret\r\n", ""],
    ["1 capability\r\n", ""],
    ["a ID NIL\r\n", ""],
    ["A001 AUTHENTICATE PLAIN\r\n", ""],
    // Thunderbird; fetchmail; mutt; a server whose greeting names no protocol.
    ["1 capability\r\n", "* OK ready\r\n"],
    ["CAPA\r\n", "+OK\r\n"],
    ["USER alice\r\nPASS x\r\n", "+OK\r\n"],
    ["a0000 SELECT INBOX\r\n", "* PREAUTH\r\n"],
    ["EHLO localhost\r\n", "220 hello\r\n"],
    ["STARTTLS\r\n", "220 hello\r\n"],
  ];
  for (const [sent, received] of openings) {
    assertDecided(prefixes(sent).slice(1).map((beginning) => recognise(beginning, received)), true, sent);
  }
  assertEquals(recognise("", "+OK"), true);
  assertEquals(recognise("", "220 hello\r\n"), undefined, "this may be FTP");
  assertEquals(recognise("CAPA\r\n"), undefined, "this may be something else than POP");
});

pureTest("MAIL.recognise() says no to other protocols, and stays with it", () => {
  const others: (readonly [string, string])[] = [
    ["GET / HTTP/1.1\r\n", ""],
    ["POST /EHLO HTTP/1.1\r\n", ""],
    ["SSH-2.0-x\r\n", ""],
    ["\x16\x03\x01", ""],
    ["NICK alice\r\nUSER a b c :d\r\n", ":irc"],
    ["USER anonymous\r\n", "220 FTP\r\n"],
    ["SET x 1\r\n", "+OK\r\n"],
    ["", "SSH-2.0-x\r\n"],
    ["", "HTTP/1.1 200\r\n"],
    ["", "+OKAY"],
    ["", "2200"],
    ["EHLO" + "x".repeat(40), ""],
    ["EHLO " + "x".repeat(1_100), "220 ESMTP\r\n"],
    ["EHLO " + "x".repeat(1_100) + "\n", ""],
    ["*1\r\n$4\r\nPING\r\n", "+OK"],
  ];
  for (const [sent, received] of others) {
    assertDecided(
      prefixes(sent).map((beginning) => recognise(beginning, received)).slice(sent === "" ? 0 : 1),
      false,
      sent + received,
    );
  }
});

pureTest("inspectMailLine() finds a hello that names the machine", () => {
  assertLeaks(
    [
      // mutt; Thunderbird; KMail; sendmail.
      "EHLO thinkpad",
      "EHLO [192.168.1.5]",
      "ehlo thinkpad.example.org\r",
      "HELO 192.168.1.5",
      "LHLO [IPv6:2001:db8::5]",
      "EHLO  laptop.local ",
      "EHLO evil-i2p",
      "EHLO localhost.example.org",
      "EHLO x.i2p.example.org",
    ],
    "mail-hello",
  );
});

pureTest("inspectMailLine() takes a neutral hello", () => {
  assertLeaks([
    // msmtp; Thunderbird with a hello_argument.
    "EHLO localhost",
    "EHLO localhost.",
    "EHLO [127.0.0.1]",
    "EHLO localhost.localdomain\r",
    "HELO LOCALHOST",
    "EHLO 127.0.0.1",
    "EHLO [IPv6:::1]",
    "EHLO [::1]",
    "LHLO mail.i2p",
    "EHLO smtp.postman.i2p",
    "EHLO",
    "EHLO ",
    "Helo there, my friend",
    "XEHLO thinkpad",
  ]);
});

pureTest("inspectMailLine() finds machines in Received", () => {
  assertLeaks(
    [
      "Received: from thinkpad (localhost [127.0.0.1]) by mail.i2p (Postfix) with ESMTP id 4F; Mon, 7 Aug 2023 12:00:00 +0200",
      "Received: from localhost ([192.168.1.5]) by mail.i2p; Mon, 7 Aug 2023 12:00:00 +0000",
      "received: by thinkpad (Postfix, from userid 1000)\r",
      "Received: by 10.1.2.3 with SMTP id 1",
      "Received: (qmail 123 invoked by uid 1000); 7 Aug 2023",
      "Received: id 1 for <a@example.org>",
    ],
    "mail-received",
  );
});

pureTest("inspectMailLine() takes Received that stays in I2P, and text", () => {
  assertLeaks([
    "Received: from localhost (localhost [127.0.0.1]) by mail.i2p (Exim 4.96) with ESMTP id 1.2; Mon, 7 Aug by example.org",
    "Received: from smtp.postman.i2p by hq.postman.i2p for <alice@mail.i2p>",
    "Received: 5 packets from thinkpad",
    " Received: from thinkpad",
    "\tby thinkpad (Postfix)",
    "X-Received: from thinkpad",
    "Received:",
  ]);
});

pureTest("inspectMailLine() finds a Message-ID that names the machine", () => {
  assertLeaks(
    [
      // mutt; KMail; Thunderbird with an account of the clearnet.
      "Message-ID: <ZNC1h0mJ3Z8rXw2D@thinkpad>",
      "Message-ID: <4512345.LvFx2qVVIh@thinkpad.example.org>\r",
      "Message-ID: <2a7e0b1c-3b7a-4d3e-8f4b-1a2b3c4d5e6f@example.org>",
      "Message-Id:<1@[192.168.1.5]>",
      "message-id: <1@i2p.example.org>",
      "Message-ID: <1@mail.i2p.net>",
    ],
    "mail-message-id",
  );
  assertLeaks([
    "Message-ID: <2a7e0b1c@mail.i2p>",
    "Message-ID: <2a7e0b1c@I2PMAIL.org>",
    "Message-ID: <1@localhost>",
    "Message-ID: <1>",
    "Message-ID:",
    "In-Reply-To: <1@example.org>",
    "References: <1@example.org>",
    "X-Message-ID: <1@example.org>",
  ]);
});

pureTest("inspectMailLine() finds the name of the client", () => {
  assertLeaks(
    [
      "User-Agent: Mozilla Thunderbird",
      "User-Agent: Mutt/2.2.9 (2022-11-12)\r",
      "User-Agent: KMail/5.22.3 (Linux/6.1.0; KDE/5.103.0; x86_64; ; )",
      "X-Mailer: Claws Mail 4.1.1 (GTK 3.24.38; x86_64-pc-linux-gnu)",
      "x-mailer:Evolution",
      "X-Newsreader: Forte Agent",
      "X-MimeOLE: Produced By Microsoft",
      // IMAP's ID, of Thunderbird and mutt.
      '5 ID ("name" "Thunderbird" "version" "115.0")',
      'a0002 id ("name" "Mutt" "version" "2.2.9" "os" "Linux")',
    ],
    "mail-mailer",
  );
  assertLeaks(
    ["User-Agent:", "X-Mailer: \r", "a2 ID NIL", "a2 ID ()", "The User-Agent: Mutt", "My ID (passport) is lost"].slice(
      0,
      5,
    ),
  );
});

pureTest("inspectMailLine() finds the address that a mail comes from", () => {
  assertLeaks(
    [
      "X-Originating-IP: [192.168.1.5]",
      "X-Sender-IP: 192.168.1.5",
      "x-source-ip: 2001:db8::5\r",
      "X-Client-IP:192.168.1.5",
      "X-Originating-IP: [IPv6:2001:db8::5]",
      "X-Forwarded-For: 192.168.1.5",
      "X-Remote-IP: 192.168.1.5",
      "X-Real-IP: 192.168.1.5",
      "X-SourceIP: 192.168.1.5",
    ],
    "mail-originating-ip",
  );
  assertLeaks([
    "X-Originating-IP: [127.0.0.1]",
    "X-Originating-IP: ::1",
    "X-Originating-IP: [IPv6:::1]",
    "X-Originating-IP:",
    "X-Sender-Id: alice",
    "X-Sender: alice@mail.i2p",
    "X-Source: x",
    "X-Client-IPs: 1",
  ]);
});

pureTest("inspectMailLine() takes what everybody sends", () => {
  assertLeaks([
    "MAIL FROM:<alice@mail.i2p>",
    "RCPT TO:<bob@example.org>",
    "DATA",
    ".",
    "..",
    "AUTH PLAIN AGFsaWNlAHNlY3JldA==",
    "a1 LOGIN alice secret",
    "a2 APPEND Sent (\\Seen) {310}",
    "CAPA",
    "USER alice",
    "Date: Mon, 7 Aug 2023 10:00:00 +0000",
    "From: alice@mail.i2p",
    "Content-Type: text/plain; charset=utf-8",
    "",
  ]);
});

pureTest("inspectMailLine() takes hostile lines", () => {
  const pieces = [
    "EHLO ",
    "Received: from ",
    "Message-ID: <",
    "Message-ID: <@",
    "a.",
    "X-Originating-IP: [",
    "\0",
    " ",
    "a1 ID (",
  ];
  for (const piece of pieces) assertEquals(inspectMailLine(piece.repeat(10_000)).length <= 1, true, piece);
});

/** Leaks of a message behind DATA. */
function leaksOfMessage(...lines: string[]): readonly LeakKind[] | undefined {
  const sent = ["EHLO localhost", "MAIL FROM:<kim@mail.i2p>", "DATA", ...lines, ".", "QUIT", ""].join("\r\n");
  return readStream(MAIL, sent)?.leaks;
}

pureTest("MAIL reads headers with the lines that continue them, and none in bodies", () => {
  assertEquals(leaksOfMessage("Received: from localhost", "\tby desk", "", "hi"), ["mail-received"]);
  assertEquals(leaksOfMessage("Subject: x", " User-Agent: Mutt", "", "hi"), []);
  assertEquals(
    leaksOfMessage(
      "Subject: x",
      "",
      "User-Agent: Mutt",
      "Received: from desk",
      "EHLO desk",
      "Date: 7 Aug 2023 10:00 +0200",
    ),
    [],
  );
  assertEquals(leaksOfMessage("", "..", "."), []);
  // A server may refuse the message, and another one may follow.
  const refused = "EHLO localhost\r\nDATA\r\nRSET\r\nDATA\r\nUser-Agent: Mutt\r\n\r\nhi\r\n.\r\nEHLO desk\r\n";
  assertEquals(readStream(MAIL, refused)?.leaks, ["mail-mailer", "mail-hello"]);
});

pureTest("MAIL reads messages in literals of IMAP and in chunks of SMTP, and what follows them", () => {
  const message = "User-Agent: Mutt\r\n\r\nX-Mailer: x\r\nEHLO desk\r\n";
  for (const plus of ["", "+"]) {
    const sent =
      `a1 LOGIN kim x\r\na2 APPEND Sent (\\Seen) {${message.length}${plus}}\r\n${message}\r\na3 ID ("name" "x")\r\n`;
    assertEquals(readStream(MAIL, sent, { received: "* OK\r\n" })?.leaks, ["mail-mailer"]);
    const other = sent.replace(/User-Agent: Mutt/, "Subject: neutral").replace(/a3 .*/, "a3 NOOP");
    assertEquals(readStream(MAIL, other, { received: "* OK\r\n" })?.leaks, []);
  }
  const chunk = `EHLO localhost\r\nBDAT ${message.length} LAST\r\n${message}EHLO desk\r\n`;
  assertEquals(readStream(MAIL, chunk)?.leaks, ["mail-mailer", "mail-hello"]);
});

pureTest("inspectMailLine() finds senders outside of I2P, time zones, organizations and posting hosts", () => {
  assertLeaks(["From: Kim <kim@example.org>", "MAIL FROM:<kim@desk>", "Reply-To: kim@[10.1.2.3]"], "mail-from");
  assertLeaks(["From: kim@mail.i2p", "MAIL FROM:<>", "From: nobody@nowhere.invalid", "To: bob@example.org"]);
  assertLeaks([
    "Date: Mon, 7 Aug 2023 12:00:00 +0200",
    "Date: 7 Aug 2023 12:00 EST",
    'a1 APPEND Sent "07-Aug-2023 12:00:00 -0700" {3}',
  ], "mail-date");
  assertLeaks([
    "Date: Mon, 7 Aug 2023 12:00:00 GMT",
    "Date: 7 Aug 2023 12:00:00 -0000 (UTC)",
    "Update: 7 Aug 2023 12:00 +0200",
  ]);
  assertLeaks(["Organization: Example Net"], "mail-organization");
  assertLeaks(["NNTP-Posting-Host: desk.example.org", "Path: news.example!not-for-mail"], "news-posting-host");
  assertLeaks(["Path: news.i2p!not-for-mail", "Path: not-for-mail", "NNTP-Posting-Host: localhost"]);
});

pureTest("MAIL says that it cannot read what is compressed", () => {
  assertEquals(readStream(MAIL, "a1 COMPRESS DEFLATE\r\n\x01\x02", { received: "* OK\r\n" })?.leaks, [
    "mail-unreadable",
  ]);
});
