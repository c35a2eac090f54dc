import { assert, assertEquals } from "@std/assert";
import { FairnessGate, GATE_BUDGET, INTERACTIVE_BUDGET } from "../../lib/relay/fairness_gate.ts";

Deno.test("FairnessGate lets timers run between relays that never wait", async () => {
  const gate = await FairnessGate.open();
  try {
    assertEquals(gate.spend(GATE_BUDGET - 1), undefined);
    assert(gate.spend(1) instanceof Promise);
    await Promise.all([gate.spend(1), gate.spend(1)]);
    assertEquals(await timerRuns(async () => await gate.spend(GATE_BUDGET)), true);
    // The counter-proof: without a gate the same loop keeps the timer waiting.
    assertEquals(await timerRuns(() => Promise.resolve()), false);
  } finally {
    gate.close();
  }
  await gate.spend(GATE_BUDGET);
});

for (
  const { name, hurries, budget } of [
    { name: "a budget's worth a turn", hurries: false, budget: GATE_BUDGET },
    { name: "fewer while there are small messages", hurries: true, budget: INTERACTIVE_BUDGET },
  ]
) {
  Deno.test(`FairnessGate lets relays go on in their order, ${name}`, async () => {
    const gate = await FairnessGate.open();
    const story: string[] = [];
    let running = 8;
    const relay = async (number: number): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        if (hurries) gate.markInteractive();
        story.push(String(number));
        await gate.spend(INTERACTIVE_BUDGET);
      }
      running--;
    };
    const turns = async (): Promise<void> => {
      while (running > 0) {
        await gate.turn();
        story.push("|");
      }
    };
    const relays = Array.from({ length: running }, (_, number) => relay(number));
    await Promise.all([...relays, turns()]);
    gate.close();
    const [, ...perTurn] = story.join("").split("|").filter((chunks) => chunks !== "");
    const most = Math.max(...perTurn.map((chunks) => chunks.length));
    assertEquals(most, budget / INTERACTIVE_BUDGET, story.join(""));
    const inOrder = story.filter((entry) => entry !== "|").join("");
    assertEquals(inOrder, "01234567".repeat(10));
  });
}

/** Whether a timer fires while a loop waits 200 times. */
async function timerRuns(wait: () => Promise<void>): Promise<boolean> {
  let fired = false;
  const timer = setTimeout(() => fired = true, 0);
  for (let i = 0; i < 200; i++) await wait();
  clearTimeout(timer);
  return fired;
}
