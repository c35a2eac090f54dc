#!/usr/bin/env bash
# @diva.exchange/i2p-sam 5.5.2 (npm), txi2p-tahoe 0.3.7 (PyPI): what comes with STREAM STATUS in one read is lost.
#
# Guess: `STREAM STATUS RESULT=OK` is a line, and the bytes behind its line feed belong to the stream, however TCP cuts
# it.
# Seen: the bridge sends the line and the banner of the server (as SSH, SMTP and IRC begin) in one write. The npm
# library takes a whole read for a reply, finds RESULT to be "OK\n220", and rejects: a stream that stands is reported as
# failed. txi2p feeds the read to its grammar and drops what is left: its protocol gets nothing. With a pause between
# the two both deliver.
# So: through these libraries a server that speaks first fails now and then, by timing alone. A bridge in front of them
# (a router, a double for tests) has to send the line by itself to be kind, and must send both together to be a test.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit --prefix node @diva.exchange/i2p-sam@5.5.2
python3 -m pip install -qq --no-warn-conflicts --target python txi2p-tahoe==0.3.7 \
  Twisted==26.10.0
cat > node/client.mjs << 'END'
import { createStream } from "@diva.exchange/i2p-sam";

const [port, destination] = process.argv.slice(2);
let received = "";
try {
  const stream = await createStream({ sam: { portTCP: Number(port) }, stream: { destination } });
  stream.on("data", (data) => received += data);
} catch (error) {
  received = error.message.replaceAll("\n", "\\n");
}
setTimeout(() => {
  console.log(received.trim() || "nothing");
  process.exit();
}, 3000);
END
cat > client.py << 'END'
import sys
from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString
from twisted.internet.protocol import Factory, Protocol
from txi2p.sam import SAMI2PStreamClientEndpoint

class Client(Protocol):
    received = b""

    def dataReceived(self, data):
        Client.received += data

def end():
    print(Client.received.decode().strip() or "nothing")
    reactor.stop()

bridge = clientFromString(reactor, f"tcp:127.0.0.1:{sys.argv[1]}")
endpoint = SAMI2PStreamClientEndpoint.new(bridge, sys.argv[2], nickname="client")
endpoint.connect(Factory.forProtocol(Client)).addBoth(lambda _: reactor.callLater(3, end))
reactor.callLater(40, reactor.stop)
reactor.run()
END

expected='i2p-sam, banner later: 220 ready
i2p-sam, banner together: STREAM failed: STREAM STATUS RESULT=OK\n220 ready
txi2p, banner later: 220 ready
txi2p, banner together: nothing'
seen=$(python3 - << 'END'
import base64, os, socket, subprocess, threading, time
from contextlib import suppress

DESTINATION = base64.b64encode(bytes(387), b"-~").decode()
KEY = base64.b64encode(bytes(387 + 276), b"-~").decode()
ANSWERS = {
    "HELLO": "HELLO REPLY RESULT=OK VERSION=3.1",
    "DEST": f"DEST REPLY PUB={DESTINATION} PRIV={KEY}",
    "SESSION": f"SESSION STATUS RESULT=OK DESTINATION={KEY}",
    "NAMING": f"NAMING REPLY RESULT=OK NAME=ME VALUE={DESTINATION}",
    "STREAM": "STREAM STATUS RESULT=OK",
}

def serve(connection, pause):
    """The least of a bridge: one answer to each line, and the banner of a server behind the last one."""
    with suppress(ConnectionError):
        for line in connection.makefile():
            answer = ANSWERS[line.split()[0]].encode() + b"\n"
            if line.startswith("STREAM"):
                if pause:
                    connection.sendall(answer)
                    time.sleep(pause)
                    answer = b""
                answer += b"220 ready\r\n"
            connection.sendall(answer)

def run(command, pause):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection, pause), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        command = [*command, str(listener.getsockname()[1]), DESTINATION]
        environment = {**os.environ, "PYTHONPATH": "python"}
        return subprocess.run(command, capture_output=True, text=True, env=environment).stdout.strip()

for name, command in (("i2p-sam", ["node", "node/client.mjs"]), ("txi2p", ["python3", "client.py"])):
    for when, pause in (("later", 0.5), ("together", 0)):
        print(f"{name}, banner {when}: {run(command, pause)}")
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
