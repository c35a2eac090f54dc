#!/usr/bin/env bash
# undici 7.30.2's Socks5ProxyAgent sends an IPv6 address as the name "[::1]", brackets and all.
#
# Guess: an address in a URL goes out as an address: ATYP 1 for IPv4, ATYP 4 for IPv6.
# Seen: IPv4 does; IPv6 keeps the brackets of the URL, is taken for a name and goes out as ATYP 3. A proxy that looks at
# ATYP alone to tell addresses from names hands "[::1]" to a resolver, and one that refuses addresses with 08 says "no
# such host" here. socks-proxy-agent 8.0.5 sends ATYP 4, as guessed. A proxy has to look at the name as well.
# Output:
#   undici: http://10.9.8.7/ ATYP 1, http://[fd00::1]/ ATYP 3 '[fd00::1]'
#   socks-proxy-agent: http://10.9.8.7/ ATYP 1, http://[fd00::1]/ ATYP 4
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

npm install --silent --prefix "$dir" undici@7.30.2 socks-proxy-agent@8.0.5 socks@2.8.11

cat > "$dir/ask.cjs" <<'JS'
const net = require("net");
const http = require("http");
const assert = require("assert");
const { fetch, Socks5ProxyAgent } = require("undici");
const { SocksProxyAgent } = require("socks-proxy-agent");

const seen = [];
const proxy = net.createServer((client) => {
  client.on("error", () => {});
  client.once("data", () => {
    client.write(Buffer.from([5, 0]));
    client.once("data", (request) => {
      const name = request[3] === 3 ? ` '${request.subarray(5, 5 + request[4])}'` : "";
      seen.push(`ATYP ${request[3]}${name}`);
      client.end(Buffer.from([5, 8, 0, 1, 0, 0, 0, 0, 0, 0]));
    });
  });
});

proxy.listen(0, "127.0.0.1", async () => {
  const address = `127.0.0.1:${proxy.address().port}`;
  for (const url of ["http://10.9.8.7/", "http://[fd00::1]/"]) {
    await fetch(url, { dispatcher: new Socks5ProxyAgent(`socks5://${address}`) }).catch(() => {});
    const agent = new SocksProxyAgent(`socks5h://${address}`);
    await new Promise((resolve) => http.get(url, { agent }).on("error", resolve));
  }
  console.log(`undici: ${seen[0]}, ${seen[2]}\nsocks-proxy-agent: ${seen[1]}, ${seen[3]}`);
  assert.deepEqual(seen, ["ATYP 1", "ATYP 1", "ATYP 3 '[fd00::1]'", "ATYP 4"]);
  process.exit(0);
});
JS
(cd "$dir" && node --no-warnings ask.cjs)
