import { assertEquals } from "@std/assert";
import { FTP } from "../../lib/guard/ftp.ts";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

const received = "220 ftp.i2p FTP server ready\r\n";

pureTest("FTP finds addresses of active mode, and what names the client", () => {
  const cases: readonly [string, LeakKind | undefined][] = [
    ["USER kim\r\nPASS x\r\nPORT 10,1,2,3,4,1\r\n", "ftp-address"],
    ["USER kim\r\nEPRT |1|10.1.2.3|5282|\r\n", "ftp-address"],
    ["USER kim\r\nEPRT |2|1080::8:800:200C:417A|5282|\r\n", "ftp-address"],
    ["USER kim\r\nLPRT 6,16,16,128,0,0,0,0,0,0,0,8,8,0,32,12,65,122,2,20,162\r\n", "ftp-address"],
    ["FEAT\r\nCLNT lftp/4.9.2\r\n", "ftp-client"],
    ["USER anonymous\r\nPASS lftp@\r\n", "ftp-client"],
    ["user FTP\r\npass kim@example.org\r\n", "ftp-client"],
    ["USER anonymous\r\nPASS anonymous@\r\n", undefined],
    ["USER anonymous\r\nPASS ftp@example.com\r\n", undefined],
    ["USER anonymous\r\nPASS kim@mail.i2p\r\n", undefined],
    ["USER kim\r\nPASS word@example.org\r\n", undefined],
    ["USER kim\r\nPORT 127,0,0,1,4,1\r\nEPRT |2|::1|5282|\r\n", undefined],
    ["AUTH TLS\r\n\x16\x03\x01CLNT x\r\n", undefined],
  ];
  for (const [sent, leak] of cases) assertEquals(readStream(FTP, sent, { received })?.leaks, leak ? [leak] : [], sent);
});

pureTest("FTP leaves mail, and servers that have not greeted, alone", () => {
  assertEquals(readStream(FTP, "EHLO x\r\n", { received }), undefined);
  assertEquals(readStream(FTP, "USER x\r\n", { received: "220 x ESMTP\r\n" }), undefined);
  assertEquals(readStream(FTP, "USER x\r\n", { received: "+OK\r\n" }), undefined);
  assertEquals(readStream(FTP, "USER x\r\n"), undefined);
});
