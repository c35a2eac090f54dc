#!/usr/bin/env bash
# The SOCKS server of "ssh -D" (OpenSSH 9.2p1) sends no failure at all: whatever goes wrong, it closes without a byte.
#
# Guess: a refused port gives reply 05, an unknown command 07, and a client that offers only a login FF.
# Seen: success is the only reply there is. For a refused port, BIND, UDP ASSOCIATE and SOCKS4 the connection ends after
# the request, and a client that offers only method 02 gets no answer to its greeting. So a client of "ssh -D" cannot
# tell "no such host" from a tunnel that broke, and what works with it need not understand any reply.
# Output:
#   open: 05 00 00 01 00000000 0000 and the peer's bytes
#   refused: '' after the method; BIND: ''; UDP ASSOCIATE: ''
#   only method 02 offered: '' to the greeting; SOCKS4, refused: ''
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

python3 -m pip install --quiet --root-user-action=ignore --target "$dir/packages" asyncssh==2.24.1
(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download openssh-client=1:9.2p1-2+deb12u10)
dpkg -x "$dir"/openssh-client_*.deb "$dir/unpacked"

PYTHONPATH="$dir/packages" python3 - "$dir/unpacked/usr/bin/ssh" <<'PY'
import asyncio, socket, sys
import asyncssh

class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False

    def connection_requested(self, *_):
        return True

async def peer(_, writer):
    writer.write(b"peer")
    writer.close()

async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(Server, "127.0.0.1", 0, server_host_keys=[key])
    target = await asyncio.start_server(peer, "127.0.0.1", 0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ssh = await asyncio.create_subprocess_exec(
        sys.argv[1], "-F", "/dev/null", "-N", "-D", f"127.0.0.1:{port}",
        "-p", str(server.sockets[0].getsockname()[1]),
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        "user@127.0.0.1",
    )

    async def ask(label, expected, *messages):
        for _ in range(100):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
        if len(messages) > 1:
            writer.write(messages[0])
            assert await reader.readexactly(2) == b"\x05\x00"
        writer.write(messages[-1])
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        print(f"{label}: {answer.hex(' ')!r}")
        assert answer == expected

    def request(command, number):
        return bytes([5, command, 0, 1, 127, 0, 0, 1]) + number.to_bytes(2, "big")

    none = b"\x05\x01\x00"
    try:
        opened = b"\x05\x00\x00\x01" + bytes(6) + b"peer"
        await ask("open", opened, none, request(1, target.sockets[0].getsockname()[1]))
        await ask("refused", b"", none, request(1, 1))
        await ask("BIND", b"", none, request(2, 1))
        await ask("UDP ASSOCIATE", b"", none, request(3, 0))
        await ask("only method 02 offered", b"", b"\x05\x01\x02")
        await ask("SOCKS4, refused", b"", bytes([4, 1, 0, 1, 127, 0, 0, 1, 0]))
    finally:
        ssh.terminate()
        await ssh.wait()

asyncio.run(main())
PY
