#!/usr/bin/env bash
# npm's socks 2.8.11 loses what the peer says first, unless the listener is there at once.
#
# Guess: the socket that createConnection() resolves to is paused, so data waits until somebody listens and resumes.
# Seen: a line of greeting that came with the reply, as from servers of SMTP, IRC or SSH, is emitted a single time right
# after the promise. With one more "await" before on("data") it is gone for good, without an error, and the application
# waits for a greeting that was sent. A paused socket of Node's own net keeps its data. The proxy can do nothing about
# it, so a manual for users should say: attach the listener before anything else is awaited.
# Output:
#   listener at once: '220 ready'
#   listener after 50 ms: nothing in 2 s
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

npm install --silent --prefix "$dir" socks@2.8.11

cat > "$dir/ask.cjs" <<'JS'
const net = require("net");
const assert = require("assert");
const { SocksClient } = require("socks");

const proxy = net.createServer((client) => {
  client.once("data", () => {
    client.write(Buffer.from([5, 0]));
    client.once("data", () => client.write("\x05\0\0\x01\0\0\0\0\0\x00220 ready"));
  });
  client.on("error", () => {});
});

async function ask(port, pause) {
  const { socket } = await SocksClient.createConnection({
    proxy: { host: "127.0.0.1", port, type: 5 },
    command: "connect",
    destination: { host: "site.i2p", port: 25 },
  });
  if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  const answer = await new Promise((resolve) => {
    socket.on("data", (data) => resolve(String(data)));
    socket.resume();
    setTimeout(() => resolve("nothing in 2 s"), 2000);
  });
  socket.destroy();
  return answer;
}

proxy.listen(0, "127.0.0.1", async () => {
  const { port } = proxy.address();
  const [atOnce, later] = [await ask(port, 0), await ask(port, 50)];
  console.log(`listener at once: ${atOnce}\nlistener after 50 ms: ${later}`);
  assert.equal(atOnce, "220 ready");
  assert.equal(later, "nothing in 2 s");
  process.exit(0);
});
JS
(cd "$dir" && node ask.cjs)
