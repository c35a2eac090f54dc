/** What can be done with keys, and the operands of each. */
export const KEY_ACTIONS = {
  list: "",
  show: "NAME",
  new: "NAME",
  export: "NAME [FILE]",
  import: "NAME [FILE]",
  rotate: "NAME",
  delete: "NAME",
} as const;

/** One of {@linkcode KEY_ACTIONS}. */
export type KeyAction = keyof typeof KEY_ACTIONS;

/** What can be done with a configuration, and the operands of each. */
export const CONFIG_ACTIONS = {
  init: "[FILE]",
  check: "[FILE]",
  show: "[FILE]",
} as const;

/** One of {@linkcode CONFIG_ACTIONS}. */
export type ConfigAction = keyof typeof CONFIG_ACTIONS;
