import type { Behaviour } from "../behaviour.ts";
import { ENDS } from "./ends.ts";
import { FAULTS } from "./faults.ts";
import { IDENTITIES } from "./identities.ts";
import { REFUSALS } from "./refusals.ts";
import { SERVING } from "./serving.ts";
import { SPEED } from "./speed.ts";
import { STREAMS } from "./streams.ts";

/** All of them, in this order: what takes a router or a session down comes last. */
export const BEHAVIOURS: readonly Behaviour[] = [
  ...STREAMS,
  ...REFUSALS,
  ...IDENTITIES,
  ...SERVING,
  ...SPEED,
  ...ENDS,
  ...FAULTS,
];
