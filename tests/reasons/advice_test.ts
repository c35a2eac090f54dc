import { assertEquals } from "@std/assert";
import { completeHint, samErrorAdvice, samErrorText } from "../../lib/reasons/advice.ts";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { SamError } from "../../lib/sam/error.ts";
import { pureTest } from "../support/pure.ts";

const SAM = { hostname: "127.0.0.1", port: 34149 };
const CHECK = "i2p-socks check --sam 127.0.0.1:34149";

pureTest(
  "samErrorText() says where no bridge is, without the number of a system error or the router's own words",
  () => {
    const cause = Object.assign(new Error("Connection refused (os error 111)"), { code: "ECONNREFUSED" });
    const texts: readonly [SamError, string][] = [
      [
        new SamError("connect", "unreachable", { cause }),
        "Nothing answers at 127.0.0.1:34149: no SAM bridge (connection refused)",
      ],
      [
        new SamError("connect", "silent"),
        "Nothing answers at 127.0.0.1:34149: no SAM bridge (it does not accept connections)",
      ],
      [new SamError("hello", "closed"), "127.0.0.1:34149 is not a SAM bridge: it closed the connection"],
      [
        new SamError("session", "refused", { result: "I2P_ERROR", text: "secret.i2p" }),
        "Cannot keep a SAM session: the router answered I2P_ERROR",
      ],
    ];
    for (const [error, text] of texts) assertEquals(samErrorText(error, SAM), text);
  },
);

pureTest("samErrorAdvice() has a line for each router, and the complete command", () => {
  const { i2pd, java } = REASONS["router-down"].fix ?? {};
  assertEquals(samErrorAdvice(new SamError("connect", "unreachable"), SAM), [
    `i2pd: ${i2pd}`,
    `Java I2P: ${java}`,
    `${CHECK} looks for the cause`,
  ]);
  assertEquals(samErrorAdvice(new SamError("session", "refused", { result: "INVALID_KEY" }), SAM), [
    REASONS["key-refused"].fix?.i2pd,
  ]);
});

pureTest("a diagnosis takes the place of what is usually said, and of the command that would find it", () => {
  const error = new SamError("connect", "unreachable");
  error.diagnosis = {
    says: "Nothing answers, but i2pd is running",
    fix: { i2pd: "switch SAM on", java: "switch SAM on" },
  };
  assertEquals([samErrorText(error, SAM), samErrorAdvice(error, SAM)], [error.diagnosis.says, ["switch SAM on"]]);
  error.diagnosis = { says: "No router is running" };
  const { i2pd, java } = REASONS["router-down"].fix ?? {};
  assertEquals(samErrorAdvice(error, SAM), [`i2pd: ${i2pd}`, `Java I2P: ${java}`]);
});

pureTest("completeHint() completes the command in a hint", () => {
  assertEquals(
    completeHint(REASONS["router-down"].hint, "127.0.0.1:34149"),
    `Is the router running, with SAM switched on? ${CHECK} finds the cause`,
  );
  assertEquals([completeHint("Nothing", ""), completeHint(null, "")], ["Nothing", null]);
});
