import config from "../../deno.json" with { type: "json" };
import { SAM_VERSION } from "../sam/socket.ts";
import { ROUTERS } from "./check.ts";

/**
 * What `--version` tells: the program, its runtime, the version of SAM that its sessions and streams speak, and the latest
 * one that it knows bridges to have.
 */
export function versionText(): string {
  const { deno, v8 } = Deno.version;
  const latest = Object.keys(ROUTERS).toSorted().at(-1);
  return `i2p-socks ${config.version} (Deno ${deno}, V8 ${v8}, SAM ${SAM_VERSION} with bridges up to ${latest})`;
}
