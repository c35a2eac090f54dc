import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { XMPP } from "../../lib/guard/xmpp.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

const LEAK: readonly LeakKind[] = ["xmpp-domain"];

function verdict(sent: string): { leaks: LeakKind[]; isDone: boolean } | undefined {
  const report = readStream(XMPP, sent, { isOpen: true });
  return report && { leaks: report.leaks, isDone: report.isDone };
}

/** An opening as Gajim and Conversations send it. */
function opening(attributes: string): string {
  return `<?xml version='1.0'?><stream:stream ${attributes} version='1.0' xml:lang='en' xmlns='jabber:client' ` +
    `xmlns:stream='http://etherx.jabber.org/streams'>`;
}

const STARTTLS = `<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>`;

pureTest("xmpp names an opening to or from a domain of the clearnet, and none of I2P", () => {
  const attributes: readonly [string, boolean][] = [
    [`to="example.org"`, true],
    [`to='Example.org'`, true],
    [`to = "example.org"`, true],
    [`to="chat.i2p" from="me@example.org/desk"`, true],
    [`from="me@example.org/a@b.i2p"`, true],
    [`to="chat.i2p"`, false],
    [`to="Other.I2P" from='me@chat.i2p/example.org'`, false],
    [`to="localhost"`, false],
    [`to=""`, false],
    [`id="example.org"`, false],
    [`goto="example.org"`, false],
  ];
  for (const [given, isLeak] of attributes) {
    assertEquals(verdict(opening(given)), { leaks: isLeak ? LEAK : [], isDone: false }, given);
  }
});

pureTest("xmpp reads openings with other prologues, and the XMPP of servers that leave the prefix out", () => {
  assertEquals(verdict(`<stream:stream to="example.org">`)?.leaks, LEAK);
  assertEquals(verdict(`<stream to="example.org">`)?.leaks, LEAK);
  assertEquals(
    verdict(` \n<?xml version="1.0" encoding="UTF-8"?>\n<stream:stream\n\tto="example.org"\n>`)?.leaks,
    LEAK,
  );
});

pureTest("xmpp sees the opening that follows a login without TLS", () => {
  const first = opening(`to="chat.i2p"`) + `<auth mechanism="PLAIN">AG1lAHg=</auth>`;
  assertEquals(verdict(first), { leaks: [], isDone: false });
  assertEquals(verdict(first + opening(`to="chat.i2p" from="me@example.org"`)), { leaks: LEAK, isDone: false });
});

pureTest("xmpp is done once TLS begins, and not by the word alone", () => {
  const first = opening(`to="chat.i2p"`);
  assertEquals(verdict(first + STARTTLS), { leaks: [], isDone: false });
  for (const request of [STARTTLS, `<starttls xmlns='x'></starttls>`, `<starttls/>\n`]) {
    assertEquals(verdict(`${first}${request}\x16\x03\x01<stream:stream to="example.org">`), {
      leaks: [],
      isDone: true,
    });
  }
  assertEquals(verdict(`${opening(`to="example.org"`)}${STARTTLS}\x16\x03\x01`), { leaks: LEAK, isDone: true });
});

pureTest("xmpp waits for the end of the opening", () => {
  const whole = opening(`to="example.org"`);
  for (let length = 0; length < whole.length; length++) {
    assertEquals(verdict(whole.slice(0, length))?.leaks ?? [], [], `${length}`);
  }
  assertEquals(verdict(whole)?.leaks, LEAK);
});

pureTest("xmpp finds answers to questions for version and time, and neither questions nor UTC", () => {
  const first = opening(`to="chat.i2p"`);
  const iq = (type: string, content: string): string => `<iq type='${type}' id='a' to='b@chat.i2p/c'>${content}</iq>`;
  const version = (content: string): string => `<query xmlns='jabber:iq:version'>${content}</query>`;
  const time = (zone: string): string =>
    `<time xmlns='urn:xmpp:time'><tzo>${zone}</tzo><utc>2023-08-07T10:00:00Z</utc></time>`;
  assertEquals(verdict(first + iq("result", version("<name>Gajim</name><os>Linux</os>")))?.leaks, ["xmpp-version"]);
  assertEquals(verdict(first + iq("result", time("+02:00")))?.leaks, ["xmpp-time"]);
  for (
    const stanza of [
      iq("get", version("")),
      iq("result", version("<name/>")),
      iq("result", time("Z")),
      iq("get", time("+02:00")),
    ]
  ) {
    assertEquals(verdict(first + stanza)?.leaks, [], stanza);
  }
  assertEquals(verdict(first + "<message><body>&lt;os>Linux</os> +02:00</body></message>")?.leaks, []);
});

pureTest("xmpp heeds addresses in openings only, and leaves other protocols alone", () => {
  assertEquals(verdict(`${opening(`to="chat.i2p"`)}<message to="me@example.org"/>`), { leaks: [], isDone: false });
  for (
    const sent of ["", "<?xml version='1.0'?>", "<html to='example.org'>", "<streams to='x'>", "GET / HTTP/1.1\r\n"]
  ) {
    assertEquals(verdict(sent), undefined, sent);
  }
});
