/** Sends all of the bytes; a single write of the runtime may send a part of them. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/** Closes a connection or listener; one that is closed already is left alone. Pending reads and writes end. */
export function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // BadResource: closed by another hand.
  }
}
