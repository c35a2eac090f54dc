import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { SIP } from "../../lib/guard/sip.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

function leaksOf(line: string): LeakKind[] | undefined {
  return readStream(SIP, `REGISTER sip:registrar.i2p SIP/2.0\r\n${line}\r\n\r\n`)?.leaks;
}

pureTest("SIP finds addresses of the client in headers and in descriptions of sessions", () => {
  const lines = [
    "Via: SIP/2.0/TCP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7",
    "v: SIP/2.0/TCP 10.1.2.3;rport",
    "Contact: <sip:bob@192.0.2.4>",
    'm: "Bob" <sips:bob@[2001:db8::1]:5061>;expires=60',
    "Call-ID: 418892548@10.1.2.3",
    "c=IN IP4 10.1.2.3",
    "o=jdoe 2890844526 2890842807 IN IP6 2001:db8::1",
    "a=candidate:1 1 UDP 2130706431 10.1.2.3 8998 typ host",
    "a=rtcp:53020 IN IP4 126.16.64.4",
  ];
  for (const line of lines) assertEquals(leaksOf(line), ["sip-address"], line);
  const neutral = [
    "Via: SIP/2.0/TCP client.invalid;branch=z9hG4bK776",
    "Contact: <sip:kim@127.0.0.1:5060>",
    "Contact: <sip:kim@chat.i2p>",
    "Call-ID: a84b4c76e66710",
    "c=IN IP4 0.0.0.0",
    "From: <sip:kim@chat.i2p>;tag=1",
    "s=SDP Seminar at 10.1.2.3",
  ];
  for (const line of neutral) assertEquals(leaksOf(line), [], line);
});

pureTest("SIP finds the name of the client, and that of RTSP if it has the system in it", () => {
  assertEquals(leaksOf("User-Agent: Linphone/3.12.0 (belle-sip/1.6.3)"), ["sip-client"]);
  assertEquals(leaksOf("Server: Asterisk PBX 18"), ["sip-client"]);
  const play = (agent: string): LeakKind[] | undefined =>
    readStream(SIP, `DESCRIBE rtsp://a.i2p/x RTSP/1.0\r\nUser-Agent: ${agent}\r\n\r\n`)?.leaks;
  assertEquals(play("LibVLC/3.0.18 (LIVE555 Streaming Media v2016.11.28)"), []);
  assertEquals(play("QuickTime/7.6 (Windows NT)"), ["sip-client"]);
});

pureTest("SIP leaves other protocols alone", () => {
  for (const sent of ["GET / HTTP/1.1\r\n", "OPTIONS * RTSP/1.0\r\n", "SIP\r\n", "REGISTER x\r\n", "\x16\x03\x01"]) {
    assertEquals(readStream(SIP, `${sent}Contact: <sip:x@example.org>\r\n`), undefined, sent);
  }
});
