#!/usr/bin/env bash
# yosemite 0.7.0 (crates.io): most of its documented options never reach the router.
#
# Guess: what SessionOptions has as a documented field with a default is written into SESSION CREATE (or HELLO, for the
# login).
# Seen: of some fifty fields a handful are written. A login, signature_type, lease_set_type, encrypt_lease_set,
# reduce_on_idle, close_on_idle, gzip, the nicknames and the variances of tunnels are not, in whatever way they are set:
# SIGNATURE_TYPE is always 7, the lease set always public. The session is made all the same.
# So: an application that asks for an encrypted lease set gets a public one; look at the line, not at the struct.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export CARGO_HOME=$dir/cargo
mkdir src
cat > Cargo.toml << 'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
yosemite = { version = "=0.7.0", default-features = false, features = ["sync"] }
END
cat > src/main.rs << 'END'
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use yosemite::{style::Stream, Session, SessionOptions};

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let options = SessionOptions {
            nickname: "x".to_string(),
            samv3_tcp_port: port,
            username: Some("user".to_string()),
            password: Some("password".to_string()),
            signature_type: 11,
            lease_set_enc_type: Some("4,0".to_string()),
            lease_set_type: 5,
            encrypt_lease_set: true,
            reduce_on_idle: true,
            close_on_idle: true,
            gzip: false,
            inbound_nickname: Some("name".to_string()),
            inbound_len_variance: 1,
            inbound_len: 1,
            ..Default::default()
        };
        let _ = Session::<Stream>::new(options);
    });
    let mut connection = listener.accept().unwrap().0;
    let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
    println!("{}", lines.next().unwrap().unwrap());
    connection.write_all(b"HELLO REPLY RESULT=OK VERSION=3.3\n").unwrap();
    println!("{}", lines.next().unwrap().unwrap());
}
END
cargo build --quiet

expected='HELLO VERSION
SESSION CREATE STYLE=STREAM ID=x DESTINATION=TRANSIENT i2cp.leaseSetEncType=4,0
inbound.length=1 inbound.quantity=2
outbound.length=3 outbound.quantity=2
SIGNATURE_TYPE=7'
seen=$(target/debug/finding | sed -E 's/ ((in|out)bound.length|SIGNATURE)/\n\1/g')
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
