import { assert, assertEquals } from "@std/assert";
import { parseConfigFile } from "../../lib/config/file.ts";
import { TOPICS } from "../../lib/manual/topics.ts";
import { VERB_HELP } from "../../lib/manual/verbs.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { installProxy, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeScratch } from "../support/scratch.ts";

e2eTest("the examples of help run as they stand", ["bash"], async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  await using service = await publishService(bridge.port, 1);
  bridge.setName("stats.i2p", service.destination);
  await installProxy(scratch.dir);
  // What the examples find on the user's machine.
  const before = "i2p-socks keys new own 2>&1 && i2p-socks keys export own eepPriv.dat 2>&1";
  const verbs = ["check", "lookup", "keys", "hash-login", "setup", "completions", "service", "help"] as const;
  // The home folder is the scratch folder, which they run in.
  const examples = verbs.flatMap((verb) => VERB_HELP[verb].examples).map((line) => line.replace("~/", ""));
  const serve = VERB_HELP.serve.examples.map((line) => `${line} --check-config`);
  const script = [
    before,
    "mkdir -p .config/systemd/user",
    ...examples.map((line) => `echo secret | ${line}`.replace(/echo secret \| (source|.*<)/, "$1")),
    ...serve,
  ];
  const env = {
    PATH: `${scratch.dir}:${Deno.env.get("PATH")}`,
    DENO_NO_UPDATE_CHECK: "1",
    I2P_SOCKS_SAM: `127.0.0.1:${bridge.port}`,
    I2P_SOCKS_KEYS_DIR: `${scratch.dir}/keys`,
  };
  const failed = script.map((line) => `{ ${line}\n} >out 2>err || { echo ${JSON.stringify(line)}; cat out err; }`).join(
    "\n",
  );
  const { stdout, stderr } = await runCommand("bash", ["-c", `cd '${scratch.dir}'\n${failed}`], { env });
  assertEquals([stdout, stderr], ["", ""]);
});

Deno.test("the file in help config is one that the program accepts", async () => {
  await using scratch = await makeScratch();
  const files = ["config", "forward"].flatMap((topic) =>
    [...(TOPICS[topic]?.page ?? "").matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text)
  );
  assertEquals(files.length, 2);
  const [complete = "", forward = ""] = files;
  const address = `${"a".repeat(52)}.b32.i2p`;
  for (const text of [complete, forward.replace("ADDRESS.b32.i2p", address)]) {
    const file = await scratch.file("i2p-socks.yaml", text);
    const { code, stderr } = await runProxy(["--config", file, "--check-config"]);
    assertEquals([code, stderr], [
      0,
      `Valid configuration in ${file}: ${text === complete ? "3 applications" : "1 application"}\n`,
    ]);
  }
  // The comments are about options that exist: the file has many of them.
  const given = parseConfigFile(complete, []);
  assert(given.common.size + given.applications.reduce((sum, one) => sum + one.size, 0) > 25);
});
