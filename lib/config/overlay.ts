import type { RawOptions } from "./raw_options.ts";
import { DIRECTIONS, TUNNEL_OPTIONS } from "./session_options.ts";

/**
 * Lays values over others. What stands above wins: an option replaces the same option below, one for both directions also
 * replaces those for each. Options of I2CP are added up, where the last of a key counts, and so are `--deny` and
 * `--deny-caller`: what is forbidden below stays so.
 */
export function overlay(below: RawOptions, above: RawOptions): RawOptions {
  const merged = new Map([...below, ...above]);
  const replaced = Object.keys(TUNNEL_OPTIONS).filter((flag) => above.has(flag));
  for (const flag of replaced) {
    for (const direction of DIRECTIONS) if (!above.has(`${direction}-${flag}`)) merged.delete(`${direction}-${flag}`);
  }
  const given = new Set(
    Object.entries(TUNNEL_OPTIONS).flatMap(([flag, { key }]) =>
      DIRECTIONS.filter((direction) => above.has(flag) || above.has(`${direction}-${flag}`)).map((d) => `${d}.${key}`)
    ),
  );
  const kept = (below.get("o") ?? []).filter(({ text }) => !given.has(text.replace(/=.*/s, "")));
  const options = [...kept, ...above.get("o") ?? []];
  if (options.length > 0) merged.set("o", options);
  else merged.delete("o");
  const denied = [...below.get("deny") ?? [], ...above.get("deny") ?? []];
  if (denied.length > 0) merged.set("deny", denied);
  const deniedCallers = [...below.get("deny-caller") ?? [], ...above.get("deny-caller") ?? []];
  if (deniedCallers.length > 0) merged.set("deny-caller", deniedCallers);
  return merged;
}
