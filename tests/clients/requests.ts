import { concat } from "../support/bytes.ts";
import { Random } from "../support/random.ts";
import { atMost } from "../sam_bridge/wire.ts";
import { readToEnd, type SocksClientOptions, socksConnect, writeAll } from "./socks_client.ts";
import { encodeGreeting, encodeRequest4, encodeRequest5 } from "./socks_wire.ts";

/** Names that are none of I2P, such as a resolver would be asked for. */
export const FOREIGN_NAMES: readonly string[] = [
  ..."example.com tracker.example.org EXAMPLE.NET. onlyalabel printer.local wpad resolver.arpa".split(" "),
  ..."localhost LOCALHOST. localhost.localdomain ip6-localhost 1.0.0.127.in-addr.arpa hidden.onion".split(" "),
  // Addresses in the disguises that a resolver takes off.
  ..."8.8.8.8. 0x7f000001 2130706433 0177.0.0.1 127.1 [::1] fe80::1%lo".split(" "),
  "example.com\0.i2p",
  "service.i2p\nexample.com",
  "service.i2p example.com",
  " ",
  ".",
  "",
  "\xff\xfe.example",
  `${"a".repeat(251)}.com`,
  `${"a".repeat(251)}.i2p`,
  "b".repeat(255),
];

/** IP addresses of every sort. */
export const ADDRESSES: readonly string[] = [
  ..."93.184.216.34 8.8.8.8 10.0.0.1 192.168.1.1 169.254.169.254 224.0.0.251 255.255.255.255 0.0.0.0".split(" "),
  ..."127.0.0.1 127.0.0.53 :: ::1 ::ffff:5db8:d822 2001:db8::53 fe80::1 ff02::fb".split(" "),
];

/** Milliseconds for one answer, under a tracer on a busy machine. */
const PATIENCE = 20_000;

/**
 * Asks a proxy for hosts, in every version that can name them, and takes each answer.
 *
 * @returns reply codes, by how often they came; `closed` where there was none.
 */
export async function askFor(
  proxyPort: number,
  hosts: readonly string[],
  options: SocksClientOptions = {},
): Promise<Map<string, number>> {
  const answers = new Map<string, number>();
  for (const host of hosts) {
    for (const version of [4, 5] as const) {
      // An IPv6 address has no form in SOCKS4, and a NUL ends a name there.
      if (version === 4 && (/^[\da-f]*:[\da-f:]*$/.test(host) || host.includes("\0") || host === "")) continue;
      const answer = await ask(proxyPort, host, { timeout: PATIENCE, ...options, version });
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  }
  return answers;
}

async function ask(proxyPort: number, host: string, options: SocksClientOptions): Promise<string> {
  try {
    const { reply, conn } = await socksConnect(proxyPort, host, 53, options);
    conn.close();
    return String(reply.code);
  } catch {
    return "closed";
  }
}

/** Sends what is no SOCKS request that could be granted, the same in every run; returns how many conversations it was. */
export async function sendGarbage(proxyPort: number): Promise<number> {
  const random = new Random(7);
  const text = (string: string): Uint8Array => new TextEncoder().encode(string);
  const target = { host: "93.184.216.34", port: 53 };
  const conversations = [
    text("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n"),
    text("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"),
    text("\x16\x03\x01\x00\x05hello"),
    // A query of DNS over TCP: www.example.com, A.
    text("\0\x21\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01"),
    ...[2, 3].map((command) => concat(encodeGreeting([0]), encodeRequest5({ ...target, command }))),
    ...[2, 3].map((command) => encodeRequest4({ ...target, command })),
    concat(encodeGreeting([0]), Uint8Array.of(5, 1, 0, 9, ...random.bytes(20))),
    ...Array.from({ length: 20 }, (_, i) => concat(Uint8Array.of(i % 2 ? 4 : 5), random.bytes(random.below(300)))),
    ...Array.from({ length: 10 }, () => random.bytes(random.below(300))),
  ];
  for (const bytes of conversations) await converse(proxyPort, bytes);
  return conversations.length;
}

/** Sends bytes and an end, and takes whatever comes back. */
async function converse(proxyPort: number, bytes: Uint8Array): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  try {
    await writeAll(conn, bytes);
    await conn.closeWrite();
    await atMost(PATIENCE, readToEnd(conn));
  } catch {
    // A reset is an answer as well.
  } finally {
    conn.close();
  }
}
