import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { TELNET } from "../../lib/guard/telnet.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

function leaksOf(...options: string[]): LeakKind[] | undefined {
  return readStream(TELNET, `\xff\xfb\x18kim\r\n${options.map((option) => `\xff\xfa${option}\xff\xf0`).join("ls\r\n")}`)
    ?.leaks;
}

pureTest("TELNET finds what names user or machine in options", () => {
  for (const name of ["USER", "LOGNAME", "HOME"]) {
    assertEquals(leaksOf(`\x27\0\0${name}\x01kim`), ["telnet-environment"], name);
    assertEquals(leaksOf("\x18\0XTERM", `\x24\0\x03${name}\x01kim`), ["telnet-environment"], name);
  }
  assertEquals(leaksOf("\x27\0\0DISPLAY\x01desk:0"), ["telnet-environment"]);
  assertEquals(leaksOf("\x23\0desk.example.org:0.0"), ["telnet-environment"]);
});

pureTest("TELNET takes what names nobody", () => {
  for (
    const option of [
      "\x18\0XTERM",
      "\x27\0",
      "\x27\0\0DISPLAY\x01:0",
      "\x23\0:0.0",
      "\x23\0unix:0",
      "\x27\x01",
      "\x27\0\0EDITOR\x01vi",
    ]
  ) {
    assertEquals(leaksOf(option), [], option);
  }
  assertEquals(leaksOf(), []);
  for (const sent of ["\xff\xd8\xff\xe0", "\xff", "login\r\n"]) assertEquals(readStream(TELNET, sent), undefined, sent);
});
