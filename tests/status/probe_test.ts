import { assertEquals } from "@std/assert";
import { isProbe, PROBE_HEADER } from "../../lib/status/probe.ts";
import { pureTest } from "../support/pure.ts";

pureTest("isProbe() knows requests of this program's commands, and takes no browser's for one", () => {
  const probe = `GET /status.json HTTP/1.1\r\nHost: 127.0.0.1:1\r\n${PROBE_HEADER}\r\n\r\n`;
  const others = [
    "",
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n",
    `POST / HTTP/1.1\r\n${PROBE_HEADER}\r\n\r\n`,
    `GET http://a.i2p/ HTTP/1.1\r\n${PROBE_HEADER}\r\n\r\n`,
    `GET /${PROBE_HEADER} HTTP/1.1\r\n\r\n`,
    `GET / HTTP/1.1\r\nX-${PROBE_HEADER}\r\n\r\n`,
  ];
  assertEquals([probe, ...others].map(isProbe), [true, ...others.map(() => false)]);
});
