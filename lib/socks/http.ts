import { latin1 } from "./wire.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"].map((m) => `${m} `);

/**
 * Whether a client began with an HTTP request, as browsers do that were given a SOCKS port for their HTTP proxy.
 *
 * @returns undefined while more bytes are needed to tell.
 */
export function looksLikeHttp(bytes: Uint8Array): boolean | undefined {
  const text = latin1(bytes.subarray(0, 8));
  if (METHODS.some((method) => text.startsWith(method))) return true;
  return METHODS.some((method) => method.startsWith(text)) ? undefined : false;
}

/**
 * The answer to an HTTP request on a SOCKS port.
 *
 * @param listen the address that the client connected to, `127.0.0.1:4447`.
 */
export function encodeHttpAnswer(listen: string): Uint8Array {
  const body = `This is a SOCKS port, not an HTTP proxy.

Set ${listen} as SOCKS5 host (SOCKS4a works too), leave the HTTP proxy empty, and let the
proxy resolve names ("remote DNS", "proxy DNS when using SOCKS"). With curl:

  curl --socks5-hostname ${listen} http://NAME.i2p/
`;
  return new TextEncoder().encode(
    "HTTP/1.1 400 This is a SOCKS port\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
