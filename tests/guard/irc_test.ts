import { assertEquals } from "@std/assert";
import { inspectIrcLine, IRC, parseIrcLine } from "../../lib/guard/irc.ts";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { pureTest } from "../support/pure.ts";

function recognise(sent: string, received = ""): boolean | undefined {
  return IRC.recognise({ sent, received, host: "irc.postman.i2p" });
}

function assertLeaks(lines: readonly string[], ...leaks: LeakKind[]): void {
  for (const line of lines) assertEquals([...inspectIrcLine(line)], leaks, JSON.stringify(line));
}

/** What clients send first. */
const OPENINGS: readonly string[] = [
  // irssi
  "CAP LS 302\r\nNICK alice\r\nUSER alice alice irc.postman.i2p :Alice Liddell\r\n",
  // WeeChat, with a password
  "PASS secret\r\nCAP LS 302\r\nNICK alice\r\nUSER alice 0 * :alice\r\n",
  // HexChat without capabilities, Pidgin, ii
  "NICK alice\r\nUSER alice 0 * :realname\r\n",
  "PASS :a b\r\nNICK alice\r\nUSER alice thinkpad irc.postman.i2p :purple\r\n",
  "NICK ii\nUSER ii localhost irc.postman.i2p :ii\n",
  "USER alice 8 * :alice\r\nNICK alice\r\n",
  "\r\nnick alice\r\n",
];

pureTest("IRC.recognise() knows what clients begin with, in every fragment", () => {
  for (const opening of OPENINGS) {
    assertEquals(recognise(opening), true, opening);
    const verdicts = Array.from({ length: opening.length + 1 }, (_, length) => recognise(opening.slice(0, length)));
    const first = verdicts.indexOf(true);
    assertEquals(verdicts.slice(0, first).every((verdict) => verdict === undefined), true, opening);
    assertEquals(verdicts.slice(first).every((verdict) => verdict === true), true, opening);
  }
});

pureTest("IRC.recognise() knows what servers greet with, in every fragment", () => {
  for (const greeting of [":irc.postman.i2p NOTICE * :*** Looking up", "NOTICE AUTH :*** Checking Ident"]) {
    assertEquals(recognise("", greeting), true);
    const beginning = greeting.slice(0, greeting.indexOf(" :") + 1);
    for (let length = 0; length < beginning.length; length++) {
      assertEquals(recognise("", beginning.slice(0, length)), undefined, beginning.slice(0, length));
    }
    assertEquals(recognise("PASS x\r\n", greeting), true, "the client has begun as well");
  }
});

pureTest("IRC.recognise() says no to other protocols, and stays with it", () => {
  const others = [
    "GET / HTTP/1.1\r\n",
    "SSH-2.0-x\r\n",
    "EHLO x\r\n",
    "\x16\x03\x01",
    "\x13BitTorrent",
    "USER a b\r\n",
    "NICK\r\n",
    "USER a b c\n",

    "NOTICE",
  ];
  for (
    const other of [
      ...others,
      "PASS x\r\nGET / HTTP/1.1\r\n",
      "USER anonymous\r\nPASS x\r\n",
      "CAPA\r\n",
      "USER a b\r\n",
    ]
  ) {
    assertEquals(recognise(other), false, other);
    const verdicts = Array.from({ length: other.length + 1 }, (_, length) => recognise(other.slice(0, length)));
    const first = verdicts.indexOf(false);
    assertEquals(verdicts.slice(first).every((verdict) => verdict === false), true, other);
  }
  for (
    const greeting of [
      "+OK POP3 ready\r\n",
      "220 mail.i2p ESMTP\r\n",
      "SSH-2.0-x\r\n",
      "HTTP",
    ]
  ) {
    assertEquals(recognise("", greeting), false, greeting);
  }
});

pureTest("IRC.recognise() waits for a few lines, and no longer", () => {
  assertEquals(recognise("PASS x\r\n".repeat(7)), undefined);
  assertEquals(recognise("PASS x\r\n".repeat(8)), false);
  assertEquals(recognise("PASS x\r\n".repeat(7) + "NICK a\r\n"), true);
  assertEquals(recognise("PASS " + "x".repeat(1_000)), undefined);
  assertEquals(recognise("PASS " + "x".repeat(1_100)), false);
});

pureTest("inspectIrcLine() finds a host or a real name in USER", () => {
  assertLeaks(
    [
      // irssi, whose default is the system's full name.
      "USER alice alice irc.postman.i2p :Alice Liddell",
      // Pidgin names the host.
      "USER alice thinkpad irc.postman.i2p :purple",
      'USER alice "thinkpad.example.org" "irc.postman.i2p" :alice',
      "user alice 0 * :Alice_Liddell",
      "USER alice 0 * :Alice.Liddell\r",
      "USER alice 0 * :alice@example.org",
      "USER alice 0 * :KVIrc/5.0.0+http://kvirc.net/",
      "  USER alice 0 * :Alice Liddell",
      ":alice USER alice 192.168.1.5 * :alice",
      "@label=x :alice USER  alice  0  *  :Jos\xc3\xa9-Mar\xc3\xada Garc\xc3\xada",
    ],
    "irc-user",
  );
});

pureTest("inspectIrcLine() takes USER of a client that was given no name", () => {
  assertLeaks([
    "USER user hostname localhost :realname",
    "USER user hostname localhost :cool guy",
    "USER alice 0 * :alice",
    "USER alice 8 * :...",
    "USER alice 0 * :",
    "USER alice +iw alice :alice",
    "USER alice alice irc.postman.i2p :unknown",
    "USER alice irc.postman.i2p irc2.postman.i2p alice",
    "USER alice irc.example.org irc.example.org alice",
    "USER alice 0 * :AliceLiddell",
    'USER alice "" "irc.postman.i2p" :alice',
    // \xa0 is the second byte of a letter here, not a space.
    "USER alice 0 * :voil\xc3\xa0",
    "USER alice",
    "USER alice a b",
    "USER alice thinkpad localhost",
  ]);
});

pureTest("inspectIrcLine() finds answers of CTCP", () => {
  assertLeaks(
    [
      "NOTICE bob :\x01VERSION irssi v1.4.3\x01",
      "NOTICE bob :\x01VERSION HexChat 2.16.1 [x86_64] / Linux 6.1.0 [2.40GHz]\x01",
      "NOTICE bob :\x01VERSION WeeChat 3.8 (Jan  8 2023)\x01",
      "NOTICE bob :\x01VERSION Purple IRC\x01",
      "notice bob :\x01TIME Sun, 06 Aug 2023 12:00:00 +0200\x01",
      ":alice NOTICE bob :\x01FINGER Alice (alice@thinkpad) Idle 3 seconds\x01",
      "@time=x NOTICE bob :\x01CLIENTINFO ACTION DCC PING VERSION\x01",
      "NOTICE bob :\x01USERINFO Alice\x01\r",
      "NOTICE bob :\x01SOURCE http://www.irssi.org\x01",
      "NOTICE bob :\x01OS Linux\x01",
      "NOTICE bob :\x01version without an end",
      "NOTICE bob :\x01PING 123\x01\x01VERSION x\x01",
      "NOTICE bob \x01VERSION\x01",
      "CNOTICE bob #chan :\x01VERSION x\x01",
    ],
    "irc-ctcp",
  );
});

pureTest("inspectIrcLine() lets talk, questions and PING pass", () => {
  assertLeaks([
    "PRIVMSG bob :\x01VERSION\x01",
    "PRIVMSG bob :\x01PING 1691316000 123456\x01",
    "PRIVMSG #chan :\x01ACTION tells the TIME\x01",
    "NOTICE bob :\x01PING 1691316000\x01",
    "NOTICE bob :\x01ACTION waves\x01",
    "NOTICE bob :\x01DCC REJECT SEND file\x01",
    "NOTICE bob :\x01",
    "NOTICE bob :VERSION is 3.8",
    "NOTICE bob :hi \x01\x01 VERSION",
    "PRIVMSG bob :DCC SEND x 3232235777 5000",
    "PRIVMSG bob :DCC SEND is how one shares (192.168.1.5)",
    "NOTICE bob :\x01ERRMSG x :unknown\x01",
    "NOTICES bob :\x01VERSION x\x01",
    "PRIVMSGS bob :\x01DCC CHAT chat 3232235777 5000\x01",
    "NOTICE",
    "",
    ":",
    "@",
    "\0\0\0",
    "VERSION",
    "XNOTICE bob :\x01VERSION x\x01",
  ]);
});

pureTest("inspectIrcLine() finds the address in a DCC offer", () => {
  assertLeaks(
    [
      "PRIVMSG bob :\x01DCC SEND file.txt 3232235777 5000 1234\x01",
      'PRIVMSG bob :\x01DCC SEND "my file.txt" 3232235777 5000 1234\x01',
      "PRIVMSG bob :\x01DCC CHAT chat 3232235777 5000\x01",
      "privmsg bob :\x01dcc chat chat 192.168.1.5 5000\x01",
      "PRIVMSG bob :\x01DCC SEND f 2001:db8::5 5000 1234\x01",
      // HexChat's passive offer has the address and no port.
      "PRIVMSG bob :\x01DCC SEND f 3232235777 0 1234 7\x01",
      "PRIVMSG bob :\x01DCC SEND f 16843009 5000\x01",
      "PRIVMSG bob :\x01DCC XMIT clear 3232235777 5000\x01",
      "NOTICE bob :DCC Send file.txt (192.168.1.5)",
      "NOTICE bob :\x01DCC SEND file.txt 3232235777 5000 1234\x01",
      "PRIVMSG bob :\x01ACTION x\x01\x01DCC CHAT chat 3232235777 5000\x01",
    ],
    "irc-dcc",
  );
});

pureTest("inspectIrcLine() takes DCC without an address of this machine", () => {
  assertLeaks([
    "PRIVMSG bob :\x01DCC RESUME file.txt 5000 3232235777 12\x01",
    "PRIVMSG bob :\x01DCC ACCEPT file.txt 5000 3232235777 12\x01",
    "PRIVMSG bob :\x01DCC SEND 192.168.1.5 is the address\x01",
    "PRIVMSG bob :\x01DCC SEND x 12345678 5000\x01",
    "PRIVMSG bob :\x01DCC SEND x 03232235777 5000\x01",
    // irssi's and HexChat's passive offers.
    "PRIVMSG bob :\x01DCC SEND file.txt 16843009 0 1234 64\x01",
    "PRIVMSG bob :\x01DCC SEND file.txt 199 0 1234 64\x01",
    "PRIVMSG bob :\x01DCC CHAT chat 2130706433 5000\x01",
    "PRIVMSG bob :\x01DCC CHAT chat 127.0.0.1 5000\x01",
    "PRIVMSG bob :\x01DCC CHAT chat ::1 5000\x01",
    "PRIVMSG bob :\x01DCC SEND x 9999999999 5000\x01",
    "PRIVMSG bob :\x01DCC CHAT chat abcdef.b32.i2p 5000\x01",
    "PRIVMSG bob :\x01DCC SEND tool-1.2.3.4 5000\x01",
    "PRIVMSG bob :\x01DCC\x01",
    "PRIVMSG bob :\x01XDCC SEND 5\x01",
  ]);
});

pureTest("inspectIrcLine() takes hostile lines", () => {
  const inspected = ["@", ":", " ", "\x01", "NOTICE ", "NOTICE x :\x01", "PRIVMSG x :\x01DCC 1", "\0", "USER ", ": "];
  for (const piece of inspected) {
    const leaks = inspectIrcLine(piece.repeat(10_000));
    assertEquals(leaks.length <= 1, true, piece);
  }
  assertEquals([...inspectIrcLine(`NOTICE x :${"\x01".repeat(9_999)}VERSION x`)], ["irc-ctcp"]);
});

pureTest("parseIrcLine() takes a line apart", () => {
  assertEquals(parseIrcLine("@a=b;c :n!u@h PrivMsg  #x  y :z :w "), {
    command: "PRIVMSG",
    params: ["#x", "y", "z :w "],
  });
  assertEquals(parseIrcLine("QUIT"), { command: "QUIT", params: [] });
  assertEquals(parseIrcLine("QUIT :"), { command: "QUIT", params: [""] });
  assertEquals(parseIrcLine("PING :a"), { command: "PING", params: ["a"] });
  assertEquals(parseIrcLine("JOIN #a:b"), { command: "JOIN", params: ["#a:b"] });
  for (const line of ["", " ", ":only", "@only", "@a :b", "\x16\x03", "1.2"]) {
    assertEquals(parseIrcLine(line), undefined);
  }
});

pureTest("inspectIrcLine() finds real names in SETNAME, and clients in texts of QUIT, PART and AWAY", () => {
  assertLeaks(["SETNAME :Alice Liddell", "SETNAME :alice@example.org"], "irc-user");
  assertLeaks([
    "QUIT :WeeChat 3.8",
    "QUIT :KVIrc 5.0.0 Aria http://www.kvirc.net/",
    "PART #i2p :Konversation terminated!",
    "AWAY :Auto-away by HexChat 2.16",
    "QUIT :ircII EPIC5-2.1.6 -- Are we there yet?",
    "QUIT :using Linux 6.1",
    "QUIT :ERC 5.4 (IRC client for GNU Emacs 28.2)",
    "QUIT :Textual IRC Client: www.textualapp.com",
  ], "irc-quit");
  assertLeaks([
    "SETNAME :alice",
    "QUIT :leaving",
    "QUIT",
    "PART #weechat",
    "PART #i2p :bye",
    "AWAY :lunch",
    "QUIT :epic fail",
    "QUIT :in the lounge at 5",
    "QUIT :irssi users of the world, unite and take over all of the channels that there are",
    "PRIVMSG #i2p :WeeChat 3.8 is out",
  ]);
});

pureTest("inspectIrcLine() looks for CTCP and DCC in all messages of users", () => {
  assertLeaks([
    "SQUERY x :\x01DCC CHAT chat 3232235777 5000\x01",
    "RELAYMSG #a b :\x01DCC CHAT chat 3232235777 5000\x01",
  ], "irc-dcc");
  assertLeaks(["@+a=b NOTICE x :\x01TIME now\x01"], "irc-ctcp");
});
