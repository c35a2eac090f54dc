import { encodeBase64 } from "@std/encoding/base64";
import { concat } from "../io/bytes.ts";
import type { HttpRequest } from "./http_request.ts";
import { formatMetrics, METRICS_TYPE } from "./metrics.ts";
import { PAGE } from "./page.ts";
import { formatReady, isReady, type Snapshot } from "./snapshot.ts";

export interface HttpAnswer {
  status: number;
  /** Media type. */
  type: string;
  body: string;
  /** Headers in addition to those of every answer. @default {{}} */
  headers?: Readonly<Record<string, string>>;
  /** Whether the body is not sent, only described (RFC 9110 §9.3.2). @default {false} */
  isHead?: boolean;
}

const TEXT = "text/plain; charset=utf-8";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
};

const ROUTES: Readonly<Record<string, (snapshot: Snapshot) => HttpAnswer>> = {
  "/": () => ({ status: 200, type: "text/html; charset=utf-8", body: PAGE }),
  "/ready": (snapshot) => ({ status: isReady(snapshot) ? 200 : 503, type: TEXT, body: formatReady(snapshot) }),
  "/metrics": (snapshot) => ({ status: 200, type: METRICS_TYPE, body: formatMetrics(snapshot) }),
  "/status.json": (snapshot) => ({ status: 200, type: "application/json", body: `${JSON.stringify(snapshot)}\n` }),
};

/**
 * Answers a request.
 *
 * A page of the web can have its own name point to 127.0.0.1 (DNS rebinding), and then ask for what is here: the browser
 * takes it for the page's own site, but sends the name as Host. So only a Host that means this machine is answered, and
 * no request that says it comes from another page.
 *
 * @param port the port that is served: the only one that Host may name.
 */
export function answerStatus(request: HttpRequest, port: number, snapshot: () => Snapshot): HttpAnswer {
  return { ...answer(request, port, snapshot), isHead: request.method === "HEAD" };
}

function answer({ method, path, host, origin }: HttpRequest, port: number, snapshot: () => Snapshot): HttpAnswer {
  if (host === undefined || !isOwnHost(host, port)) {
    return plain(403, "Only 127.0.0.1, [::1] and localhost are answered here");
  }
  if (origin !== undefined && /^http:\/\/(.*)$/.exec(origin.toLowerCase())?.[1] !== host.toLowerCase()) {
    return plain(403, "Other pages are not answered here");
  }
  if (method !== "GET" && method !== "HEAD") {
    return { ...plain(405, "Only GET and HEAD are answered here"), headers: { allow: "GET, HEAD" } };
  }
  const route = ROUTES[path];
  if (route === undefined) return plain(404, `Here are ${Object.keys(ROUTES).join(", ")}`);
  return route(snapshot());
}

/** An answer that is one sentence. */
export function plain(status: number, sentence: string): HttpAnswer {
  return { status, type: TEXT, body: `${sentence}\n` };
}

function isOwnHost(host: string, port: number): boolean {
  const [, name = "", digits] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
  return ["127.0.0.1", "[::1]", "localhost"].includes(name) && (digits === undefined || digits === String(port));
}

/** Writes an answer (RFC 9112), with headers that keep it from other pages and the page from the network. */
export async function encodeAnswer(answer: HttpAnswer): Promise<Uint8Array> {
  const { status, type, body, headers = {}, isHead = false } = answer;
  const bytes = new TextEncoder().encode(body);
  const all = {
    "content-type": type,
    "content-length": String(bytes.length),
    "content-security-policy": await (policy ??= securityPolicy(PAGE)),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "connection": "close",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = new TextEncoder().encode(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join("")}\r\n`);
  return isHead ? head : concat([head, bytes]);
}

/** That of {@linkcode PAGE}, made once. */
let policy: Promise<string> | undefined;

/**
 * The Content-Security-Policy of a page: it may ask its own server, and have the styles and scripts that stand in it, each
 * by its hash (CSP 3 §2.3.1); attributes like `style` or `onclick` are not among them.
 */
export async function securityPolicy(page: string): Promise<string> {
  const hashes = async (element: string): Promise<string> => {
    const found = [...page.matchAll(new RegExp(`<${element}\\b[^>]*>([\\s\\S]*?)</${element}>`, "gi"))];
    const texts = found.map(([, text = ""]) => new TextEncoder().encode(text));
    const digests = await Promise.all(texts.map((text) => crypto.subtle.digest("SHA-256", text)));
    return digests.length === 0 ? "'none'" : digests.map((digest) => `'sha256-${encodeBase64(digest)}'`).join(" ");
  };
  return [
    "default-src 'none'",
    "connect-src 'self'",
    `style-src ${await hashes("style")}`,
    `script-src ${await hashes("script")}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'none'",
  ].join("; ");
}
