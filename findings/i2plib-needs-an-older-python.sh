#!/usr/bin/env bash
# i2plib 0.0.14 (PyPI, the newest): each of its functions fails on Python 3.10 and up, though pip installs it there.
#
# Guess: the Python library for SAM that most examples use works with any Python 3.5 or newer, as it declares, at worst
# with a DeprecationWarning.
# Seen: it passes `loop=` to asyncio.open_connection(). Python 3.10 took the parameter out there and hands it on to the
# event loop, which raises TypeError before a byte is sent: look-ups, keys, sessions and streams, all of them. The line
# module i2plib.sam (messages, keys) does work. Debian 12 has Python 3.11.
# So: a tool that is "compatible with i2plib" has no users of it on a current system; test with what still runs.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed")'
python3 -m pip install -qq --no-warn-conflicts --target python i2plib==0.0.14

expected='get_sam_socket: TypeError, unexpected keyword argument loop
dest_lookup: TypeError, unexpected keyword argument loop
new_destination: TypeError, unexpected keyword argument loop
create_session: TypeError, unexpected keyword argument loop
connections that the bridge saw: 0'
seen=$(PYTHONPATH=python python3 - << 'END'
import asyncio, i2plib

async def main():
    seen = []
    server = await asyncio.start_server(lambda reader, writer: seen.append(writer), "127.0.0.1", 0)
    bridge = server.sockets[0].getsockname()
    for call in (i2plib.get_sam_socket(bridge), i2plib.dest_lookup("example.i2p", bridge),
                 i2plib.new_destination(bridge), i2plib.create_session("example", bridge)):
        try:
            await call
        except TypeError as error:
            print(f"{call.__name__}: TypeError,", str(error)[str(error).index("unexpected"):].replace("'", ""))
    print("connections that the bridge saw:", len(seen))

asyncio.run(main())
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
