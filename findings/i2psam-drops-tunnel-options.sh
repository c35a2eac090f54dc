#!/usr/bin/env bash
# i2psam 1.0.0 (PyPI): options of a session are taken and never sent; its two hosts cannot be set at all.
#
# Guess: `client.session(id, destination, style, **options)` puts what it is given on the line of SESSION CREATE, as
# every SAM library does: lengths and quantities of tunnels, names, lease set options. A host is text.
# Seen: the model of the command ignores fields that it does not know, and it knows none of I2CP's. inbound.length and
# the like vanish in silence, so a session that asks for zero hops, or for one tunnel, gets three hops and the router's
# quantities. HOST is declared a number, so datagram sessions that name one, as create_datagram() does by default, end
# in a validation error; the bridge's own `host` becomes an address object, which asyncio cannot look up: only the
# default, which is left alone, works.
# So: read back what a library sends before trusting its options; a real router answers OK to the line without them.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m pip install -qq --no-warn-conflicts --target python i2psam==1.0.0 pydantic==2.14.4

expected='SESSION CREATE STYLE=STREAM ID=x DESTINATION=TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4,0
HOST=127.0.0.1: Input should be a valid integer, unable to parse string as an integer
SAMConfig(host="127.0.0.1"): TypeError'
seen=$(PYTHONPATH=python python3 - << 'END'
import asyncio
from i2psam import SAMClient, SAMConfig
from pydantic import ValidationError

async def main():
    sent = []

    async def bridge(reader, writer):
        while line := (await reader.readline()).decode().strip():
            sent.append(line)
            writer.write({
                "HELLO": b"HELLO REPLY RESULT=OK VERSION=3.0\n",
                "SESSION": b"SESSION STATUS RESULT=OK DESTINATION=x\n",
            }[line.split()[0]])
        writer.close()

    server = await asyncio.start_server(bridge, "127.0.0.1", 0)
    client = SAMClient(SAMConfig(port=server.sockets[0].getsockname()[1]))
    options = {"inbound.length": 0, "outbound.length": 0, "inbound.quantity": 1, "inbound.nickname": "x"}
    async with client.session("x", "TRANSIENT", **options):
        print(sent[-1])
    try:
        async with client.session("y", "TRANSIENT", HOST="127.0.0.1", PORT=7000):
            print(sent[-1])
    except ValidationError as error:
        print("HOST=127.0.0.1:", error.errors()[0]["msg"])
    try:
        async with SAMClient(SAMConfig(host="127.0.0.1", port=client.cfg.port)).connection():
            print("connected")
    except TypeError:
        print('SAMConfig(host="127.0.0.1"): TypeError')

asyncio.run(main())
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
