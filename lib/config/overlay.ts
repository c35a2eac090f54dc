import { DIRECTIONS, TUNNEL_NAMES, TUNNEL_OPTIONS } from "./session_options.ts";
import type { RawOptions } from "./raw_options.ts";

/** Options whose values add up with those below: what is forbidden stays so, and of `-o` the last of a key counts. */
export const ADDED_UP: readonly string[] = ["o", "deny", "deny-caller"];

/**
 * Lays values over others. What stands above wins: an option replaces the same option below, and one for both directions
 * also replaces those for each. Options in {@linkcode ADDED_UP} are added up.
 */
export function overlay(below: RawOptions, above: RawOptions): RawOptions {
  const merged = new Map([...below, ...above]);
  /** Keys of I2CP that `-o` below no longer sets. */
  const replaced = new Set<string>();
  for (const name of TUNNEL_NAMES) {
    for (const direction of DIRECTIONS) {
      const isAbove = above.has(`${direction}-${name}`);
      if (above.has(name) && !isAbove) merged.delete(`${direction}-${name}`);
      if (above.has(name) || isAbove) replaced.add(`${direction}.${TUNNEL_OPTIONS[name]}`);
    }
  }
  for (const name of ADDED_UP) {
    const kept = (below.get(name) ?? []).filter(({ text }) => name !== "o" || !replaced.has(text.replace(/=.*/s, "")));
    const values = [...kept, ...above.get(name) ?? []];
    if (values.length > 0) merged.set(name, values);
    else merged.delete(name);
  }
  return merged;
}
