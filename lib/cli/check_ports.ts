import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { closeOnAbort, closeQuietly, connectTcp, writeAll } from "../io/conn.ts";
import { Deadline } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { isSocksPort } from "../command/ask_status.ts";
import type { Fix } from "../reasons/reasons.ts";

/** Milliseconds for what listens at a port to say something. */
const PATIENCE = 1_000;

/** Most bytes that are read of it. */
const MAX_ANSWER = 8_192;

/** Ports of routers beside SAM's, as they come; all on 127.0.0.1. */
const CONSOLE_I2PD = 7070;
const CONSOLE_JAVA = 7657;
const I2CP = 7654;
const HTTP_PROXY = 4444;
const SOCKS_PROXY = 4447;

/** The ports that are looked at where SAM does not answer. */
export const ROUTER_PORTS: readonly Endpoint[] = [CONSOLE_I2PD, CONSOLE_JAVA, I2CP, HTTP_PROXY, SOCKS_PROXY]
  .map((port) => ({ hostname: "127.0.0.1", port }));

/** What is known about a SAM port that does not work. */
interface Diagnosis {
  /** What it is, a sentence. */
  readonly says: string;
  /** What to do about it; undefined where the reason says it all. */
  readonly fix?: Fix;
}

const I2PD_FIX = "set enabled = true under [sam] in i2pd.conf, then restart i2pd; " +
  "on Debian: /etc/i2pd/i2pd.conf and systemctl restart i2pd";

const JAVA_FIX =
  'start the "SAM application bridge" at http://127.0.0.1:7657/configclients, and have it run at startup; ' +
  "right after the router's own start, wait a minute";

/** Finds out, by the other ports that routers use, why nothing answers at SAM's. */
export async function diagnoseSilence(sam: Endpoint, signal: Signal): Promise<Diagnosis> {
  const nothing = `Nothing answers at ${formatEndpoint(sam)}`;
  const [i2pd, java, i2cp, http, socks] = await Promise.all(ROUTER_PORTS.map((port) => ask(port, get(port), signal)));
  if (i2pd !== undefined && /i2pd/i.test(i2pd)) {
    return {
      says:
        `${nothing}, but i2pd is running (its console is at 127.0.0.1:${CONSOLE_I2PD}): SAM is off, or at another port`,
      fix: { i2pd: I2PD_FIX, java: I2PD_FIX },
    };
  }
  if (java?.startsWith("HTTP/") || i2cp !== undefined) {
    const seen = java === undefined ? `I2CP is at 127.0.0.1:${I2CP}` : `its console is at 127.0.0.1:${CONSOLE_JAVA}`;
    return {
      says: `${nothing}, but Java I2P is running (${seen}): SAM is off, or not started yet`,
      fix: { i2pd: JAVA_FIX, java: JAVA_FIX },
    };
  }
  if (http !== undefined || socks !== undefined) {
    const port = http === undefined ? SOCKS_PROXY : HTTP_PROXY;
    return {
      says: `${nothing}, but a router seems to run (its proxy is at 127.0.0.1:${port}): SAM is off, or at another port`,
      fix: { i2pd: I2PD_FIX, java: JAVA_FIX },
    };
  }
  return { says: `${nothing}, nor at the other ports that routers use: no router is running` };
}

/** What is at the port where an application is to find SOCKS: `ours`, `nobody`, or what else in words. */
export async function lookForSocks(endpoint: Endpoint, signal: Signal): Promise<string> {
  const web = await ask(endpoint, get(endpoint), signal);
  if (web === undefined) return "nobody";
  if (isSocksPort(web)) return "ours";
  const what = await identify(endpoint, signal) ?? "something that is not i2p-socks";
  return what === A_PROXY ? `${what} of another program, such as the router's, with one identity for all` : what;
}

const A_PROXY = "a SOCKS proxy";

/** What listens at a port that does not speak SAM: undefined where that cannot be told. */
export async function identify(endpoint: Endpoint, signal: Signal): Promise<string | undefined> {
  const web = await ask(endpoint, get(endpoint), signal) ?? "";
  if (isSocksPort(web)) return "the SOCKS port of an i2p-socks";
  if (/^HTTP\//.test(web)) return /i2pd/i.test(web) ? "a web page of i2pd" : "a web server";
  if (/^SSH-/.test(web)) return "an SSH server";
  const socks = await ask(endpoint, SOCKS5, signal) ?? "";
  return socks.startsWith("\x05") && socks.length === 2 ? A_PROXY : undefined;
}

/** i2pd's console answers no request without its own address as Host (seen with 2.45.1). */
function get(endpoint: Endpoint): string {
  return `GET / HTTP/1.0\r\nHost: ${formatEndpoint(endpoint)}\r\n\r\n`;
}

const SOCKS5 = "\x05\x01\x00";

/** What an endpoint says to some words, as far as it says it in time; undefined where nobody listens. */
async function ask(endpoint: Endpoint, words: string, signal: Signal): Promise<string | undefined> {
  using deadline = new Deadline(PATIENCE, signal);
  let conn: Deno.TcpConn;
  try {
    conn = await connectTcp(endpoint, deadline);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
  const unfollow = closeOnAbort(conn, deadline);
  let answer = "";
  try {
    await writeAll(conn, new TextEncoder().encode(words));
    const decoder = new TextDecoder("latin1");
    const buffer = new Uint8Array(MAX_ANSWER);
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      answer += decoder.decode(buffer.subarray(0, count));
      if (answer.length >= MAX_ANSWER) break;
    }
  } catch {
    // Closed by the other side, or its time is over: what came so far counts.
  }
  unfollow();
  closeQuietly(conn);
  return answer;
}
