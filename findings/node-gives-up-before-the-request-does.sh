#!/usr/bin/env bash
# Node's SOCKS clients end a connection that is still being made after 5, 10 or 30 s, whatever limit the request has.
#
# Guess: the time for the SOCKS reply is bounded by the request's own timeout or signal, and else it is not bounded.
# Seen: undici 7.30.2's Socks5ProxyAgent has a fixed 5 s for the reply, and its error has no code to tell it by;
# fetch-socks 1.3.3 has the 10 s of undici's connect; socks-proxy-agent 8.0.5 the 30 s of socks 2.8.11. The first stream
# to a site of an anonymous network takes up to a minute, so a proxy that truthfully waits looks broken. In fetch-socks
# and socks-proxy-agent the limit can be raised, in undici it cannot.
# Output (the proxy never answers the request; the time is rounded to 5 s):
#   Socks5ProxyAgent: 5 s, SOCKS5 connection timeout
#   fetch-socks: 10 s, Proxy connection timed out
#   socks-proxy-agent: 30 s, Proxy connection timed out
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

npm install --silent --prefix "$dir" undici@7.30.2 fetch-socks@1.3.3 socks-proxy-agent@8.0.5 socks@2.8.11

cat > "$dir/ask.mjs" <<'JS'
import net from "node:net";
import http from "node:http";
import assert from "node:assert";
import { fetch, Socks5ProxyAgent } from "undici";
import { socksDispatcher } from "fetch-socks";
import { SocksProxyAgent } from "socks-proxy-agent";

const proxy = net.createServer((client) => {
  client.on("error", () => {});
  client.once("data", () => client.write(Buffer.from([5, 0])));
});
await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const port = proxy.address().port;

async function measure(name, ask) {
  const start = Date.now();
  const error = await ask().then(() => "answered", (failure) => (failure.cause ?? failure).message);
  const result = [name, 5 * Math.floor((Date.now() - start + 500) / 5000), error];
  console.log(...result);
  return result;
}

const url = "http://site.i2p/";
const undici = new Socks5ProxyAgent(`socks5://127.0.0.1:${port}`);
const fetchSocks = socksDispatcher({ type: 5, host: "127.0.0.1", port });
const agent = new SocksProxyAgent(`socks5h://127.0.0.1:${port}`);
const limit = { signal: AbortSignal.timeout(50_000) };
assert.deepEqual(
  await Promise.all([
    measure("Socks5ProxyAgent", () => fetch(url, { ...limit, dispatcher: undici })),
    measure("fetch-socks", () => fetch(url, { ...limit, dispatcher: fetchSocks })),
    measure("socks-proxy-agent", () =>
      new Promise((resolve, reject) => http.get(url, { timeout: 50_000, agent }, resolve).on("error", reject))),
  ]),
  [
    ["Socks5ProxyAgent", 5, "SOCKS5 connection timeout"],
    ["fetch-socks", 10, "Proxy connection timed out"],
    ["socks-proxy-agent", 30, "Proxy connection timed out"],
  ],
);
process.exit(0);
JS
(cd "$dir" && node --no-warnings ask.mjs)
