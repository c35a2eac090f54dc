/** Why a caller from I2P did not reach a service of ours. */
export type CallerRefusal = "denied" | "too-many" | "no-rule" | "service-down";

/** The message of every reason, and what to do about it. A caller sees nothing of it: its stream is closed. */
export const CALLER_REFUSALS: Readonly<Record<CallerRefusal, { message: string; hint: string | null }>> = {
  "denied": { message: "Not let in by --allow-caller and --deny-caller", hint: null },
  "too-many": { message: "More callers at once than are served", hint: "The limit is --max-inbound" },
  "no-rule": {
    message: "Came to an I2P port that no --forward names",
    hint: "A --forward without PORT= gets the callers of all other ports",
  },
  "service-down": {
    message: "The local service did not take the connection",
    hint: "Is it running, and does it listen where --forward says? The log has the reason",
  },
};
