import { assertEquals, assertThrows } from "@std/assert";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../lib/config/endpoint.ts";
import { pureTest } from "../support/pure.ts";

pureTest("parseEndpoint() reads a port, and a loopback address with a port", () => {
  const endpoints: readonly (readonly [string, Endpoint["hostname"], number])[] = [
    ["4447", "127.0.0.1", 4447],
    ["0", "127.0.0.1", 0],
    ["65535", "127.0.0.1", 65535],
    ["127.0.0.1:4447", "127.0.0.1", 4447],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["[::1]:4447", "::1", 4447],
    ["localhost:4447", "127.0.0.1", 4447],
    ["LocalHost:4447", "127.0.0.1", 4447],
    ["127.0.0.1:0080", "127.0.0.1", 80],
  ];
  for (const [text, hostname, port] of endpoints) assertEquals(parseEndpoint(text), { hostname, port }, text);
});

pureTest("parseEndpoint() refuses every other host", () => {
  const hosts = [
    "0.0.0.0",
    "127.0.0.2",
    "127.1",
    "10.0.0.1",
    "192.168.1.1",
    "example.com",
    "stats.i2p",
    "localhost.",
    "*",
    "",
  ];
  for (
    const host of [
      ...hosts,
      "[::]",
      "[::2]",
      "[::ffff:127.0.0.1]",
      "[127.0.0.1]",
      "127.0.0.1:80",
      " 127.0.0.1",
      "ip6-localhost",
    ]
  ) {
    const message = `"${host}" is not a loopback address, and only 127.0.0.1, [::1] and localhost are permitted`;
    assertThrows(() => parseEndpoint(`${host}:4447`), SyntaxError, message);
  }
});

pureTest("parseEndpoint() asks for brackets around an IPv6 address", () => {
  for (const text of ["::1:4447", "::1"]) {
    assertThrows(() => parseEndpoint(text), SyntaxError, "an IPv6 address stands in brackets, [::1]:PORT", text);
  }
});

pureTest("parseEndpoint() says that the port is missing or wrong", () => {
  const texts: readonly (readonly [string, string])[] = [
    ["", "the port is missing"],
    ["127.0.0.1", "the port is missing or is not a number"],
    ["localhost", "the port is missing or is not a number"],
    ["[::1]", "the port is missing or is not a number"],
    ["0.0.0.0", "the port is missing or is not a number"],
    ["127.0.0.1:", "the port is missing"],
    ["::", "the port is missing"],
    ["127.0.0.1:http", "is not a number"],
    ["127.0.0.1:-1", "is not a number"],
    ["127.0.0.1:+1", "is not a number"],
    ["127.0.0.1:1.5", "is not a number"],
    ["127.0.0.1:0x50", "is not a number"],
    ["127.0.0.1:80 ", "is not a number"],
    ["127.0.0.1:80\n", "is not a number"],
    ["127.0.0.1:٣", "is not a number"],
    ["http://127.0.0.1:80/", "is not a number"],
    ["65536", "port 65536 is above 65535"],
    ["127.0.0.1:65536", "port 65536 is above 65535"],
    [`127.0.0.1:${"9".repeat(400)}`, "is above 65535"],
  ];
  for (const [text, message] of texts) {
    assertThrows(() => parseEndpoint(text), SyntaxError, message, JSON.stringify(text));
  }
});

pureTest("formatEndpoint() is the inverse of parseEndpoint()", () => {
  for (const text of ["127.0.0.1:4447", "[::1]:4447", "127.0.0.1:0", "[::1]:65535"]) {
    assertEquals(formatEndpoint(parseEndpoint(text)), text);
  }
});
