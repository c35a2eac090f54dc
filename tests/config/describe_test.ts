import { assert, assertEquals } from "@std/assert";
import { effectiveSettings, settingsFile, templateFile } from "../../lib/config/describe.ts";
import { parseConfigFile } from "../../lib/config/file.ts";
import { FILE_OPTIONS } from "../../lib/config/options.ts";
import type { RawOptions } from "../../lib/config/raw_options.ts";
import { readApplication, readSettings } from "../../lib/config/settings.ts";
import { pureTest } from "../support/pure.ts";

function given(values: Record<string, string | string[]>, source = "--option"): RawOptions {
  return new Map(
    Object.entries(values).map(([name, texts]) => [name, [texts].flat().map((text) => ({ text, source }))]),
  );
}

pureTest("templateFile() has every option of a file, and is one that can be used as it stands", () => {
  const problems: string[] = [];
  const text = templateFile();
  const { common } = parseConfigFile(text, problems);
  assertEquals([[...common.keys()], problems], [["listen", "sam"], []]);
  const settings = readApplication(common, problems);
  assertEquals(settings, { ...readSettings(new Map()), listenGiven: true });
  const keys = [...text.matchAll(/^(?:# )?([a-z][a-z-]*):/gm)].map(([, key = ""]) => key);
  assertEquals(keys.slice(0, -1), [...FILE_OPTIONS.keys()], "and the list of applications at the end");
  assertEquals(text.split("\n").filter((line) => line.length > 120), []);
});

pureTest("the lines of templateFile() that show a default can be switched on", () => {
  const problems: string[] = [];
  const lines = templateFile().split("\n").filter((line) => /^(# )?[a-z-]+: (?!.*\.\.)[^A-Z[]+$/.test(line));
  const text = lines.filter((line) => !/^# (applications|leaks: off\|)/.test(line)).map((line) =>
    line.replace("# ", "")
  );
  const { common } = parseConfigFile(text.join("\n"), problems);
  assertEquals(readApplication(common, problems), { ...readSettings(new Map()), listenGiven: true });
  assertEquals(problems, []);
  assert(text.length > 20, text.join("\n"));
});

pureTest("settingsFile() is a file that gives the same settings, whatever characters are in them", () => {
  const all = given({
    listen: ["127.0.0.1:9050", "[::1]:9051"],
    name: "no",
    deny: ["*:25", "x.i2p:1-2"],
    isolate: "auth,client",
    o: ["a=1", "b=x:y"],
    scrub: "irc",
    "idle-timeout": "1h",
    udp: "true",
    variance: "-1",
    "auth-file": "/etc/a file: \\ \"quoted\" 'twice' #x",
  });
  const text = settingsFile(effectiveSettings(all, "process"), [effectiveSettings(all, "application")]);
  const problems: string[] = [];
  const { common } = parseConfigFile(text, problems);
  // Rules hold functions.
  assertEquals(JSON.stringify(readApplication(common, problems)), JSON.stringify(readApplication(all, problems)));
  assertEquals(problems, []);
  assertEquals(text.split("\n").filter((line) => !line.includes("  # ")), []);
});

pureTest("effectiveSettings() says where each comes from, and keeps secrets of I2CP back", () => {
  const all = new Map([
    ...given({ name: "x" }, "name (line 7)"),
    ...given({ quantity: ["1", "3"] }, "--quantity"),
    ...given({ o: ["i2cp.leaseSetPrivKey=abc", "x=1"] }, "-o"),
  ]);
  all.set("name", [{ text: "x", source: "applications[0].name (line 7)", file: "a.yaml" }]);
  const found = effectiveSettings(all, "application");
  const of = (key: string): unknown[] => {
    const { values, source } = found.find((one) => one.key === key) ?? {};
    return [values, source];
  };
  assertEquals(of("name"), [["x"], "a.yaml line 7"]);
  assertEquals(of("quantity"), [["3"], "--quantity"]);
  assertEquals(of("options"), [["i2cp.leaseSetPrivKey=(not shown)", "x=1"], "-o"]);
  assertEquals(of("leaks"), [["warn"], "default"]);
});
