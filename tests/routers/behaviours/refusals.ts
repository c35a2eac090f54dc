import { encodeI2pBase32 } from "../../../lib/i2p/base32.ts";
import { readToEnd, socksConnect } from "../../clients/socks_client.ts";
import type { Behaviour, Stage } from "../behaviour.ts";
import { message, seconds, since, sleep, within } from "../router.ts";

/** What came of a request. */
interface Answer {
  /** The reply; undefined where the proxy gave none. */
  code: number | undefined;
  /** Why, by the program's log. */
  reason: string;
  /** Milliseconds. */
  took: number;
  /** What the router said, by the program's log. */
  router: string;
  /** Bytes behind a reply that lets through; -1 where no end came. */
  bytes?: number;
}

/** What may be the answer to a request that cannot be fulfilled. */
interface Case {
  host: string;
  expected: readonly string[];
  /** Milliseconds that it may take. */
  limit: number;
}

export const REFUSALS: readonly Behaviour[] = [
  refusal("refuse-name", "a name that nobody knows: 4 name-unknown", () => ({
    host: "nobody-has-this-name.i2p",
    expected: ["4 name-unknown"],
    limit: 30_000,
  })),
  refusal("refuse-b32", "an address that nobody has: 4, no lease set, within 100 s", () => ({
    host: `${encodeI2pBase32(crypto.getRandomValues(new Uint8Array(32)))}.b32.i2p`,
    expected: ["4 lease-set-not-found", "4 peer-unreachable"],
    limit: 100_000,
  })),
  refusal("refuse-down", "a service that is down: refused, or ended without a byte, within a minute", ({ router }) => ({
    host: router.ways.down ?? "",
    expected: ["5 peer-refused", "0 ended, 0 bytes"],
    limit: 60_000,
  })),
  refusal("refuse-own", "the program's own address: 4 own-address", async (stage) => ({
    host: (await stage.program()).ready["b32"] ?? "",
    expected: ["4 own-address"],
    limit: 30_000,
  })),
  refusal("refuse-clearnet", "a clearnet name: 2 clearnet, at once", () => ({
    host: "example.com",
    expected: ["2 clearnet"],
    limit: 1000,
  })),
  refusal("refuse-ip", "an IP address: 8 ip, at once", () => ({ host: "192.0.2.1", expected: ["8 ip"], limit: 1000 })),
];

function refusal(name: string, promise: string, make: (stage: Stage) => Case | Promise<Case>): Behaviour {
  return {
    name,
    promise,
    run: async (stage) => {
      const { host, expected, limit } = await make(stage);
      const { code, reason, took, router, bytes } = await ask(stage, host);
      const answer = code === 0 ? `0 ended, ${bytes} bytes` : `${code} ${reason}`;
      const words = `${answer}, ${seconds(took)}${router === "" ? "" : ` (${router})`}`;
      return { ok: expected.includes(answer) && took < limit, words, figures: { took } };
    },
  };
}

async function ask(stage: Stage, host: string): Promise<Answer> {
  const program = await stage.program();
  const before = program.stderr().length;
  const start = performance.now();
  try {
    const { reply, conn } = await socksConnect(program.port, host, 80, { timeout: 200_000 });
    using _conn = conn;
    const result = { code: reply.code, took: since(start), reason: "", router: "" };
    if (reply.code === 0) {
      await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")).catch(() => {});
      const bytes = await within(90_000, "end", readToEnd(conn)).then(({ length }) => length, () => -1);
      return { ...result, took: since(start), bytes };
    }
    const pattern = /reason=(\S+)/;
    // Not what becomes of a stream before.
    const linesOf = (): string =>
      program.stderr().slice(before).split("\n").filter((line) => line.includes(`destination=${host}`)).join("\n");
    for (let wait = 0; wait < 50 && !pattern.test(linesOf()); wait++) await sleep(20);
    const log = linesOf();
    const router = /routerSaid=("[^"\n]*"|\S+)/.exec(log)?.[1] ?? "";
    return { ...result, reason: pattern.exec(log)?.[1] ?? "no reason in the log", router };
  } catch (error) {
    return { code: undefined, reason: message(error), took: since(start), router: "" };
  }
}
