import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { closeOnAbort, closeQuietly, connectTcp, isExhaustion, writeAll } from "../io/conn.ts";
import { Deadline } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { REASONS } from "../reasons/reasons.ts";
import { type Diagnosis, SamError } from "../sam/error.ts";
import { PROBE_HEADER } from "../status/probe.ts";
import { isSocksPort } from "./ask_status.ts";
import { mayConnect } from "./permissions.ts";

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

const I2PD_FIX = "set enabled = true under [sam] in i2pd.conf, then restart i2pd; " +
  "on Debian: /etc/i2pd/i2pd.conf and systemctl restart i2pd";

const JAVA_FIX =
  'start the "SAM application bridge" at http://127.0.0.1:7657/configclients, and have it run at startup; ' +
  "right after the router's own start, wait a minute";

/** Where a SAM bridge is. */
type Where = Parameters<typeof formatEndpoint>[0];

/** Finds out, by the other ports that routers use, why nothing answers at SAM's. */
export async function diagnoseSilence(sam: Where, signal: Signal): Promise<Diagnosis> {
  const nothing = `Nothing answers at ${formatEndpoint(sam)}`;
  const isConsole = ({ port }: Endpoint): boolean => port === CONSOLE_I2PD || port === CONSOLE_JAVA;
  const answers = await Promise.all(
    ROUTER_PORTS.map((port) => ask(port, isConsole(port) ? getFrom(port) : GET, signal)),
  );
  // The SOCKS port of this program, which may be the one that asks, is no router's.
  const [i2pd, java, i2cp, http, socks] = answers.map((answer) => isSocksPort(answer ?? "") ? undefined : answer);
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

/** Milliseconds for which a diagnosis is taken for true: routers log what comes to their ports and is not for them. */
const DIAGNOSIS_TIME = 60_000;

/** Finds out why no SAM bridge answers, in the words of `check`, where a program goes on or ends for that. */
export class SilenceDiagnosis {
  readonly #known = new Map<string, { at: number; diagnosis: Diagnosis | undefined }>();

  /** Adds what can be found out to an error of the bridge at `sam`, as far as the ports may be looked at. */
  async addTo(error: unknown, sam: Where, signal: Signal): Promise<void> {
    if (!isSilence(error) || !ROUTER_PORTS.every(mayConnect)) return;
    const key = `${error.phase} ${formatEndpoint(sam)}`;
    let known = this.#known.get(key);
    if (known === undefined || performance.now() - known.at > DIAGNOSIS_TIME) {
      const diagnosis = await (error.phase === "connect" ? diagnoseSilence : diagnoseStranger)(sam, signal);
      if (signal.aborted) return;
      known = { at: performance.now(), diagnosis };
      this.#known.set(key, known);
    }
    error.diagnosis = known.diagnosis;
  }
}

/** Whether an error says that nothing listens at the port of the SAM bridge, or something that does not speak SAM. */
function isSilence(error: unknown): error is SamError {
  if (!(error instanceof SamError) || isExhaustion(error.cause)) return false;
  return error.phase === "connect" ? error.failure === "unreachable" : error.phase === "hello" &&
    ["silent", "closed", "garbled"].includes(error.failure);
}

/** What listens at a SAM port that does not speak SAM; undefined where that cannot be told. */
export async function diagnoseStranger(sam: Where, signal: Signal): Promise<Diagnosis | undefined> {
  const what = await identify(sam, signal);
  const { fix } = REASONS["not-sam"];
  if (what === undefined) return undefined;
  return { says: `${formatEndpoint(sam)} is not a SAM bridge: it is ${what}`, ...(fix && { fix }) };
}

/** What is at the port where an application is to find SOCKS: `ours`, `nobody`, or what else in words. */
export async function lookForSocks(endpoint: Where, signal: Signal): Promise<string> {
  const web = await ask(endpoint, GET, signal);
  if (web === undefined) return "nobody";
  if (isSocksPort(web)) return "ours";
  const what = await identify(endpoint, signal) ?? "something that is not i2p-socks";
  return what === A_PROXY ? `${what} of another program, such as the router's, with one identity for all` : what;
}

const A_PROXY = "a SOCKS proxy";

/** What listens at a port that does not speak SAM: undefined where that cannot be told. */
async function identify(endpoint: Where, signal: Signal): Promise<string | undefined> {
  const web = await ask(endpoint, GET, signal) ?? "";
  if (isSocksPort(web)) return "the SOCKS port of an i2p-socks";
  if (/^SSH-/.test(web)) return "an SSH server";
  const socks = isWeb(web) ? "" : await ask(endpoint, SOCKS5, signal) ?? "";
  if (socks.startsWith("\x05") && socks.length === 2) return A_PROXY;
  // A proxy would have answered.
  const page = web === "" ? await ask(endpoint, getFrom(endpoint), signal) ?? "" : web;
  if (!isWeb(page)) return undefined;
  return /i2pd/i.test(page) ? "a web page of i2pd" : "a web server";
}

function isWeb(answer: string): boolean {
  return answer.startsWith("HTTP/");
}

const SOCKS5 = "\x05\x01\x00";

/**
 * A request for whatever listens. It names no host: an HTTP proxy would take that for where to send it, and i2pd's (seen
 * with 2.45.1) passes what is not in I2P on to its outproxy, if it has one.
 */
const GET = `GET / HTTP/1.0\r\n${PROBE_HEADER}\r\n\r\n`;

/** A request for a console: i2pd's answers none without its own address as Host (seen with 2.45.1). */
function getFrom(endpoint: Where): string {
  return `GET / HTTP/1.0\r\nHost: ${formatEndpoint(endpoint)}\r\n${PROBE_HEADER}\r\n\r\n`;
}

/** What an endpoint says to some words, as far as it says it in time; undefined where nobody listens. */
async function ask(endpoint: Where, words: string, signal: Signal): Promise<string | undefined> {
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
