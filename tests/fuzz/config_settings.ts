import { assert, assertEquals } from "@std/assert";
import { MAX_DURATION } from "../../lib/config/duration.ts";
import { formatEndpoint, formatListen, isUnix, parseListen } from "../../lib/config/endpoint.ts";
import type { ConfigFile } from "../../lib/config/file.ts";
import { SCRUB_PROTOCOLS } from "../../lib/config/choices.ts";
import type { RawOptions } from "../../lib/config/raw_options.ts";
import { overlay } from "../../lib/config/overlay.ts";
import { MAX_SESSION_OPTIONS } from "../../lib/config/session_options.ts";
import { type ApplicationSettings, readApplication, readLogSettings } from "../../lib/config/settings.ts";
import { formatCommand, parseMessage } from "../../lib/sam/message.ts";
import { type Entry, randomEntries } from "./config_entries.ts";
import type { Target } from "./engine.ts";

/** Values from two places, one above the other. */
interface Layers {
  below: Entry[];
  above: Entry[];
}

/** Any values: each problem is with one of them, and settings without a problem are within bounds and can be used. */
export const configSettings: Target<Layers> = {
  name: "config-settings",
  weight: 8,
  corpus: [
    { below: [], above: [] },
    { below: [{ key: "sam-password-file", texts: ["x"] }], above: [{ key: "sam-user", texts: ["a\u0085"] }] },
    { below: [{ key: "o", texts: ["inbound.length=1"] }], above: [{ key: "length", texts: ["2"] }] },
    { below: [{ key: "deny", texts: ["a.i2p"] }], above: [{ key: "deny", texts: ["b.i2p"] }] },
    { below: [], above: [{ key: "o", texts: ["a=\u2028", "b= ", "STYLE=RAW", "=", "a", "\ud800=\udc00"] }] },
    { below: [], above: ["x", "y"].map((key) => ({ key: "o", texts: [`${key}=${key.repeat(1024)}`] })) },
    ...["sam", "max-identities", "variance", "connect-timeout", "log-level"].flatMap((key) =>
      ["0", "-0", "1e3", "0x10", " 1", "1.0", "999999999999999999999"].map((text) => ({
        below: [],
        above: [{ key, texts: [text] }],
      }))
    ),
  ],
  generate: (random) => ({ below: randomEntries(random), above: randomEntries(random) }),
  check: ({ below, above }) => {
    const [lower, upper] = [valuesOf(below, "file"), valuesOf(above, "--")];
    const given = overlay(lower, upper);
    for (const [name, values] of upper) {
      const isAdded = name === "o" || name === "deny" || name === "deny-caller";
      assertEquals(given.get(name)?.slice(isAdded ? -values.length : 0), values, `what stands above of ${name}`);
    }
    for (const name of ["deny", "deny-caller"]) {
      const denied = [lower, upper].flatMap((values) => values.get(name) ?? []);
      assertEquals(given.get(name) ?? [], denied, "what is forbidden stays so");
    }
    checkGiven(given);
  },
};

function valuesOf(entries: readonly Entry[], source: string): RawOptions {
  const texts = entries.filter((entry) => entry.texts.length > 0).map(({ key, texts }) =>
    [key === "options" ? "o" : key, texts.map((text) => ({ text, source: `${source} ${key}` }))] as const
  );
  return new Map(texts);
}

/** The same of a file that was read. */
export function checkSettings({ common, applications }: ConfigFile): void {
  for (const values of applications.length === 0 ? [new Map()] : applications) checkGiven(overlay(common, values));
}

function checkGiven(given: RawOptions): void {
  const problems: string[] = [];
  const settings = readApplication(given, problems);
  const sources = [...given.values()].flat()
    .map(({ source, text }) => text === "" ? `${source} needs a value: ` : `Cannot use ${source} "${text}": `);
  const isPlaced = (problem: string): boolean => sources.some((source) => problem.startsWith(source));
  for (const problem of problems) {
    const isOfAll =
      /^(Too many -o options: |--forward cannot lead to |--sam-user and --sam-password-file |--secrets-file is of no use |--udp does not go with )/
        .test(problem);
    assert(isOfAll || isPlaced(problem), problem);
  }
  assertEquals(new Set(problems).size, problems.length, "a problem is named twice");
  if (problems.length === 0) checkSound(settings, given);
  const ofLog: string[] = [];
  readLogSettings(given, ofLog);
  for (const problem of ofLog) assert(isPlaced(problem), problem);
}

function checkSound(settings: ApplicationSettings, given: RawOptions): void {
  for (const endpoint of [...settings.listen, settings.sam]) {
    assert(isUnix(endpoint) ? endpoint.path.startsWith("/") : ["127.0.0.1", "::1"].includes(endpoint.hostname));
    assertEquals(parseListen(formatListen(endpoint)), endpoint);
  }
  assert(settings.sam.port > 0 && settings.listen.length > 0);
  const { timeouts, limits, policy, leaks } = settings;
  for (const limit of [timeouts.connect, timeouts.handshake]) assert(limit > 0 && limit <= MAX_DURATION);
  for (const limit of [timeouts.idle, timeouts.identityIdle]) assert(limit >= 0 && limit <= MAX_DURATION);
  assert(/^\d+$/.test(`${limits.identities}`) && limits.identities >= 1 && limits.identities <= 64);
  assert(/^\d+$/.test(`${limits.connections}`) && limits.connections >= 1);
  assert(/^[\w-]{1,64}$/.test(settings.identity ?? "x"), settings.identity);
  assertEquals(settings.isolation, [...new Set(settings.isolation)]);
  assertEquals(leaks.scrub, SCRUB_PROTOCOLS.filter((protocol) => leaks.scrub.includes(protocol)));
  assert(leaks.secretsFile === undefined || leaks.mode !== "off", "secrets that nobody looks for");
  assert(!settings.udp.enabled || !settings.isolation.includes("destination") && !settings.isolation.includes("port"));
  assertEquals([policy.allow.length, policy.deny.length], ["allow", "deny"].map((o) => given.get(o)?.length ?? 0));
  for (const { target } of settings.forward?.rules ?? []) {
    assert(["127.0.0.1", "::1"].includes(target.hostname) && target.port > 0, "a service that is not here");
    const doors = [...settings.listen, settings.sam].map(formatListen);
    assert(!doors.includes(formatEndpoint(target)), "a door of our own, open to everybody");
  }
  // Whatever was accepted can be said to a router, and arrives as it was meant.
  const login = settings.samUser === undefined ? {} : { USER: settings.samUser };
  const line = formatCommand("SESSION CREATE", settings.sessionOptions, login).slice(0, -1);
  assertEquals(parseMessage(line).values, new Map(Object.entries({ ...settings.sessionOptions, ...login })));
  assert(line.length <= MAX_SESSION_OPTIONS + 50 + (settings.samUser?.length ?? 0) * 2, "too long for SAM");
  for (const { text } of given.get("o") ?? []) {
    assert(text.slice(0, text.indexOf("=")) in settings.sessionOptions, `-o ${text} was lost`);
  }
}
