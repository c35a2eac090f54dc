#!/usr/bin/env bash
# microsocks 1.0.3 refuses a SOCKS5 client whose greeting or request comes in two TCP segments.
#
# Guess: a server reads until a message is whole, since TCP keeps no borders.
# Seen: what one recv() brings is taken for the whole message. A greeting cut after its first two octets gets FF, "no
# acceptable method", and a request cut after its header gets reply 01, "general failure": neither has anything to do
# with the cause. Clients that write field by field (as a test of a server should, once) fail with it and work with
# others, and the replies send their authors looking in the wrong place.
# Output:
#   whole: 0500, then reply 00
#   greeting in two segments: 05ff
#   request in two segments: 0500, then reply 01
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download microsocks=1.0.3-2)
dpkg -x "$dir"/microsocks_*.deb "$dir/unpacked"

python3 - "$dir/unpacked/usr/bin/microsocks" <<'PY'
import socket, subprocess, sys, time

target = socket.create_server(("127.0.0.1", 0))
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
server = subprocess.Popen([sys.argv[1], "-i", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)

def connect():
    for _ in range(100):
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=10)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return client
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit("microsocks does not listen")

def ask(*messages):
    answers = []
    with connect() as client:
        for parts in messages:
            for part in parts:
                client.sendall(part)
                time.sleep(0.3)
            answers.append(client.recv(100).hex())
    print(messages, answers)
    return answers

greeting = b"\x05\x01\x00"
request = b"\x05\x01\x00\x01\x7f\x00\x00\x01" + target.getsockname()[1].to_bytes(2, "big")
try:
    assert [answer[:4] for answer in ask([greeting], [request])] == ["0500", "0500"]
    assert ask([greeting[:2], greeting[2:]]) == ["05ff"]
    assert [answer[:4] for answer in ask([greeting], [request[:4], request[4:]])] == ["0500", "0501"]
finally:
    server.kill()
    server.wait()
PY
