import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { startPrivateNet } from "./private_net.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { BindClient } from "../clients/socks_bind.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { only, statusPort, untilIt } from "../status/status_client.ts";

/** Bytes of the file that is served. */
const SIZE = 8_000_000;

e2eTest("callers reach a local service, and a client that waits for one, through a real router", [
  "i2pd",
  "curl",
], async (t) => {
  await using net = await startPrivateNet();
  const options = ["--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions];
  const file = new Uint8Array(SIZE).map((_, i) => i * 7 + (i >> 8));
  const digest = encodeHex(await crypto.subtle.digest("SHA-256", file));
  await using web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (request.method === "POST") return new Response(`${(await request.arrayBuffer()).byteLength} bytes came`);
    return new URL(request.url).pathname === "/file" ? new Response(file) : new Response("the local service");
  });
  using plain = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [outside, inside] = await Promise.all([
    startProxyProcess(options),
    startProxyProcess([
      ...[...options, "--identity", "server", "--keys-dir", `${net.dir}/keys`, "--bind"],
      ...["--forward", `localhost:${web.addr.port}`, "--log-level", "debug", "--status", "127.0.0.1:0"],
    ]),
  ]);
  await using _outside = outside;
  await using _inside = inside;
  const b32 = inside.ready["b32"] ?? "";
  const curl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await runCommand("curl", [
      ...["--disable", "--silent", "--show-error", "--max-time", "100"],
      ...["--socks5-hostname", `127.0.0.1:${outside.port}`, ...args],
    ], { timeout: 110_000 });
    return stdout + stderr;
  };

  await t.step("the ready line says what is served", () => {
    assertEquals(inside.ready["forward"], `127.0.0.1:${web.addr.port}`);
    assertEquals(outside.ready["forward"], undefined);
  });

  await t.step("curl from another identity, several at once", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => curl(`http://${b32}/`)));
    assertEquals(new Set(answers), new Set(["the local service"]));
  });

  await t.step("a large file arrives whole, and so does one that is sent", async () => {
    const path = `${net.dir}/file`;
    assertEquals(await curl("--output", path, `http://${b32}/file`), "");
    const got = await Deno.readFile(path);
    assertEquals([got.length, encodeHex(await crypto.subtle.digest("SHA-256", got))], [SIZE, digest]);
    assertEquals(await curl("--data-binary", `@${path}`, `http://${b32}/`), `${SIZE} bytes came`);
  });

  await t.step("an answer that ends with the connection arrives whole, behind the caller's address", async () => {
    await using header = await startProxyProcess([
      ...[...options, "--forward", `80=127.0.0.1:${plain.addr.port}`, "--forward-header"],
      ...["--allow-caller", outside.ready["b32"] ?? ""],
    ]);
    assertStringIncludes(header.stderr(), "changes with each start");
    const served = (async () => {
      using conn = await plain.accept();
      const head = new Uint8Array(500);
      const count = await conn.read(head) ?? 0;
      await writeAll(conn, file.subarray(0, 1_000_000));
      await conn.closeWrite();
      await readToEnd(conn);
      return new TextDecoder().decode(head.subarray(0, count));
    })();
    const { reply, conn, early } = await socksConnect(outside.port, header.ready["b32"] ?? "", 80, { timeout: 60_000 });
    using _conn = conn;
    assertEquals(reply.code, 0);
    await writeAll(conn, new TextEncoder().encode("hello"));
    assertEquals(early.length + (await readToEnd(conn)).length, 1_000_000);
    assertMatch(await served, new RegExp(`^${outside.ready["b32"]}\n`));

    // The other one is nobody whom it lets in.
    const stranger = await socksConnect(inside.port, header.ready["b32"] ?? "", 80, { timeout: 60_000 });
    using _stranger = stranger.conn;
    assertEquals((await readToEnd(stranger.conn)).length, 0);
  });

  for (const version of [5, 4] as const) {
    await t.step(`a client of SOCKS${version} waits for a caller on its own identity`, async () => {
      using client = await BindClient.ask(inside.port, { version, login: { user: "waits", password: "" }, port: 21 });
      const first = await client.reply();
      assertEquals([first.code, first.port], [version === 5 ? 0 : 0x5a, 21]);
      // SOCKS4 has no names in replies, but the group is the same one.
      if (version === 5) waiting = first.host;
      const { reply, conn } = await socksConnect(outside.port, waiting, 0, { timeout: 60_000 });
      using _conn = conn;
      assertEquals(reply.code, 0);
      await writeAll(conn, new TextEncoder().encode("ping"));
      const second = await client.reply();
      assertEquals([second.code, second.host], version === 5 ? [0, outside.ready["b32"]] : [0x5a, "0.0.0.0"]);
      assertEquals(new TextDecoder().decode(await client.take(4)), "ping");
      await writeAll(client.conn, file.subarray(0, 300_000));
      client.conn.closeWrite();
      assertEquals((await readToEnd(conn)).length, 300_000);
    });
  }

  await t.step("the status has all of it, and nobody's address but its own", async () => {
    const port = await statusPort(inside);
    await untilIt("those that waited are done", port, ({ streams }) => streams === 0);
    const application = await only(port);
    // Callers of a service that keeps connections alive are open for as long as their own proxy waits for more.
    const { open = 0, total = 0, connected, bytesSent = 0, bytesReceived = 0, refused } = application.callers ?? {};
    assert(
      open <= total && total >= 8 && bytesSent > SIZE && bytesReceived > SIZE,
      JSON.stringify(application.callers),
    );
    assertEquals([connected, refused], [total, []]);
    assertEquals(application.bind, { waiting: 0, waited: 2, connected: 2, denied: 0 });
    assert(!JSON.stringify(application).includes(outside.ready["b32"] ?? ""));
  });
});

/** Where the group of the BIND clients waits. */
let waiting = "";
