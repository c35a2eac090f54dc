import { readToEnd, writeAll } from "./socks_client.ts";
import { encodeGreeting, encodeLogin, encodeRequest5 } from "./socks_wire.ts";
import { concat } from "../support/bytes.ts";

const RESOLVE = 0xf0;

/**
 * Asks a proxy on 127.0.0.1 for the address of a name, with a login where a user is given: its 4 or 16 bytes.
 *
 * @throws {Error} if it is refused.
 */
export async function resolveName(proxyPort: number, host: string, user?: string): Promise<Uint8Array> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  const request = encodeRequest5({ host, port: 0, command: RESOLVE });
  const login = user === undefined ? new Uint8Array() : encodeLogin(user, "");
  await writeAll(conn, concat(encodeGreeting([user === undefined ? 0 : 2]), login, request));
  const reply = (await readToEnd(conn)).slice(user === undefined ? 2 : 4);
  if (reply[0] !== 5 || reply[1] !== 0) throw new Error(`No address for ${host}: ${reply}`);
  return reply.slice(4, -2);
}
