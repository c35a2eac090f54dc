import { assertEquals, assertStringIncludes } from "@std/assert";
import { flagOf, OPTIONS, type Verb } from "../../lib/config/options.ts";
import { blindedLabel } from "../support/blinded_label.ts";
import { runProxy } from "../support/command.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { parseTalk } from "../support/talk.ts";

const B33 = `${blindedLabel(new Uint8Array(32).fill(7))}.b32.i2p`;

Deno.test("lookup says what names are, byte for byte; 1 if one of them does not resolve", async (t) => {
  for (const manners of ["i2pd", "java"] as const) {
    await using bridge = await startSamBridge({ manners });
    await using service = await publishService(bridge.port, 1);
    bridge.setName("site.i2p", service.destination);
    const { b32 } = service;
    const gone = `${"a".repeat(52)}.b32.i2p`;
    const cases: { names: string[]; code: number; lines: string[] }[] = [
      {
        names: ["site.i2p", b32, "SITE.i2p.", "site.i2p.alt"],
        code: 0,
        lines: [
          `site.i2p kind=name b32=${b32} resolves=yes`,
          `${b32} kind=b32 b32=${b32} resolves=yes`,
          `SITE.i2p. kind=name b32=${b32} resolves=yes`,
          `site.i2p.alt kind=name b32=${b32} resolves=yes`,
        ],
      },
      {
        names: ["none.i2p", "site.i2p", gone, B33],
        code: 1,
        lines: [
          "none.i2p kind=name resolves=no",
          `site.i2p kind=name b32=${b32} resolves=yes`,
          `${gone} kind=b32 b32=${gone} resolves=no`,
          `${B33} kind=b33 resolves=no`,
        ],
      },
      {
        names: ["example.com", "localhost", "stats", "127.0.0.1", "[::1]", "x.b32.i2p", "a b.i2p", ""],
        code: 1,
        lines: [
          'example.com kind=clearnet resolves=no problem="names of I2P end in .i2p"',
          'localhost kind=clearnet resolves=no problem="names of I2P end in .i2p"',
          'stats kind=clearnet resolves=no problem="names of I2P end in .i2p: did you mean stats.i2p?"',
          '127.0.0.1 kind=ip resolves=no problem="it is an IP address, and I2P has none"',
          '[::1] kind=ip resolves=no problem="it is an IP address, and I2P has none"',
          'x.b32.i2p kind=malformed resolves=no problem="a base32 address has 52 characters before .b32.i2p, ' +
          'this one has 1"',
          '"a b.i2p" kind=malformed resolves=no problem="an I2P name has only letters, digits, dots and hyphens ' +
          '(other scripts as punycode)"',
          '"" kind=malformed resolves=no problem="it is empty"',
        ],
      },
    ];
    for (const { names, code, lines } of cases) {
      await t.step(`${manners}: ${names.join(" ").slice(0, 40)}`, async () => {
        const result = await runProxy(["lookup", "--sam", `127.0.0.1:${bridge.port}`, ...names]);
        assertEquals(result, { code, stdout: lines.join("\n") + "\n", stderr: "" });
      });
    }
    await t.step(`${manners}: what cannot be of I2P is not asked for`, () => {
      const asked = bridge.lines.flatMap((line) => /^NAMING LOOKUP NAME=(.*)$/.exec(line)?.[1] ?? []);
      assertEquals(asked, ["site.i2p", b32, "site.i2p", "site.i2p", "none.i2p", "site.i2p", gone, B33]);
    });
  }
});

Deno.test("lookup logs in, and takes its bridge from the environment", async () => {
  const login = { user: "me", password: "pineapple" };
  await using bridge = await startSamBridge({ manners: "java", login });
  const env = { I2P_SOCKS_SAM: `127.0.0.1:${bridge.port}` };
  const file = await Deno.makeTempFile();
  await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(file) };
  await Deno.writeTextFile(file, `${login.password}\n`);
  const logged = await runProxy(["lookup", "a.i2p", "--sam-user", "me", "--sam-password-file", file], env);
  assertEquals(logged, { code: 1, stdout: "a.i2p kind=name resolves=no\n", stderr: "" });
  const refused = await runProxy(["lookup", "a.i2p"], env);
  assertEquals([refused.code, refused.stdout], [69, ""]);
  assertStringIncludes(parseTalk(refused.stderr).errors.join(), "USER and PASSWORD required");
});

Deno.test("lookup fails when the router stops in between, and keeps what it has said", async () => {
  let count = 0;
  await using bridge = await startSamBridge({
    intercept: (line, socket) => {
      if (!line.startsWith("NAMING") || ++count < 2) return false;
      socket.close();
      return true;
    },
  });
  const { code, stdout, stderr } = await runProxy([
    "lookup",
    "a.i2p",
    "b.i2p",
    "c.i2p",
    "--sam",
    `127.0.0.1:${bridge.port}`,
  ]);
  assertEquals([code, stdout], [1, "a.i2p kind=name resolves=no\n"]);
  assertEquals(parseTalk(stderr).errors, ["Cannot look up a name: the router closed the connection"]);
});

Deno.test("help names the options of its verb, all of them and no others", async () => {
  for (
    const [args, verb] of [
      [["--help"], "serve"],
      [["serve", "--help"], "serve"],
      [["help"], "serve"],
      [["help", "lookup"], "lookup"],
      [["lookup", "--help"], "lookup"],
      [["help", "help"], "help"],
    ] as [string[], Verb][]
  ) {
    const { code, stdout, stderr } = await runProxy(args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    const flags = [...stdout.matchAll(/^ {2}(--?[\w-]+)(?= |$)/gm)].map(([, flag]) => flag);
    assertEquals(flags, OPTIONS.filter((option) => option.verbs.includes(verb)).map(flagOf), args.join(" "));
    assertStringIncludes(stdout, verb === "serve" ? "i2p-socks [serve]" : `i2p-socks ${verb} `);
  }
});
