/**
 * The line of a request by which commands of this program say that they only ask what listens at a port. Where it is a
 * SOCKS port of the program, they get the answer that every HTTP client gets, and nobody has been refused.
 */
export const PROBE_HEADER = "I2P-Socks-Probe: 1";

/** Whether what a client has sent so far is such a request. */
export function isProbe(text: string): boolean {
  return text.startsWith("GET /") && text.includes(`\r\n${PROBE_HEADER}\r\n`);
}
