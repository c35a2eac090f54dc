import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeHttpAnswer, looksLikeHttp } from "../../lib/socks/http.ts";
import { pureTest } from "../support/pure.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

pureTest("looksLikeHttp() recognises every method with a space behind it", () => {
  for (const method of METHODS) {
    assertEquals(looksLike(`${method} `), true, method);
    assertEquals(looksLike(`${method} http://a.i2p/ HTTP/1.1\r\nHost: a.i2p\r\n\r\n`), true, method);
  }
});

pureTest("looksLikeHttp() waits while a method may still come", () => {
  for (const method of METHODS) {
    for (let length = 0; length <= method.length; length++) {
      assertEquals(looksLike(method.slice(0, length)), undefined, method.slice(0, length));
    }
  }
});

pureTest("looksLikeHttp() refuses what only begins like a method", () => {
  const texts = [
    "GEX",
    "PO\0",
    "GETS ",
    "GET\t",
    "GET\n",
    "get ",
    "Get ",
    " GET ",
    "HEADER",
    "CONNECTS",
    "OPTIONSX",
    "PO ",
  ];
  for (const text of [...texts, "X", "\x04\x01", "\x05\x01\0", "\x16\x03\x01", "\0", "\xff", "SSH-2.0-"]) {
    assertEquals(looksLike(text), false, JSON.stringify(text));
  }
});

pureTest("encodeHttpAnswer() is a complete HTTP response that says how to use the port", () => {
  for (const listen of ["127.0.0.1:4447", "[::1]:9050"]) {
    const [head = "", body = ""] = new TextDecoder().decode(encodeHttpAnswer(listen)).split("\r\n\r\n");
    const [status = "", ...fields] = head.split("\r\n");
    assertMatch(status, /^HTTP\/1\.1 400 [ -~]+$/);
    assertEquals(fields, [
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${new TextEncoder().encode(body).length}`,
      "Connection: close",
    ]);
    assertStringIncludes(body, "This is a SOCKS port");
    assertStringIncludes(body, `Set ${listen} as SOCKS5 host`);
    assertStringIncludes(body, `curl --socks5-hostname ${listen} `);
  }
});

function looksLike(text: string): boolean | undefined {
  return looksLikeHttp(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}
