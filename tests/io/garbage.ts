// deno-lint-ignore-file no-external-import -- only Node's interfaces have V8's own collector
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Has V8 let go now of all that nobody holds. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
