import { assertEquals } from "@std/assert";
import { REMOTE_DESKTOP } from "../../lib/guard/remote_desktop.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

/** A request for a connection, with what stands in front of the negotiation. */
function request(text: string): string {
  const body = `${String.fromCharCode(text.length + 6)}\xe0\0\0\0\0\0${text}`;
  return `\x03\0\0${String.fromCharCode(body.length + 4)}${body}`;
}

pureTest("REMOTE_DESKTOP finds the user in a request for a connection", () => {
  assertEquals(readStream(REMOTE_DESKTOP, request("Cookie: mstshash=kim\r\n"))?.leaks, ["remote-desktop-user"]);
  assertEquals(readStream(REMOTE_DESKTOP, request("Cookie: mstshash=\r\n"))?.leaks, []);
  assertEquals(readStream(REMOTE_DESKTOP, request("\x01\0\x08\0\0\0\0\0"))?.leaks, []);
  assertEquals(readStream(REMOTE_DESKTOP, `${request("")}Cookie: mstshash=kim\r\n`)?.leaks, []);
  assertEquals(readStream(REMOTE_DESKTOP, "\x03\0\0\x10\x06\xd0Cookie: mstshash=kim\r\n"), undefined);
});
