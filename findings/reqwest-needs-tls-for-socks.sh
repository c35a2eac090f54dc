#!/usr/bin/env bash
# reqwest 0.13.5 with the feature "socks" and no TLS cannot use a SOCKS proxy, and its error speaks of a scheme.
#
# Guess: an application for I2P or Tor, where streams are encrypted anyway, leaves TLS out and keeps "socks".
# Seen: it compiles, the client builds, and every request fails before a byte reaches the proxy: "invalid URL, scheme is
# not http". The URL of the site is http; what is not http is the proxy's own socks5h, which the plain connector refuses
# unless a TLS feature is on. The same code with the feature "native-tls" works. Nothing in the error names the proxy.
# Output:
#   features socks: SocksConnect … ConnectError("invalid URL, scheme is not http"), connections to the proxy: 0
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT

mkdir -p "$dir/ask/src"
cat > "$dir/ask/Cargo.toml" <<'TOML'
[package]
name = "ask"
version = "0.0.0"
edition = "2021"

[dependencies]
reqwest = { version = "=0.13.5", default-features = false, features = ["socks"] }
tokio = { version = "=1.48.0", features = ["rt", "net", "time"] }

[profile.dev]
debug = 0
TOML
cat > "$dir/ask/src/main.rs" <<'RS'
fn main() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("socks5h://{}", listener.local_addr().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(async {
        let client = reqwest::Client::builder().proxy(reqwest::Proxy::all(url).unwrap()).build().unwrap();
        client.get("http://site.i2p/").send().await.unwrap_err()
    });
    println!("{error:?}");
    println!("connections to the proxy: {}", usize::from(listener.accept().is_ok()));
}
RS
cd "$dir/ask"
CARGO_HOME="$dir/cargo" CARGO_TARGET_DIR="$dir/target" cargo run --quiet | tee seen
grep -q 'SocksConnect.*invalid URL, scheme is not http' seen
grep -qx 'connections to the proxy: 0' seen
