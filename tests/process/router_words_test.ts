import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { type CommandResult, runProxy } from "../support/command.ts";
import { startImpostor } from "../support/impostor.ts";
import { startSite } from "../support/site.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

async function serveAt(samPort: number): Promise<CommandResult> {
  return await runProxy(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${samPort}`]);
}

Deno.test("words of the router cannot move the cursor or begin a line", async () => {
  const message = "\x1b[2J\x1b]0;owned\x07gone\rover";
  await using bridge = await startSamBridge({
    intercept: async (command, socket) => {
      if (!command.startsWith("SESSION CREATE")) return false;
      await socket.write(`SESSION STATUS RESULT=I2P_ERROR MESSAGE="${message}"\n`);
      return true;
    },
  });
  const { code, stderr } = await serveAt(bridge.port);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "gone");
  assert(!/[^\x20-\x7e\n]/.test(stderr), JSON.stringify(stderr));
});

/** What is said in place of an answer to HELLO, besides what the scripts have. */
const GARBAGE: Readonly<Record<string, string>> = {
  "bytes that are no text": "\x00\xff\x80garbage\n",
  "a megabyte without a line end": "HELLO REPLY RESULT=OK ".padEnd(1_000_000, "x"),
};

Deno.test("bytes of any kind in place of HELLO are no SAM bridge", async () => {
  await using site = await startSite();
  await using impostors = new AsyncDisposableStack();
  const ports = new Map([["a web server", site.port]]);
  for (const [name, text] of Object.entries(GARBAGE)) {
    const { port } = impostors.use(startImpostor(async (conn) => {
      await conn.read(new Uint8Array(1024));
      await writeAll(conn, Uint8Array.from(text, (char) => char.charCodeAt(0)));
      await readToEnd(conn);
    }));
    ports.set(name, port);
  }
  for (const [name, port] of ports) {
    const { code, stdout, stderr } = await serveAt(port);
    assertEquals([code, stdout, parseTalk(stderr).errors.length], [69, "", 1], name);
    const what = name === "a web server" ? "it is a web server" : "it gave an unexpected reply";
    assertStringIncludes(stderr, `is not a SAM bridge: ${what}`);
  }
});
