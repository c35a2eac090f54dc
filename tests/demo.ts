/**
 * Everything in one process, and no router needed: a stand-in for a router's SAM bridge with a small site behind it,
 * i2p-socks in front, and a page fetched through both. Runs with i2p-socks' own permissions.
 */
import { readSettings } from "../lib/config/settings.ts";
import { Identity } from "../lib/identity/identity.ts";
import { LeakWatch } from "../lib/proxy/leak_watch.ts";
import { Proxy } from "../lib/proxy/proxy.ts";
import { Counters } from "../lib/report/counters.ts";
import { createLog } from "../lib/report/log.ts";
import { OutcomeBook } from "../lib/report/outcome_book.ts";
import { publishService, startSamBridge } from "./sam_bridge/bridge.ts";
import { startSite } from "./support/site.ts";
import { socksGet } from "./clients/socks_client.ts";

const NAME = "demo.i2p";

await using bridge = await startSamBridge();
await using site = await startSite();
await using service = await publishService(bridge.port, site.port);
bridge.setName(NAME, service.destination);

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const endpoint = { hostname: "127.0.0.1", port: bridge.port };
const log = createLog({ level: "info", format: "text", destinations: true, write: (line) => console.error(line) });
const counters = new Counters();
const identity = new Identity({ endpoint, sessionOptions: {}, log });
const proxy = await Proxy.start({
  settings: readSettings(new Map()),
  listeners: [listener],
  endpoint,
  identity,
  udp: undefined,
  logins: undefined,
  hosts: new Map(),
  leaks: new LeakWatch({ mode: "warn", scrub: [], identifiers: { addresses: [], secrets: [] }, log, counters }),
  log,
  counters,
  outcomes: new OutcomeBook({ destinations: true }),
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
  console.log(`
To try by hand, in another terminal:
  curl --socks5-hostname ${address} http://${NAME}/
  curl --socks4a ${address} http://${service.b32}/headers
  curl --socks5-hostname alice:x@${address} http://${NAME}/    # another identity, made for this login
  curl --socks5-hostname ${address} http://example.com/     # refused, reply 2: not I2P
  curl --socks5 ${address} http://93.184.216.34/            # refused, reply 8: an IP address
  curl http://${address}/                                   # told that this is a SOCKS port

Ctrl+C ends it.`);
  const { promise: interrupted, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  await interrupted;
  Deno.removeSignalListener("SIGINT", resolve);
}
await proxy.close();
await identity.close();
