import type { Behaviour } from "../behaviour.ts";
import { fetchBy } from "../client.ts";
import { reachSite } from "../i2pd.ts";
import { message, seconds, since } from "../router.ts";
import { GREETING } from "../web.ts";

export const FAULTS: readonly Behaviour[] = [
  {
    name: "restart",
    promise: "after kill -9 of the router, a client is held until the new session is there, and served",
    run: async (stage) => {
      const { router } = stage;
      const port = await stage.port();
      await router.kill();
      const start = performance.now();
      const held = fetchBy(port, router.ways.site, "/", { timeout: 300_000 }).then(({ text }) => text, message);
      await router.start();
      const sam = since(start);
      const first = await held;
      const firstTook = since(start);
      let again = first;
      let tries = 1;
      // The site's own tunnels come back in their own time.
      await reachSite(router.ways);
      while (again !== GREETING && since(start) < 300_000) {
        again = await fetchBy(port, router.ways.site, "/", { timeout: 60_000 }).then(({ text }) => text, message);
        tries++;
      }
      const words = [
        `SAM again after ${seconds(sam)}`,
        `the held client ${first === GREETING ? "served" : first} after ${seconds(firstTook)}`,
        ...first === GREETING
          ? []
          : [again === GREETING ? `served at request ${tries}, ${seconds(since(start))}` : again],
      ].join(", ");
      return { ok: first === GREETING, words, figures: { sam, served: since(start) } };
    },
  },
];
