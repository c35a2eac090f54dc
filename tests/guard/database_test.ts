import { assertEquals } from "@std/assert";
import { DATABASE } from "../../lib/guard/database.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

const received = "\x4a\0\0\0\x0a8.0.33\0";

function mysql(...attributes: string[]): string {
  const sized = (text: string): string => String.fromCharCode(text.length) + text;
  const body = `\x85\xa2\xbf\0${"\0".repeat(28)}kim\0\0${attributes.map(sized).join("")}`;
  return `${String.fromCharCode(body.length)}\0\0\x01${body}`;
}

function mongo(document: string, operation = "\xdd\x07"): string {
  return `${String.fromCharCode(document.length + 16)}\0\0\0\x01\0\0\0\0\0\0\0${operation}\0\0${document}`;
}

pureTest("DATABASE finds the system in the attributes of a client of MySQL", () => {
  assertEquals(readStream(DATABASE, mysql("_os", "Linux"), { received })?.leaks, ["database-client"]);
  assertEquals(readStream(DATABASE, mysql("program_name", "x", "_platform", "x86_64"), { received })?.leaks, [
    "database-client",
  ]);
  assertEquals(readStream(DATABASE, mysql("program_name", "mysql"), { received })?.leaks, []);
  assertEquals(readStream(DATABASE, `${mysql()}\x03_os\x05Linux`, { received })?.leaks, []);
});

pureTest("DATABASE finds the system in the first message of a client of MongoDB", () => {
  const client = "\x03client\0\x20\0\0\0\x03os\0\x10\0\0\0\x02type\0\x06\0\0\0Linux\0\0\0";
  assertEquals(readStream(DATABASE, mongo(client))?.leaks, ["database-client"]);
  assertEquals(readStream(DATABASE, mongo(client, "\xd4\x07"))?.leaks, ["database-client"]);
  assertEquals(readStream(DATABASE, mongo("\x10hello\0\x01\0\0\0"))?.leaks, []);
  assertEquals(readStream(DATABASE, mongo(client, "\x01\0")), undefined);
});
