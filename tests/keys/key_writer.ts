/**
 * Replaces a key again and again, until it is killed: `key_writer.ts DIRECTORY NAME FIRST LAST`. Prints the number of
 * each key when it is on disk.
 */
import { KeyStore } from "../../lib/keys/key_store.ts";
import { numberedKey } from "./blob.ts";

const [directory = "", name = "", first = "0", last = "0"] = Deno.args;
const store = new KeyStore(directory);
for (let number = Number(first); number <= Number(last); number++) {
  await store.replace(name, numberedKey(number));
  console.log(number);
}
