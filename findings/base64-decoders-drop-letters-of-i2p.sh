#!/usr/bin/env bash
# Node 20, Python 3.11 (and node:buffer of Deno 2.9.6): decoders of base64 skip I2P's letters `-` and `~`.
#
# Guess: a decoder of base64 that meets a letter of another alphabet says so. I2P writes `-` and `~` for `+` and `/`.
# Seen: Node's Buffer.from(key, "base64") reads `-` as I2P means it (it takes both of RFC 4648's alphabets) and skips
# `~`, so the result is short and everything behind the first `~` has moved. Python's b64decode() skips both letters,
# its urlsafe_b64decode() reads `-` and skips `~`. None of them raises; some keys have no `~` in a place that matters
# and pass tests. With the right letters, b64decode(key, b"-~", validate=True) takes `+` and `/` all the same.
# So: translate the letters first, and check the length of what comes out; a wrong hash is a right-looking address.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

expected='node: - is 3 bytes fbefbe, ~ is 0 bytes
python b64decode: - is 0 bytes, ~ is 0 bytes
python urlsafe_b64decode: - is 3 bytes fbefbe, ~ is 0 bytes
python b64decode with -~, validate: - is 3 bytes fbefbe, ~ is 3 bytes ffffff, + is 3 bytes fbefbe, / is 3 bytes ffffff'
seen=$(
  node << 'END'
const read = (letter) => {
  const bytes = Buffer.from(letter.repeat(4), "base64");
  return `${letter} is ${bytes.length} bytes ${bytes.toString("hex")}`.trim();
};
console.log("node:", [..."-~"].map(read).join(", "));
END
  python3 << 'END'
import base64

def show(name, decode, letters="-~"):
    read = {letter: decode(letter * 4) for letter in letters}
    words = [f"{letter} is {len(data)} bytes {data.hex()}".strip() for letter, data in read.items()]
    print(f"python {name}:", ", ".join(words))

show("b64decode", base64.b64decode)
show("urlsafe_b64decode", base64.urlsafe_b64decode)
show("b64decode with -~, validate", lambda text: base64.b64decode(text, b"-~", validate=True), "-~+/")
END
)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
