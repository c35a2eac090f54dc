import type { Behaviour } from "../behaviour.ts";
import { fetchBy } from "../client.ts";

/** Bytes of each transfer. */
const SIZE = 20_000_000;

/** Pages whose first byte is measured. */
const PAGES = 20;

export const SPEED: readonly Behaviour[] = [
  {
    name: "speed",
    promise: "throughput and first byte beside the router's own SOCKS proxy",
    run: async (stage) => {
      const { socks, site } = stage.router.ways;
      if (socks === undefined) return { ok: undefined, words: "no SOCKS proxy of its own" };
      const proxies = { program: await stage.port(), router: socks };
      const bulk = { program: [] as number[], router: [] as number[] };
      const first = { program: [] as number[], router: [] as number[] };
      // In turns, so that what else the machine does hits both.
      for (let run = 0; run < 3; run++) {
        for (const who of ["program", "router"] as const) {
          bulk[who].push(SIZE / 1000 / (await fetchBy(proxies[who], site, `/${SIZE}`)).total);
        }
      }
      for (let page = 0; page < PAGES; page++) {
        for (const who of ["program", "router"] as const) {
          first[who].push((await fetchBy(proxies[who], site, "/")).firstByte);
        }
      }
      const figures = {
        programMBs: median(bulk.program),
        routerMBs: median(bulk.router),
        programFirstByte: median(first.program),
        routerFirstByte: median(first.router),
      };
      const { programMBs, routerMBs, programFirstByte, routerFirstByte } = figures;
      const words = `${programMBs.toFixed(1)} beside ${routerMBs.toFixed(1)} MB/s (${
        (programMBs / routerMBs).toFixed(2)
      }), first byte ${programFirstByte.toFixed(1)} beside ${routerFirstByte.toFixed(1)} ms (${
        (programFirstByte / routerFirstByte).toFixed(2)
      })`;
      return { ok: programMBs / routerMBs > 0.5, words, figures };
    },
  },
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
