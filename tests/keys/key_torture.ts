/** A thousand key writes under random kills: `deno task torture-keys`. */
import { tortureKeys } from "../support/key_torture.ts";

const directory = await Deno.makeTempDir();
const { writes, kills } = await tortureKeys(`${directory}/keys`, 1000, Math.random);
await Deno.remove(directory, { recursive: true });
console.log(`${writes} keys written, ${kills} writers killed, no key lost`);
