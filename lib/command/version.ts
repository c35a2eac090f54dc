import config from "../../deno.json" with { type: "json" };
import { ROUTERS, SAM_VERSION } from "../sam/socket.ts";

/** What `--version --json` prints: the same facts by name. */
export function versionFacts(): Record<string, string> {
  const { deno, v8 } = Deno.version;
  const { os, arch } = Deno.build;
  return { version: config.version, deno, v8, sam: SAM_VERSION, os, arch };
}

/**
 * What `--version` prints: the program, its runtime, the version of SAM that sessions and streams speak, and the latest one
 * that a bridge is known to have.
 */
export function versionText(): string {
  const { deno, v8 } = Deno.version;
  const latest = Object.keys(ROUTERS).toSorted().at(-1);
  return `i2p-socks ${config.version} (Deno ${deno}, V8 ${v8}, SAM ${SAM_VERSION} with bridges up to ${latest})`;
}
