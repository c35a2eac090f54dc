#!/usr/bin/env bash
# A SOCKS server built on github.com/armon/go-socks5 (e753329) looks a name up before it calls the Dial set for it.
#
# Guess: Config.Dial, the hook for reaching a destination in another way, gets the name that the client sent.
# Seen: the name goes to the system's resolver first, and Dial gets the address. A name of another network fails with
# reply 04 before Dial is called, and every name of the clearnet leaks to the resolver although Dial would have used a
# tunnel. A Resolver that answers with no address and no error, set beside Dial, is what keeps the name. "localhost"
# stands for a name that is looked up on the machine.
# Output:
#   Dial alone: client asked for localhost:80, Dial got 127.0.0.1:80
#   Dial and such a Resolver: client asked for localhost:80, Dial got localhost:80
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

cat > "$dir/main.go" <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/armon/go-socks5"
)

type keepName struct{}

func (keepName) Resolve(ctx context.Context, _ string) (context.Context, net.IP, error) { return ctx, nil, nil }

func ask(config *socks5.Config) {
	config.Logger = log.New(io.Discard, "", 0)
	config.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
		fmt.Println("Dial got", address)
		return nil, errors.New("host is down")
	}
	server, _ := socks5.New(config)
	client, end := net.Pipe()
	go server.ServeConn(end)
	client.Write([]byte{5, 1, 0})
	io.ReadFull(client, make([]byte, 2))
	client.Write(append([]byte("\x05\x01\x00\x03\x09localhost"), 0, 80))
	reply := make([]byte, 10)
	io.ReadFull(client, reply)
	fmt.Println("reply", reply[1])
}

func main() {
	ask(&socks5.Config{})
	ask(&socks5.Config{Resolver: keepName{}})
}
GO
cd "$dir"
export GOTOOLCHAIN=go1.26.8 GOPATH="$dir/go" GOCACHE="$dir/cache" GOFLAGS="-modcacherw -mod=mod"
go mod init ask 2> /dev/null
go get github.com/armon/go-socks5@v0.0.0-20160902184237-e75332964ef5 golang.org/x/net@v0.62.0 2> /dev/null
go run . | tee seen
diff - seen <<'OUT'
Dial got 127.0.0.1:80
reply 4
Dial got localhost:80
reply 4
OUT
