import { assert, assertEquals } from "@std/assert";
import { readSettings } from "../../lib/config/settings.ts";
import { MAX_SURPLUS } from "../../lib/proxy/admission.ts";
import { MAX_WARM } from "../../lib/sam/warm_sockets.ts";
import { DescriptorBudget, type Sized } from "../../lib/server/capacity.ts";
import { createLog } from "../../lib/report/log.ts";
import { pureTest } from "../support/pure.ts";

const DEFAULTS = readSettings(new Map());

/** An application with other limits. */
function application(name: string, connections: number, maxInbound?: number): Sized {
  const forward = { rules: [], header: false, maxInbound: maxInbound ?? 0, maxPerCaller: 1, idleTimeout: 0 };
  return {
    ...DEFAULTS,
    name,
    limits: { ...DEFAULTS.limits, connections },
    forward: maxInbound === undefined ? undefined : forward,
  };
}

/** The descriptors that a capacity may take, and those that wait for room. */
function mostOf(settings: Sized, budget: DescriptorBudget): number {
  const { connections, inbound, surplus, warm } = budget.capacityOf(settings);
  return 2 * (connections + (settings.forward === undefined ? 0 : inbound)) + surplus + warm + 2;
}

function warningsOf(budget: DescriptorBudget, applications: readonly Sized[]): string[] {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line.replace(/^\S+ /, ""));
  budget.warn(applications, createLog({ level: "debug", format: "text", destinations: false, write }));
  return lines;
}

pureTest("DescriptorBudget leaves the limits as they are where they fit, and where nothing is known", () => {
  const settings = application("web", 1024, 256);
  for (const count of [(most: number) => most, () => undefined]) {
    const budget = new DescriptorBudget([settings], true, count);
    assertEquals(budget.capacityOf(settings), {
      connections: 1024,
      inbound: 256,
      surplus: MAX_SURPLUS,
      warm: MAX_WARM,
      isShort: false,
    });
    assertEquals(warningsOf(budget, [settings]), []);
  }
});

pureTest("DescriptorBudget holds clients to what fits, and says so once with what to type", () => {
  const settings = application("web", 1024);
  const budget = new DescriptorBudget([settings], false, () => 1000);
  const { connections, isShort } = budget.capacityOf(settings);
  assert(isShort && connections > 400 && connections < 500, `${connections}`);
  assertEquals(warningsOf(budget, [settings]), [
    `warn  Too few file descriptors for --max-connections: there is room for ${connections} clients in place of 1024 ` +
    'hint="Type ulimit -n 4096 before the start, or set LimitNOFILE=4096 in the unit"',
  ]);
});

pureTest(
  "DescriptorBudget never promises more than there is, however little, and divides it among applications",
  () => {
    for (const free of [30, 38, 100, 230, 1_000, 4_000]) {
      const applications = [application("a", 1024, 256), application("b", 1024), application("c", 100)];
      const budget = new DescriptorBudget(applications, true, () => free);
      for (const settings of applications) assert(budget.capacityOf(settings).connections >= 1, `${free}`);
      const most = applications.reduce((sum, settings) => sum + mostOf(settings, budget), 0);
      // Below that each application still has a client.
      assert(free < 100 || most <= free, `${most} of ${free}`);
      assert(budget.capacityOf(application("later", 1024)).connections < 1024, "one of a reload");
    }
    const two = [application("a", 1024), application("b", 1024)];
    const budget = new DescriptorBudget(two, false, () => 1000);
    const { connections } = budget.capacityOf(application("a", 1024));
    const [line = ""] = warningsOf(budget, two);
    assert(
      line.includes(`room for ${connections} clients of "a" in place of 1024, ${connections} clients of "b"`),
      line,
    );
  },
);
