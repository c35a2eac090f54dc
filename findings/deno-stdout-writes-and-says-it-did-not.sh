#!/usr/bin/env bash
# Deno 2.9.6 (npm): Deno.stdout.write() that throws WouldBlock may have taken all of its bytes.
#
# Guess: where stdout is a pipe that is set not to block (O_NONBLOCK), and full, write() throws WouldBlock and has
# written nothing, as write(2) does; or it writes a part, and returns how much. Either way the program tries again with
# the rest.
# Seen: the runtime writes what stands before the last line feed, keeps the rest in a buffer of its own, and fails to
# flush that. It throws, although every byte is on its way; the next write begins with what was kept. Who tries again
# sends the bytes twice. Bytes without a line feed, a kilobyte and more at once, go around the buffer. Deno.stderr has
# no buffer: there the error means that nothing was written.
# So: a program that carries bytes through Deno.stdout cannot go on behind WouldBlock. SOCKS helpers that ssh starts are
# such programs; who starts one leaves its end of the pipe alone, or puts cat between.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
npm install --silent --no-fund --no-audit --prefix node deno@2.9.6
deno=node/node_modules/.bin/deno

cat > write.ts << 'END'
// One of two, and as much as is free in the pipe but one byte.
const [name, fill] = Deno.args;
const output = name === "stdout" ? Deno.stdout : Deno.stderr;
const filler = new Uint8Array(Number(fill)).fill(46);
for (let written = 0; written < filler.length;) written += await output.write(filler.subarray(written));
const piece = new TextEncoder().encode("\ntail");
let thrown = "nothing";
let returned = 0;
try {
  returned = await output.write(piece);
} catch (error) {
  thrown = (error as Error).name;
}
await Deno.writeTextFile(`told-${name}`, `${thrown}, returned ${returned}`);
// The reader makes room.
while (!await Deno.stat(`read-${name}`).then(() => true, () => false)) await new Promise((r) => setTimeout(r, 20));
await output.write(piece.subarray(returned));
END

cat > run.py << 'END'
import fcntl, os, subprocess, sys, time

def run(deno, name):
    """Has a program write into a pipe that does not block, and has one byte free; then reads all of it."""
    reader, writer = os.pipe()
    size = fcntl.fcntl(writer, 1032)  # F_GETPIPE_SZ
    fcntl.fcntl(writer, fcntl.F_SETFL, fcntl.fcntl(writer, fcntl.F_GETFL) | os.O_NONBLOCK)
    args = [deno, "run", "--quiet", "--no-prompt", "--allow-read=.", "--allow-write=.", "write.ts", name, str(size - 1)]
    child = subprocess.Popen(args, **{name: writer, "stdin": subprocess.DEVNULL})
    os.close(writer)
    for _ in range(1500):
        if os.path.exists("told-" + name):
            break
        time.sleep(0.02)
    told = open("told-" + name).read()
    got = os.read(reader, size)
    open("read-" + name, "w").close()
    while chunk := os.read(reader, size):
        got += chunk
    child.wait(30)
    return f"{name}: threw {told}; after a second try the reader has {got.lstrip(b'.')!r}"

for name in ("stdout", "stderr"):
    print(run(sys.argv[1], name))
END
expected='stdout: threw WouldBlock, returned 0; after a second try the reader has b'"'"'\ntail\ntail'"'"'
stderr: threw WouldBlock, returned 0; after a second try the reader has b'"'"'\ntail'"'"''
seen=$(python3 run.py "$deno")
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
