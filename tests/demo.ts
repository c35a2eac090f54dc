/**
 * Everything in one process, and no router needed: a stand-in for a router's SAM bridge with a small site behind it,
 * i2p-socks in front, and a page fetched through both. Runs with i2p-socks' own permissions.
 */
import config from "../deno.json" with { type: "json" };
import type { Endpoint } from "../lib/config/endpoint.ts";
import { readSettings } from "../lib/config/settings.ts";
import { type LeakKind, LEAKS } from "../lib/guard/leak.ts";
import { Identity } from "../lib/identity/identity.ts";
import { LeakWatch } from "../lib/proxy/leak_watch.ts";
import { Proxy } from "../lib/proxy/proxy.ts";
import { Counters } from "../lib/report/counters.ts";
import { createLog } from "../lib/report/log.ts";
import { OutcomeBook } from "../lib/report/outcome_book.ts";
import { terminalLines } from "../lib/report/terminal_lines.ts";
import { statusOf } from "../lib/server/application_status.ts";
import { StatusServer } from "../lib/status/server.ts";
import { KeepLimit } from "../lib/relay/keeper.ts";
import { publishService, startSamBridge } from "./sam_bridge/bridge.ts";
import { startSite } from "./support/site.ts";
import { giveTour, type Stop } from "./support/tour.ts";
import { readToEnd, socksConnect, socksGet, writeAll } from "./clients/socks_client.ts";

const NAME = "demo.i2p";

/** Milliseconds that the tour leaves its router away. */
const OUTAGE = 2_000;

await using bridge = await startSamBridge();
await using site = await startSite();
await using service = await publishService(bridge.port, site.port);
bridge.setName(NAME, service.destination);

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const endpoint: Endpoint = { hostname: "127.0.0.1", port: bridge.port };
const log = createLog({
  level: "info",
  // As the program's own log looks to somebody who watches it.
  format: Deno.stderr.isTerminal()
    ? (entry) => terminalLines(entry, { columns: Deno.consoleSize().columns || 80, color: !Deno.noColor })
    : "text",
  destinations: true,
  write: (line) => console.error(line),
});
const counters = new Counters();
const outcomes = new OutcomeBook({ destinations: true });
const identity = new Identity({ endpoint, sessionOptions: {}, log });
const proxy = await Proxy.start({
  settings: readSettings(new Map()),
  listeners: [listener],
  endpoint,
  identity,
  udp: undefined,
  logins: undefined,
  hosts: new Map(),
  keepLimit: new KeepLimit(),
  leaks: new LeakWatch({ mode: "warn", scrub: [], identifiers: { addresses: [], secrets: [] }, log, counters }),
  log,
  counters,
  outcomes,
  audit: undefined,
});
const session = await identity.open();
const address = `127.0.0.1:${listener.addr.port}`;

console.log(`A stand-in for a router's SAM bridge at 127.0.0.1:${bridge.port}, with a site behind it:
  http://${NAME}/
  http://${service.b32}/

i2p-socks in front of it at ${address}, as
  ${session.address}

The site, fetched by SOCKS5 through i2p-socks and the bridge:
`);
const page = await socksGet(listener.addr.port, `http://${NAME}/`);
console.log(page.trimEnd().replace(/^/gm, "  "));
console.log(`\n${new TextEncoder().encode(page).length} bytes arrived.`);

if (Deno.stdin.isTerminal()) {
  const statusListener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [startedAt, since] = [new Date().toISOString(), performance.now()];
  const status = new StatusServer(statusListener, () => ({
    version: config.version,
    startedAt,
    uptimeSeconds: Math.round(performance.now() - since) / 1000,
    applications: [statusOf({ name: "demo", sam: endpoint }, [address], proxy, counters, outcomes)],
  }));
  console.log(`
To try by hand, in another terminal:
  curl --socks5-hostname ${address} http://${NAME}/
  curl --socks4a ${address} http://${service.b32}/headers
  i2p-socks check ${NAME} --sam 127.0.0.1:${bridge.port}
  i2p-socks setup firefox --listen ${address}

The log of i2p-socks appears in this window as well: it explains each refusal.`);
  const { promise: interrupted, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  await Promise.race([interrupted, giveTour(stops(`http://127.0.0.1:${statusListener.addr.port}/`))]);
  Deno.removeSignalListener("SIGINT", resolve);
  await status.close();
}
await proxy.close();
await identity.close();

/** What the keys show: a promise of the program each. */
function stops(page: string): Stop[] {
  const port = listener.addr.port;
  return [
    { title: "a name outside I2P is refused", show: (say) => refused("example.com", say) },
    { title: "an IP address is refused, and explained", show: (say) => refused("93.184.216.34", say) },
    {
      title: "another login has another I2P address",
      show: async (say) => {
        await socksGet(port, `http://${NAME}/`, { login: { user: "alice", password: "x" } });
        for (const { group, session } of proxy.identities) {
          say(`${group === undefined ? "without a login" : "alice"}: ${session?.address}`);
        }
        say("The site sees two visitors. curl --socks5-hostname alice:x@… is one way to say who is asking.");
      },
    },
    {
      title: "the router dies and comes back",
      show: async (say) => {
        await bridge.stopListening();
        bridge.dropSessions({ prefix: "i2p-socks-" });
        say("The router has gone. A client asks now, and is held:");
        const waiting = socksGet(port, `http://${NAME}/`);
        await new Promise((resolve) => setTimeout(resolve, OUTAGE));
        say(`after ${OUTAGE / 1000} s it is still waiting. The router comes back:`);
        bridge.listen();
        say(`${new TextEncoder().encode(await waiting).length} bytes arrived, with no error in between.`);
      },
    },
    {
      title: "a leak is found",
      show: async (say) => {
        say(
          `A page is asked for with the header "X-Forwarded-For: 8.8.4.4". The log names the leak, once for each kind:`,
        );
        const { conn } = await socksConnect(port, NAME, 80);
        await writeAll(
          conn,
          new TextEncoder().encode(`GET / HTTP/1.0\r\nHost: ${NAME}\r\nX-Forwarded-For: 8.8.4.4\r\n\r\n`),
        );
        await readToEnd(conn);
        conn.close();
        for (const kind of Object.keys(LEAKS) as LeakKind[]) {
          const count = counters.get(`leak-${kind}`);
          if (count > 0) say(`found so far: ${kind}, ${count} ×: ${LEAKS[kind].message}`);
        }
      },
    },
    {
      title: "the status page",
      show: (say) => Promise.resolve(say(`Open ${page} in any browser, and press the other keys meanwhile.`)),
    },
  ];
}

/** Asks for a destination that is not in I2P, and says what the client was told. */
async function refused(host: string, say: (line: string) => void): Promise<void> {
  const { reply, conn } = await socksConnect(listener.addr.port, host, 80);
  conn.close();
  const meaning = reply.code === 2 ? "not allowed by ruleset" : "address type not supported";
  say(`A client asked for ${host} and got reply ${reply.code}, "${meaning}". The log says why, and what to do.`);
}
