#!/usr/bin/env bash
# libtorrent 2.0.11 (PyPI; the engine of qBittorrent and Deluge): a SAM session that ends is never made again.
#
# Guess: when the router restarts, the control socket of the session ends, and a program that runs for months connects
# again after a while, as it does with a tracker.
# Seen: an alert says that the connection failed, and half a minute after both of its sockets ended no new one has come
# (nor in five minutes, tried once). The torrent client stays up, without I2P.
# So: whoever offers SAM to it (or stands between it and a router) must keep its control socket over a restart of the
# router, or tell the user; the application will not come back by itself.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m pip install -qq --no-warn-conflicts --target python libtorrent==2.0.11

expected='before: HELLO VERSION, SESSION CREATE, NAMING LOOKUP, HELLO VERSION, STREAM ACCEPT
alert: i2p SAM connection failure: End of file
connections in 30 seconds after that: 0'
seen=$(PYTHONPATH=python python3 - << 'END'
import socket, threading, time
import libtorrent

lines, connections = [], []

def serve(connection):
    """The least of a bridge: one answer to each line."""
    connections.append(connection)
    for line in connection.makefile():
        lines.append(" ".join(line.split()[:2]))
        connection.sendall({
            "HELLO": b"HELLO REPLY RESULT=OK VERSION=3.1\n",
            "SESSION": b"SESSION STATUS RESULT=OK DESTINATION=" + b"A" * 884 + b"\n",
            "NAMING": b"NAMING REPLY RESULT=OK NAME=ME VALUE=" + b"A" * 516 + b"\n",
            "STREAM": b"STREAM STATUS RESULT=OK\n",
        }[line.split()[0]])

def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=accept, daemon=True).start()
session = libtorrent.session({
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "i2p_hostname": "127.0.0.1",
    "i2p_port": listener.getsockname()[1],
    "alert_mask": libtorrent.alert.category_t.all_categories,
})
limit = time.monotonic() + 30
while len(lines) < 5 and time.monotonic() < limit:
    time.sleep(0.1)
print("before:", ", ".join(lines))
session.pop_alerts()
before = len(connections)
for connection in connections[:]:
    connection.shutdown(socket.SHUT_RDWR)
time.sleep(30)
for alert in session.pop_alerts():
    if "SAM" in alert.message():
        print("alert:", alert.message())
print("connections in 30 seconds after that:", len(connections) - before)
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
