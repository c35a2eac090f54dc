#!/usr/bin/env bash
# A server of github.com/armon/go-socks5 (e753329) with and without login never asks most clients for theirs.
#
# Guess: with UserPassAuthenticator listed before NoAuthAuthenticator, a client that has a login is asked for it, and
# one without gets in all the same. That is how identities are kept apart by login.
# Seen: the order of the server counts for nothing. The first method in the client's list that the server knows is
# taken, and nearly every client with a login lists 00 before 02 (curl, requests, Go, Node's socks, ncat). So no login
# is ever asked for, and all of them are one identity; only a client that lists 02 first, or alone, is asked.
# Output:
#   client offers 00 02: server takes 00
#   client offers 02 00: server takes 02
#   client offers 02: server takes 02
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

cat > "$dir/main.go" <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"net"

	"github.com/armon/go-socks5"
)

func main() {
	server, _ := socks5.New(&socks5.Config{
		Logger: log.New(io.Discard, "", 0),
		AuthMethods: []socks5.Authenticator{
			socks5.UserPassAuthenticator{Credentials: socks5.StaticCredentials{"alice": "x"}},
			socks5.NoAuthAuthenticator{},
		},
	})
	for _, methods := range [][]byte{{0, 2}, {2, 0}, {2}} {
		client, end := net.Pipe()
		go server.ServeConn(end)
		client.Write(append([]byte{5, byte(len(methods))}, methods...))
		answer := make([]byte, 2)
		io.ReadFull(client, answer)
		client.Close()
		fmt.Printf("client offers % x: server takes %02x\n", methods, answer[1])
	}
}
GO
cd "$dir"
export GOTOOLCHAIN=go1.26.8 GOPATH="$dir/go" GOCACHE="$dir/cache" GOFLAGS="-modcacherw -mod=mod"
go mod init ask 2> /dev/null
go get github.com/armon/go-socks5@v0.0.0-20160902184237-e75332964ef5 golang.org/x/net@v0.62.0 2> /dev/null
go run . | tee seen
diff - seen <<'OUT'
client offers 00 02: server takes 00
client offers 02 00: server takes 02
client offers 02: server takes 02
OUT
