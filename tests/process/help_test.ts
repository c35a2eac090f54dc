import { assertEquals } from "@std/assert";
import { VERB_HELP } from "../../lib/cli/help.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { installProxy, runCommand } from "../support/command.ts";
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
