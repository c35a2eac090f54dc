import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Has V8 let go now of all that nobody holds. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
