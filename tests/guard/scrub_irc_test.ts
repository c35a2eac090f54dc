import { assert, assertEquals } from "@std/assert";
import { inspectIrcLine } from "../../lib/guard/irc.ts";
import { IrcScrubber } from "../../lib/guard/scrub_irc.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

const NICK = "NICK alice\r\n";

/** Streams as they are sent, and what goes on of them. */
const STREAMS: readonly (readonly [sent: string, passed: string])[] = [
  // irssi, WeeChat, HexChat, Pidgin.
  [
    `CAP LS 302\r\n${NICK}USER alice alice irc.postman.i2p :Alice Liddell\r\nCAP END\r\n`,
    `CAP LS 302\r\n${NICK}USER user hostname localhost :realname\r\nCAP END\r\n`,
  ],
  ["PASS x\nNICK alice\nUSER alice 0 * :alice\n", "PASS x\nNICK alice\nUSER user hostname localhost :realname\n"],
  ["user alice thinkpad irc.postman.i2p alice\r\n", "USER user hostname localhost :realname\r\n"],
  [`${NICK}USER alice thinkpad\r\nUSER alice\r\n`, `${NICK}USER user hostname localhost :realname\r\nUSER alice\r\n`],
  // Answers and questions of CTCP, with tags and prefixes, more than one, without an end, in the middle.
  [`${NICK}NOTICE bob :\x01VERSION irssi v1.4.3\x01\r\nJOIN #i2p\r\n`, `${NICK}JOIN #i2p\r\n`],
  [`${NICK}notice bob :\x01PING 1691316000\x01\nPRIVMSG bob :\x01TIME\x01\nPART #i2p\n`, `${NICK}PART #i2p :leaving\n`],
  [`${NICK}@a=b :alice!a@b NOTICE bob :\x01TIME x\x01\r\n:alice NOTICE bob :\x01OS\r\n`, NICK],
  [
    `${NICK}PRIVMSG b :\x01ACTION x\x01\x01VERSION y\x01\r\nPRIVMSG b :hi \x01VERSION\x01\r\nNOTICE b \x01OS\x01\r\n`,
    NICK,
  ],
  [
    `${NICK}PRIVMSG \x01ACTION :\x01ACTION x\x01\r\nCPRIVMSG b #c :\x01TIME\x01\r\nPRIVMSG b :\x01ACTIONS\x01\r\n`,
    NICK,
  ],
  [
    `${NICK}PRIVMSG b :x \x01ACTION y\x01\r\nPRIVMSG b :\x01ACTION y\x01 x\r\nPRIVMSG b :\x01ACTION y\x01\x01\r\n`,
    NICK,
  ],
  // What I2P's own filter writes in place of texts, pings and names.
  [`${NICK}QUIT :WeeChat 3.8\r\nQUIT\r\nquit bye\n`, `${NICK}QUIT :leaving\r\nQUIT :leaving\r\nQUIT :leaving\n`],
  [`${NICK}PART #a,#b :KVIrc 5.0\r\nPART #a\r\nPART\r\n`, `${NICK}PART #a,#b :leaving\r\nPART #a :leaving\r\nPART\r\n`],
  [`${NICK}PING 123 10.1.2.3\r\nPONG :a b\r\nPONG x\r\nPING\r\n`, `${NICK}PING 123\r\nPONG a\r\nPONG x\r\nPING\r\n`],
  [`${NICK}SETNAME :Alice Liddell\r\n@label=1 SETNAME Alice\r\n`, `${NICK}SETNAME :realname\r\nSETNAME :realname\r\n`],
  [
    `${NICK}SQUERY x :\x01VERSION\x01\r\nRELAYMSG #a b :\x01DCC CHAT chat 1 2\x01\r\n@a=b;+c=d NOTICE x :\x01TIME\x01\r\n`,
    NICK,
  ],
  [`${NICK}WALLOPS :\x01OS\x01\r\nXYZ a :\x01OS\x01\r\nONOTICE #a :\x01OS\x01\r\n`, NICK],
  // What no server understands.
  [
    `${NICK}\r\0\r\nPRIVMSG a :b\rNOTICE c :\x01OS\x01\r\nPRIVM\0SG\r\n\x16\x03\x01\r\n1 2\r\nJOIN #i2p\r\n`,
    `${NICK}JOIN #i2p\r\n`,
  ],
  // DCC.
  [`${NICK}PRIVMSG bob :\x01DCC SEND f 3232235777 5000 1\x01\r\nNOTICE bob :DCC Send f (192.168.1.5)\r\n`, NICK],
];

/** Streams that go on as they are. */
const UNTOUCHED: readonly string[] = [
  `${NICK}PRIVMSG bob :\x01ACTION tells the TIME\x01\r\nPRIVMSG #i2p :\x01action waves\nPRIVMSG #i2p :\x01ACTION\x01\r\n`,
  `${NICK}PRIVMSG bob :DCC SEND is off\r\nNOTICE bob :VERSION\r\nTOPIC #i2p :\x01\r\n\r\n\nNOTICE\r\n`,
  `${NICK}PRIVMSG bob :gr\xc3\xbc\xc3\x9fe \xff\xfe\r\nAWAY :bye\r\n`,
  "",
  "\r\n",
  "PASS x\r\n",
  // No IRC, though its lines look like it.
  "GET / HTTP/1.1\r\nHost: a.i2p\r\n\r\nUSER a b c :d\r\nNOTICE a :\x01VERSION x\x01\r\n",
  "PASS x\r\nSTAT\r\nUSER a b c :d\r\n",
  "USER alice\r\nPASS x\r\nNOTICE a :\x01VERSION x\x01\r\n",
  "\x16\x03\x01\n\nUSER a b c :d\r\n",
  "NOTICE a :\x01VERSION x\x01\r\n",
  "PASS x\r\n".repeat(8) + "USER a b c :d\r\n",
  // TLS behind STARTTLS, with a line end in it and none behind it.
  `STARTTLS\r\n\x16\x03\x01\nUSER a b c :d\r\n\x00`,
  `${NICK}STARTTLS\r\n\x16\x03\x01`,
];

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Scrubs a stream that comes in these pieces. */
function scrub(...pieces: readonly string[]): string {
  const scrubber = new IrcScrubber(() => {});
  // Each piece is overwritten afterwards, as a reader does who uses one buffer.
  const passed = pieces.map((piece) => {
    const bytes = bytesOf(piece);
    const copy = scrubber.push(bytes).slice();
    bytes.fill(0x21);
    return copy;
  });
  return textOf(concat(...passed, scrubber.end()));
}

pureTest("IrcScrubber takes out CTCP, DCC and the names in USER", () => {
  for (const [sent, passed] of STREAMS) assertEquals(scrub(sent), passed);
});

pureTest("IrcScrubber leaves all else as it is", () => {
  for (const sent of UNTOUCHED) assertEquals(scrub(sent), sent);
});

pureTest("IrcScrubber lets nothing pass that inspectIrcLine() finds", () => {
  for (const [sent] of STREAMS) {
    assert(sent.split("\n").some((line) => line !== "" && scrub(`${NICK}${line}\n`) !== `${NICK}${line}\n`));
    for (const line of scrub(sent).split("\n")) assertEquals(inspectIrcLine(line), []);
  }
});

pureTest("IrcScrubber passes the same in whatever fragments", () => {
  const random = new Random(1);
  for (const [sent, passed] of [...STREAMS, ...UNTOUCHED.map((text) => [text, text] as const)]) {
    assertEquals(scrub(...sent), passed, "byte by byte");
    for (let at = 0; at <= sent.length; at++) {
      assertEquals(scrub(sent.slice(0, at), "", sent.slice(at)), passed, `at ${at}`);
    }
    for (let round = 0; round < 20; round++) {
      const cuts = Array.from({ length: 4 }, () => random.below(sent.length + 1)).sort((a, b) => a - b);
      assertEquals(scrub(...[0, ...cuts].map((cut, index) => sent.slice(cut, cuts[index]))), passed, `at ${cuts}`);
    }
  }
});

pureTest("IrcScrubber holds back nothing but the line that is not whole", () => {
  const scrubber = new IrcScrubber(() => {});
  const push = (text: string): string => textOf(scrubber.push(bytesOf(text)));
  assertEquals(push("NICK alice\r\nUSER al"), NICK);
  assertEquals(push("ice 0 * :x\r"), "");
  assertEquals(push("\nJOIN"), "USER user hostname localhost :realname\r\n");
  assertEquals(push(" #i2p\n"), "JOIN #i2p\n");
  assertEquals(scrubber.isDone, false);
  assertEquals(push("NOTICE b :\x01OS Linux"), "");
  assertEquals([textOf(scrubber.end()), scrubber.isDone], ["", true]);
  assertEquals(push("QUIT"), "QUIT", "it has ended");
});

pureTest("IrcScrubber is done with a stream as soon as that is not IRC", () => {
  for (
    const pieces of [["G", "E"], ["PASS x\r\n", "X", "Y"], ["STARTTLS\r\n", "\x16", "\x03"], ["\x13"], [
      "PASS x\r\nGET /",
      "\n",
    ]]
  ) {
    const scrubber = new IrcScrubber(() => {});
    for (const piece of pieces) assertEquals(textOf(scrubber.push(bytesOf(piece))), piece);
    assertEquals(scrubber.isDone, true);
  }
});

pureTest("IrcScrubber leaves out a line of more than 8 KB, and goes on behind it", () => {
  const line = (length: number): string => `PRIVMSG bob :\x01VERSION ${"x".repeat(length - 24)}\r\n`;
  const talk = (length: number): string => line(length).replace("\x01VERSION", "all is well");
  assertEquals(scrub(NICK, line(8_192), "JOIN #a\r\n"), `${NICK}JOIN #a\r\n`);
  assertEquals(scrub(NICK, talk(8_000)), NICK + talk(8_000));
  for (const long of [line(8_193), line(70_000), talk(8_200), talk(70_000)]) {
    for (const cut of [0, 1, 8_191, 8_192, 8_193, long.length - 1]) {
      const reasons: string[] = [];
      const scrubber = new IrcScrubber((kind) => reasons.push(kind));
      const pieces = [NICK, long.slice(0, cut), `${long.slice(cut)}USER a b c :d\r\n`];
      const passed = pieces.map((piece) => textOf(scrubber.push(bytesOf(piece)))).join("");
      assertEquals(passed, `${NICK}USER user hostname localhost :realname\r\n`, `${cut} of ${long.length}`);
      assertEquals([reasons, scrubber.isDone], [["irc-unreadable"], false]);
    }
  }
});

pureTest("IrcScrubber passes random bytes as they are, but behind a line of IRC", () => {
  const random = new Random(2);
  for (let round = 0; round < 200; round++) {
    const sent = `\x05${random.latin1(random.below(400))}`;
    const at = random.below(sent.length + 1);
    assertEquals(scrub(sent.slice(0, at), sent.slice(at)), sent);
    assertEquals(scrub(NICK + sent.slice(0, at), sent.slice(at)), scrub(NICK + sent));
  }
});
