import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { proxyCommand, runProxy } from "../support/command.ts";
import { freePort } from "../support/free_port.ts";
import { startImpostor } from "../support/impostor.ts";
import { publishService, type SamBridgeOptions, startSamBridge } from "../sam_bridge/bridge.ts";
import { readToEnd } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { delay, until } from "../support/wait.ts";

const TOOK = / \(\d+ (ms|s)\)/;

/** Lines of a check without the times. */
function lines(stdout: string): string[] {
  const all = stdout.trimEnd().split("\n").map((line) => line.replace(TOOK, ""));
  // One sentence about all of them stands at the end, after the last step or its fix.
  const isGood = all.filter((line) => /^[✓✗]/.test(line)).at(-1)?.startsWith("✓");
  assertMatch(all.at(-1) ?? "", isGood ? /^(All good|The SAM bridge is fine)/ : /^(Not ready: |Not good: )/);
  return all.slice(0, -1);
}

for (const [manners, router] of [["i2pd", "i2pd"], ["java", "Java I2P"]] as const) {
  Deno.test(`check walks from the SAM port to a stream, ${manners}`, async () => {
    await using bridge = await startSamBridge({ manners });
    // A listener of its own, so that the stream has somebody to accept it.
    await using backend = startImpostor(readToEnd);
    await using service = await publishService(bridge.port, backend.port);
    bridge.setName("site.i2p", service.destination);
    const { code, stdout, stderr } = await runProxy(["check", "SITE.i2p:80", "--sam", `127.0.0.1:${bridge.port}`]);
    assertEquals([code, stderr], [0, ""]);
    const [port, sam, session, own, name, stream, ...more] = lines(stdout);
    assertEquals(port, `✓ SAM port: 127.0.0.1:${bridge.port} accepts connections`);
    assertEquals(sam, `✓ SAM bridge: speaks version 3.1; looks like ${router}`);
    assertMatch(session ?? "", /^✓ session: tunnels are built for [a-z2-7]{52}\.b32\.i2p$/);
    assertEquals(own, "✓ own address: the router resolves it");
    assertEquals(name, `✓ name: site.i2p is ${service.b32}`);
    assertMatch(stream ?? "", /^✓ stream: open[.:] /);
    assertEquals(more, []);
    assertMatch(stdout.split("\n")[0] ?? "", TOOK);
    assertEquals(bridge.lines.some((line) => /^STREAM CONNECT .* TO_PORT=80$/.test(line)), true);
    assertEquals(bridge.sessions.length, 1, "the session of the check is still there");
  });
}

Deno.test("check --watch tells when a step fails in another way for the same reason", async () => {
  let says = "SSH-2.0-x\r\n";
  await using other = startImpostor((conn) => conn.write(new TextEncoder().encode(says)));
  await using child = spawnProxy(proxyCommand(["check", "--watch", "--sam", `127.0.0.1:${other.port}`]));
  await child.waitFor("stdout", /is not a SAM bridge: it is an SSH server/);
  says = "HTTP/1.1 200 OK\r\n\r\n";
  await child.waitFor("stdout", /is not a SAM bridge: it is a web server/);
  assertEquals(child.stdout().split("accepts connections").length, 2, child.stdout());
  await child.stop("SIGTERM");
});

Deno.test("check knows a web server that waits for more than a greeting before a bridge's time is over", async () => {
  await using web = startImpostor(async (conn) => {
    let request = "";
    const buffer = new Uint8Array(1024);
    while (!request.includes("\r\n\r\n")) {
      const count = await conn.read(buffer);
      if (count === null) return;
      request += new TextDecoder().decode(buffer.subarray(0, count));
    }
    await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n<title>i2pd webconsole</title>"));
  });
  // A bridge has ten seconds to answer.
  const { code, stdout } = await runProxy(["check", "--sam", `127.0.0.1:${web.port}`, "--timeout", "9s"]);
  assertEquals(code, 69, stdout);
  assertStringIncludes(stdout, `127.0.0.1:${web.port} is not a SAM bridge: it is a web page of i2pd`);
});

for (const manners of ["i2pd", "java"] as const) {
  Deno.test(`check --udp sends a datagram from a session to another, and says so when none arrives, ${manners}`, async () => {
    await using bridge = await startSamBridge({ manners, udp: true });
    const nobody = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    using _nobody = { [Symbol.dispose]: () => nobody.close() };
    const silent = (nobody.addr as Deno.NetAddr).port;
    for (const [port, isRight] of [[bridge.udpPort, true], [silent, false]] as const) {
      const args = ["check", "--json", "--sam", `127.0.0.1:${bridge.port}`, "--udp", "--sam-udp", `${port}`];
      const { code, stdout, stderr } = await runProxy(args);
      const { steps } = JSON.parse(stdout);
      const { step, ok, says, reason, fix } = steps.at(-1);
      if (!isRight) assertMatch(`${fix.i2pd} / ${fix.java}`, /sam\.portudp.* \/ .*7655/);
      assertEquals({ code, stderr, step, ok, says, reason }, {
        code: isRight ? 0 : 1,
        stderr: "",
        step: "datagrams",
        ok: isRight,
        says: isRight
          ? `one from a session to another arrived through UDP port ${port}`
          : `None that was sent to UDP port ${port} arrived`,
        reason: isRight ? undefined : "timed-out",
      });
      assertEquals(steps.slice(-3, -1).map(({ step, says }: { step: string; says: string }) => [step, says]), [
        ["destinations", manners === "java" ? ONE_DESTINATION : TWO_DESTINATIONS],
        ["datagram-styles", manners === "java" ? NO_STYLES_JAVA : NO_STYLES_I2PD],
      ]);
      await until("the check's sessions are closed", () => bridge.openSockets === 0);
    }
  });
}

const ONE_DESTINATION = "one for streams and datagrams, which --identity keeps";

const TWO_DESTINATIONS = "two: --identity keeps that of streams, and datagrams have a temporary one, " +
  "because this router has no sessions that carry both (PRIMARY of SAM 3.3)";

/** What check says where a router has none of the later kinds, in its words. */
function noStyles(says: (style: string) => string): string {
  return "DATAGRAM, which all others understand; " +
    `DATAGRAM2 (safe from replay): no, the router says "${says("DATAGRAM2")}"; ` +
    `DATAGRAM3 (whose sender is not proved): no, the router says "${says("DATAGRAM3")}"`;
}

const NO_STYLES_I2PD = noStyles(() => "Unknown STYLE");
const NO_STYLES_JAVA = noStyles(() => "Unrecognized SESSION STYLE");

for (const manners of ["i2pd", "java"] as const) {
  Deno.test(`check --udp-style uses that kind, and says which kinds there are, ${manners}`, async () => {
    await using bridge = await startSamBridge({ manners, udp: true, laterStyles: ["DATAGRAM3"] });
    const sam = ["--sam", `127.0.0.1:${bridge.port}`, "--sam-udp", `${bridge.udpPort}`];
    const { code, stdout } = await runProxy(["check", ...sam, "--udp", "--udp-style", "datagram3"]);
    const styles = lines(stdout).at(-2) ?? "";
    assertEquals([code, lines(stdout).at(-1)], [
      0,
      `✓ datagrams: one from a session to another arrived through UDP port ${bridge.udpPort}`,
    ]);
    assertStringIncludes(styles, "DATAGRAM2 (safe from replay): no, ");
    assertStringIncludes(styles, "; DATAGRAM3 (whose sender is not proved): yes, with --udp-style datagram3");
    const refused = await runProxy(["check", ...sam, "--udp", "--udp-style", "datagram2"]);
    const [last, fix] = lines(refused.stdout).slice(-2);
    assertEquals(refused.code, 1);
    assertMatch(last ?? "", /^✗ destinations: .*I2P_ERROR \(Un(known|recognized SESSION) STYLE/);
    assertMatch(fix ?? "", /^ {2}DATAGRAM2 and DATAGRAM3 .*leave out --udp-style/);
  });
}

Deno.test("check passes the options of a session on", async () => {
  await using bridge = await startSamBridge();
  const options = ["--length", "1", "-o", "x.y=z", "--name", "me", "--lease-set-encryption", "4"];
  assertEquals((await runProxy(["check", "--sam", `127.0.0.1:${bridge.port}`, ...options])).code, 0);
  const create = bridge.lines.find((line) => line.startsWith("SESSION CREATE")) ?? "";
  for (const option of ["inbound.length=1", "x.y=z", "outbound.nickname=me", "i2cp.leaseSetEncType=4"]) {
    assertStringIncludes(create, option);
  }
  assertStringIncludes(create, "DESTINATION=TRANSIENT");
});

/** What a bridge does wrong, the step that finds it, the reason and the exit code. */
const BROKEN: readonly {
  what: string;
  bridge: SamBridgeOptions;
  args?: readonly string[];
  step: string;
  reason: string;
  code: number;
  says?: string;
}[] = [
  {
    what: "a bridge that wants another login",
    bridge: { manners: "java", login: { user: "me", password: "secret" } },
    ...{ step: "sam", reason: "sam-login", code: 69 },
  },
  {
    what: "an old bridge",
    bridge: answering("HELLO", "HELLO REPLY RESULT=NOVERSION"),
    ...{ step: "sam", reason: "sam-version", code: 69 },
  },
  {
    what: "a bridge that refuses to talk",
    bridge: answering("HELLO", 'HELLO REPLY RESULT=I2P_ERROR MESSAGE="not today"'),
    ...{ step: "sam", reason: "sam-refused", code: 69, says: "not today" },
  },
  {
    what: "a router that builds no tunnels",
    bridge: answering("SESSION CREATE"),
    args: ["--timeout", "700ms"],
    ...{ step: "session", reason: "not-ready", code: 75 },
  },
  {
    what: "a router that is full",
    bridge: answering("SESSION CREATE", 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="session limit exceeded"'),
    ...{ step: "session", reason: "session-refused", code: 1, says: "session limit exceeded" },
  },
  {
    what: "a destination that is in use elsewhere",
    bridge: answering("SESSION CREATE", "SESSION STATUS RESULT=DUPLICATED_DEST"),
    ...{ step: "session", reason: "identity-in-use", code: 75 },
  },
  {
    what: "a session that is lost meanwhile",
    bridge: {
      intercept: (line, socket) => {
        if (line.startsWith("SESSION CREATE")) setTimeout(() => socket.close(), 300);
        return line.startsWith("NAMING LOOKUP");
      },
    },
    args: ["none.i2p"],
    ...{ step: "own-address", reason: "router-down", code: 69, says: "The session was lost" },
  },
  {
    what: "a lease set that is never published",
    bridge: answering("NAMING LOOKUP", "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=x"),
    args: ["--timeout", "700ms"],
    ...{ step: "own-address", reason: "not-ready", code: 75, says: "does not find our lease set" },
  },
  {
    what: "a name that is unknown",
    bridge: {},
    args: ["none.i2p"],
    ...{ step: "name", reason: "name-unknown", code: 1 },
  },
  {
    what: "a destination that is offline",
    bridge: {},
    args: [`${"a".repeat(52)}.b32.i2p`],
    ...{ step: "name", reason: "lease-set-not-found", code: 1 },
  },
  {
    what: "a peer that does not answer",
    bridge: answering("STREAM CONNECT", 'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="Connection timed out"'),
    args: ["site.i2p"],
    ...{ step: "stream", reason: "peer-silent", code: 1 },
  },
  {
    what: "a stream that is never opened",
    bridge: answering("STREAM CONNECT"),
    args: ["site.i2p", "--timeout", "1s"],
    ...{ step: "stream", reason: "timed-out", code: 1 },
  },
];

Deno.test("check names the first thing wrong and its fix for each router, once where both have one, and ends there", async (t) => {
  for (const { what, bridge: options, args = [], step, reason, code, says = "" } of BROKEN) {
    await t.step(what, async () => {
      await using bridge = await startSamBridge(options);
      await using stack = new AsyncDisposableStack();
      if (args.includes("site.i2p")) {
        bridge.setName("site.i2p", stack.use(await publishService(bridge.port, 1)).destination);
      }
      const command = ["check", "--sam", `127.0.0.1:${bridge.port}`, ...args];
      const json = await runProxy([...command, "--json"]);
      const { ok, steps } = JSON.parse(json.stdout);
      const last = steps.at(-1);
      assertEquals([json.code, ok, last.step, last.ok, last.reason], [code, false, step, false, reason]);
      assert(steps.slice(0, -1).every((s: { ok: boolean }) => s.ok));
      assertStringIncludes(last.says, says);
      const text = await runProxy(command);
      assertEquals([text.code, text.stderr], [code, ""]);
      const found = lines(text.stdout);
      assertEquals(found[steps.length - 1]?.slice(0, 2), "✗ ");
      const { i2pd, java } = last.fix ?? {};
      const both = i2pd === undefined ? [] : [`  i2pd: ${i2pd}`, `  Java I2P: ${java}`];
      // Once the bridge has been greeted it is known to have the manners of i2pd.
      const isKnown = steps.length > 2 || i2pd === java;
      assertEquals(found.slice(steps.length), isKnown && i2pd !== undefined ? [`  ${i2pd}`] : both);
    });
  }
});

/** What is asked for while the router finds no lease set, what comes of the steps behind it, and of all. */
const WITHOUT_LEASE_SETS: readonly { args: readonly string[]; rest: readonly string[]; code: number }[] = [
  { args: [], rest: [], code: 75 },
  { args: ["site.i2p"], rest: ["✓ name", "✓ stream"], code: 0 },
  { args: ["its b32"], rest: ["✗ name", "✓ stream"], code: 0 },
  { args: ["--udp"], rest: ["✓ destinations", "✓ datagram-styles", "✓ datagrams"], code: 0 },
  { args: ["none.i2p"], rest: ["✗ name"], code: 75 },
  { args: [`${"a".repeat(52)}.b32.i2p`], rest: ["✗ name", "✗ stream"], code: 75 },
];

Deno.test("check tries the rest where the router does not find our lease set, and ends with what came of that", async (t) => {
  // As i2pd does whose own tunnels are not built: names of the address book are known, lease sets are not found.
  await using bridge = await startSamBridge({
    udp: true,
    intercept: async (line, socket) => {
      if (!/^NAMING LOOKUP NAME=\S+\.b32\.i2p$/.test(line)) return false;
      await socket.write("NAMING REPLY RESULT=KEY_NOT_FOUND NAME=x\n");
      return true;
    },
  });
  await using backend = startImpostor(readToEnd);
  await using service = await publishService(bridge.port, backend.port);
  bridge.setName("site.i2p", service.destination);
  const bridgeOptions = ["--sam", `127.0.0.1:${bridge.port}`, "--sam-udp", `${bridge.udpPort}`, "--timeout", "6s"];
  for (const { args, rest, code } of WITHOUT_LEASE_SETS) {
    await t.step(args.join(" ") || "no more to try", async () => {
      const operands = args.map((word) => word === "its b32" ? service.b32 : word);
      const command = ["check", ...operands, ...bridgeOptions];
      const [json, text] = await Promise.all([runProxy([...command, "--json"]), runProxy(command)]);
      const { ok, steps } = JSON.parse(json.stdout);
      const [own, ...others] = steps.slice(3);
      assertEquals([json.code, text.code, text.stderr, ok], [code, code, "", code === 0]);
      assertEquals([own.step, own.ok, own.reason], ["own-address", false, "not-ready"]);
      // Half of --timeout, or all that is left of it.
      assert(own.milliseconds >= (rest.length > 0 ? 2900 : 4000), `${own.milliseconds} ms`);
      const marked = others.map(({ step, ok }: { step: string; ok: boolean }) => `${ok ? "✓" : "✗"} ${step}`);
      assertEquals(marked, rest);
      const shown = lines(text.stdout).filter((line) => !line.startsWith("  "));
      assertEquals(shown[3], "✗ own address: The router built tunnels, but does not find our lease set");
      assertEquals(shown.slice(4).map((line) => line[0]), rest.map((mark) => mark[0]));
    });
  }
});

Deno.test("check tells a closed port from a port where something else listens", async () => {
  const closed = await runProxy(["check", "--sam", `127.0.0.1:${freePort()}`]);
  assertEquals(closed.code, 69);
  assertMatch(lines(closed.stdout)[0] ?? "", /^✗ SAM port: Nothing answers at 127\.0\.0\.1:\d+[,:]/);
  await using other = startImpostor(async (conn) => {
    await conn.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9.2\r\n"));
  });
  const { code, stdout } = await runProxy(["check", "--sam", `127.0.0.1:${other.port}`]);
  assertEquals(code, 69);
  assertMatch(lines(stdout)[1] ?? "", /^✗ SAM bridge: .* is not a SAM bridge: it is an SSH server$/);
});

Deno.test("check --watch tries again until the router is ready, and prints what is new", async () => {
  const port = freePort();
  await using child = spawnProxy(proxyCommand(["check", "--watch", "--sam", `127.0.0.1:${port}`]));
  await child.waitFor("stdout", /^✗ SAM port: /m);
  // The second attempt finds the same, and says nothing.
  await delay(7_000);
  assertEquals(child.stdout().match(/^✗/gm)?.length, 1, child.stdout());
  await using _bridge = await startSamBridge({ port });
  assertEquals((await child.ended()).code, 0);
  assertMatch(
    child.stdout(),
    /^✓ SAM port: .*\n✓ SAM bridge: .*\n✓ session: .*\n✓ own address: .*\nAll good after \d+ s: /m,
  );
  // What waiting does not mend is not waited for.
  await using refusing = await startSamBridge({
    intercept: async (line, socket) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      await socket.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="no"\n');
      return true;
    },
  });
  const { code, stdout } = await runProxy(["check", "--watch", "--sam", `127.0.0.1:${refusing.port}`]);
  assertEquals(code, 1);
  assertMatch(stdout, /\nNot good: /);
});

Deno.test("check --no-session asks the router for nothing", async () => {
  await using bridge = await startSamBridge();
  const { code, stdout } = await runProxy(["check", "--no-session", "--sam", `127.0.0.1:${bridge.port}`]);
  assertEquals([code, lines(stdout).length], [0, 2]);
  assertEquals(bridge.lines.filter((line) => !line.startsWith("HELLO")), []);
});

Deno.test("check takes a GarliCat address, by name and by IPv6 address", async (t) => {
  const name = "aaaqaaqaamaaiaaf.oc.b32.i2p";
  await using bridge = await startSamBridge({ manners: "java" });
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  await t.step("that the router does not know: the step of the name fails, with what can be done", async () => {
    const { code, stdout } = await runProxy(["check", name, ...sam]);
    assertEquals(code, 1);
    const [problem, ...fixes] = lines(stdout).slice(4);
    assertEquals(problem, `✗ name: ${REASONS["garlicat-unknown"].message}`);
    assertEquals(fixes.map((fix) => fix.includes("--hosts")), [true]);
  });
  await t.step("that stands in its address book", async () => {
    await using backend = startImpostor(readToEnd);
    await using service = await publishService(bridge.port, backend.port);
    bridge.setName(name, service.destination);
    for (const operand of [name, "[fd60:db4d:ddb5:1:2:3:4:5]:80"]) {
      const { code, stdout } = await runProxy(["check", operand, ...sam]);
      assertEquals([code, lines(stdout)[4]], [0, `✓ name: ${name} is ${service.b32}`]);
    }
  });
});

Deno.test("check refuses what it cannot check, before it asks the router", async () => {
  const cases: [string[], string][] = [
    [["example.com"], "names of I2P end in .i2p"],
    [["stats:80"], "did you mean stats.i2p?"],
    [["127.0.0.1:80"], "it is an IP address"],
    [["x.b32.i2p"], "52 characters"],
    [["site.i2p:70000"], "the port is above 65535"],
    [["site.i2p", "other.i2p"], 'also got "other.i2p"'],
    [["site.i2p", "--no-session"], "--no-session"],
    [["--timeout", "0"], "cannot be switched off"],
    [["--timeout", "soon"], "a duration is a number"],
  ];
  for (const [args, problem] of cases) {
    const { code, stdout, stderr } = await runProxy(["check", ...args]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(parseTalk(stderr).errors[0] ?? "", problem);
  }
});

/** A bridge that answers a command with a line of its own, or with silence. */
function answering(to: string, line?: string): SamBridgeOptions {
  return {
    intercept: async (command, socket) => {
      if (!command.startsWith(to)) return false;
      if (line !== undefined) await socket.write(`${line}\n`);
      return true;
    },
  };
}
