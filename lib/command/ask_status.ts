import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { closeOnAbort, closeQuietly, connectTcp, writeAll } from "../io/conn.ts";
import { Deadline } from "../io/deadline.ts";
import { errorText } from "../io/error_text.ts";
import type { Signal } from "../io/signal.ts";
import type { Snapshot } from "../status/snapshot.ts";
import { PROBE_HEADER } from "../status/probe.ts";
import { CliError, ExitCode } from "./exit_code.ts";

/** Milliseconds for an answer. */
const ANSWER_TIMEOUT = 5_000;

/** Longest answer, in bytes: what listens at a port need not be this program. */
const MAX_ANSWER = 4_194_304;

/** Asks a running instance for its status. @throws {CliError} if there is no answer that makes sense. */
export async function askStatus(endpoint: Endpoint, signal?: Signal): Promise<Snapshot> {
  using deadline = new Deadline(ANSWER_TIMEOUT, signal);
  const address = formatEndpoint(endpoint);
  const fail = (reason: string): CliError =>
    new CliError(ExitCode.failure, `Cannot get the status from ${address}: ${reason}`, [
      `Is i2p-socks running with --status ${address}?`,
    ]);
  let text: string;
  try {
    text = await fetchText(endpoint, deadline);
  } catch (error) {
    if (deadline.aborted) throw fail("no answer in time");
    if (error instanceof Deno.errors.ConnectionRefused) throw fail("nobody listens there");
    throw fail(errorText(error));
  }
  if (isSocksPort(text)) throw fail("that is a SOCKS port of i2p-socks, not its status");
  const [, code, body = ""] = /^HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n([^]*)$/.exec(text) ?? [];
  if (code !== "200") throw fail(code === undefined ? "what listens there speaks something else" : `HTTP ${code}`);
  const snapshot = parseSnapshot(body);
  if (snapshot === undefined) throw fail("what listens there is something else");
  return snapshot;
}

/** Whether an answer to an HTTP request is that of a SOCKS port of this program. */
export function isSocksPort(answer: string): boolean {
  return /^HTTP\/\S+ 400 This is a SOCKS port/.test(answer);
}

/** Not by `fetch`, which a proxy in the environment could lead elsewhere. */
async function fetchText(endpoint: Endpoint, signal: Signal): Promise<string> {
  using conn = await connectTcp(endpoint, signal);
  closeOnAbort(conn, signal);
  const head = `GET /status.json HTTP/1.1\r\nHost: ${
    formatEndpoint(endpoint)
  }\r\nConnection: close\r\n${PROBE_HEADER}\r\n\r\n`;
  await writeAll(conn, new TextEncoder().encode(head));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (text.length > MAX_ANSWER) throw new Error("the answer is too long");
  }
  closeQuietly(conn);
  return text;
}

/** Reads an answer as far as it takes to tell this program from another one that speaks HTTP. */
function parseSnapshot(body: string): Snapshot | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const isSnapshot = typeof value === "object" && value !== null && "version" in value && "uptimeSeconds" in value &&
      "applications" in value && Array.isArray(value.applications) && value.applications.every(isApplication);
    return isSnapshot ? value as Snapshot : undefined;
  } catch {
    return undefined;
  }
}

function isApplication(value: unknown): boolean {
  const lists = ["listen", "identities", "refusals", "leaks", "advice"];
  return typeof value === "object" && value !== null &&
    Object.entries(value).filter(([key, list]) => lists.includes(key) && Array.isArray(list)).length === lists.length;
}
