/** Why a caller from I2P did not reach a service of ours. */
export type CallerRefusal = "denied" | "too-many" | "too-many-per-caller" | "no-rule" | "service-down";

/** The message of every reason, and what to do about it. A caller sees nothing of it: its stream is closed. */
export const CALLER_REFUSALS: Readonly<Record<CallerRefusal, { message: string; hint: string | null }>> = {
  "denied": { message: "Blocked by --allow-caller or --deny-caller", hint: null },
  "too-many": { message: "Too many callers at once", hint: "The limit is --max-inbound" },
  "too-many-per-caller": { message: "Too many connections from one caller", hint: "The limit is --max-per-caller" },
  "no-rule": {
    message: "No --forward covers this I2P port",
    hint: "A --forward without PORT= takes callers of all other ports",
  },
  "service-down": {
    message: "The local service did not accept the connection",
    hint: "Is it running, and does it listen where --forward points? The log has the cause",
  },
};
