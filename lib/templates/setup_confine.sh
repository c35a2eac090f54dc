#!/bin/sh
# Runs a program in a network namespace with loopback only, where 127.0.0.1:PORT leads to i2p-socks and nothing leads
# anywhere else. Linux; needs socat, ip, setpriv, and bubblewrap or unshare (util-linux 2.38).
#   sh i2p-run [--port PORT] [--proxy ADDRESS] [--no-desktop] [--report] [--print-only] [--] PROGRAM [ARGUMENT...]
# The exit code is the program's, 128 + N after signal N, 125 if it could not be confined. What it leaves running ends
# with it. What this does not stop (files, other programs that it asks): i2p-socks help confine
set -u
PATH=$PATH:/usr/sbin:/sbin

# Where i2p-socks serves, and the port that leads there from inside.
proxy=127.0.0.1:4447
port=4447
report=no
desktop=yes
printing=no

usage="usage: sh $0 [--port PORT] [--proxy ADDRESS] [--no-desktop] [--report] [--print-only] [--] PROGRAM [ARGUMENT...]
  --port PORT      port of 127.0.0.1 that leads to the proxy, inside ($port)
  --proxy ADDRESS  where i2p-socks serves: HOST:PORT or unix:PATH ($proxy)
  --no-desktop     hide the sockets of /run and of X: desktop, D-Bus, sound, keys, containers
  --report         say at the end what the program tried beside the proxy; needs nft and ip
  --print-only     print the commands, and run nothing"

fail() {
  printf 'i2p-run: %s\n' "$@" >&2
  exit 125
}

has() {
  command -v "$1" >/dev/null 2>&1
}

need() {
  has "$1" || fail "$1 is missing (Debian: apt install $2)"
}

# Folders with sockets of programs that look names up for others, or that do anything else for them.
hidden() {
  if [ "$desktop" = no ]; then
    set -- /run /tmp/.X11-unix /tmp/.ICE-unix
  else
    set -- /run/systemd/resolve /run/nscd /run/avahi-daemon
  fi
  for folder; do
    if [ -d "$folder" ] && [ ! -L "$folder" ]; then echo "$folder"; fi
  done
}

# Whether signals that are ignored here need not be in the program.
resets() {
  env --default-signal=INT true 2>/dev/null
}

# Waits, five seconds at most, until a command succeeds.
await() {
  tries=0
  until "$@" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || return 1
    sleep 0.05
  done
}

# The exit code of a child; a signal to this shell interrupts wait, and then the child is still there.
finish() {
  while :; do
    wait "$1"
    code=$?
    kill -0 "$1" 2>/dev/null || return "$code"
  done
}

# What leaves for elsewhere is noted by the kernel, and refused as if there were no way.
watch() {
  ip route add default dev lo src 127.0.0.1 &&
    { ip -6 route add default dev lo 2>/dev/null || :; } &&
    nft -f - <<END
table inet i2p_run {
  set four { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 4096; }
  set six { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 4096; }
  chain out {
    type filter hook output priority 0;
    ip daddr 127.0.0.0/8 meta l4proto { tcp, udp } th dport 53 add @four { ip daddr . meta l4proto . th dport }
    ip daddr 127.0.0.0/8 accept
    ip6 daddr ::1 accept
    meta l4proto ipv6-icmp icmpv6 type != echo-request accept
    ip version 4 meta l4proto { tcp, udp } add @four { ip daddr . meta l4proto . th dport }
    ip version 4 meta l4proto != { tcp, udp } add @four { ip daddr . meta l4proto . 0 }
    ip6 version 6 meta l4proto { tcp, udp } add @six { ip6 daddr . meta l4proto . th dport }
    ip6 version 6 meta l4proto != { tcp, udp } add @six { ip6 daddr . meta l4proto . 0 }
    meta l4proto tcp reject with tcp reset
    reject with icmpx type no-route
  }
}
END
}

tell() {
  tried=$(for set in four six; do nft -n list set inet i2p_run "$set"; done | tr '{},' '[\n*]' |
    sed -n 's/.*[[:space:]]\([0-9a-f.:]*\) \. \([0-9]*\) \. \([0-9]*\).*/  protocol \2 to \1 port \3/p' |
    sed 's/protocol 6 /tcp /; s/protocol 17 /udp /; s/ port 0$//' | sort -u)
  if [ -z "$tried" ]; then
    echo "i2p-run: the program tried nothing beside the proxy" >&2
  else
    printf 'i2p-run: beside the proxy the program tried, in vain:\n%s\n' "$tried" >&2
  fi
}

# shellcheck disable=SC2317 # await calls it
listens() {
  grep -q "0100007F:$(printf %04X "$port") 00000000:0000 0A" /proc/net/tcp
}

# The first process of the namespace: it bridges, starts the program, hands signals on, and ends when the program has.
inside() {
  how=$1 dir=$2 port=$3 report=$4 desktop=$5
  shift 5
  if [ "$how" = unshare ]; then
    for folder in $(hidden); do
      mount -n -t tmpfs -o mode=755 none "$folder" || fail "cannot hide $folder"
    done
  fi
  # The second address: where 127.0.0.1 is the only one, the C library does not even take 127.0.0.1 for an address of
  # this machine when a program asks it for such (AI_ADDRCONFIG).
  if ! ip link set lo up || ! ip address add 127.0.0.2/8 dev lo; then fail "cannot bring loopback up"; fi
  if [ "$report" = yes ]; then watch || fail "nft cannot watch here: run it without --report"; fi
  if [ "$desktop" = no ]; then
    unset DISPLAY WAYLAND_DISPLAY XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK
  fi
  socat -t 180 "TCP4-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr,backlog=128" "UNIX-CONNECT:$dir/socks" \
    </dev/null >/dev/null 2>&1 &
  await listens || fail "cannot listen on 127.0.0.1:$port inside"
  # A browser that root runs needs the one that stays, to make namespaces for its own sandbox; others do not get it.
  set -- setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all,+setfcap -- "$@"
  if resets; then set -- env --default-signal=HUP,INT,QUIT,TERM "$@"; fi
  exec 3<&0
  "$@" <&3 3<&- &
  program=$!
  exec 3<&-
  # The end of this file is the end of whoever started all this.
  {
    while read -r signal; do kill -s "$signal" "$program" 2>/dev/null; done
    kill -s KILL -- -1
  } <"$dir/signals" &
  finish "$program"
  code=$?
  if [ "$report" = yes ]; then tell; fi
  exit "$code"
}

if [ "${1-}" = --inside ]; then
  shift
  inside "$@"
fi

while [ $# -gt 0 ]; do
  case $1 in
    --port | --proxy) [ $# -gt 1 ] || fail "$1 needs a value" ;;
  esac
  case $1 in
    --port)
      port=$2
      shift
      ;;
    --proxy)
      proxy=$2
      shift
      ;;
    --report) report=yes ;;
    --no-desktop) desktop=no ;;
    --print-only) printing=yes ;;
    --help)
      printf '%s\n' "$usage"
      exit 0
      ;;
    --)
      shift
      break
      ;;
    -*) fail "unknown option $1" "$usage" ;;
    *) break ;;
  esac
  shift
done
case $port in
  "" | 0* | *[!0-9]* | ??????*) fail "port $port is not a number from 1 to 65535" ;;
esac
if [ "$port" -gt 65535 ]; then fail "port $port is not a number from 1 to 65535"; fi
case $proxy in
  unix:/*) outside=UNIX-CONNECT:${proxy#unix:} ;;
  127.0.0.1:*) outside=TCP4:$proxy ;;
  "[::1]:"*) outside=TCP6:$proxy ;;
  *) fail "$proxy is not 127.0.0.1:PORT, [::1]:PORT or unix:/PATH" ;;
esac
[ $# -gt 0 ] || fail "which program?" "$usage"

# Sets the words that start what follows them in the namespace, by one of the ways.
enclose() {
  way=$1
  shift
  case $way in
    bubblewrap)
      for folder in $(hidden); do set -- --tmpfs "$folder" "$@"; done
      # The script needs privileges for the namespace; the program does not get them.
      set -- bwrap --unshare-user --unshare-net --unshare-pid --as-pid-1 --die-with-parent --cap-drop ALL \
        --cap-add CAP_NET_ADMIN --cap-add CAP_SETPCAP --cap-add CAP_SETFCAP --dev-bind / / --proc /proc "$@"
      ;;
    unshare)
      set -- unshare --user --map-current-user --keep-caps --net --mount --pid --fork --kill-child --mount-proc "$@"
      ;;
    unshare-root) set -- unshare --net --mount --pid --fork --kill-child --mount-proc "$@" ;;
  esac
  "$launch" "$@"
}

# Prints words so that a shell takes them as they are.
show() {
  for word; do printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done
  echo
}

ways=unshare
if has bwrap; then ways="bubblewrap unshare"; fi

if [ "$printing" = yes ]; then
  launch=show
  dir=DIRECTORY
  show socat -t 180 "UNIX-LISTEN:$dir/socks,fork,mode=600" "$outside"
  enclose "${ways%% *}" sh "$0" --inside "${ways%% *}" "$dir" "$port" "$report" "$desktop" "$@"
  exit 0
fi

[ "$(uname)" = Linux ] || fail "this needs the namespaces of Linux"
need socat socat
need setpriv util-linux
need ip iproute2
[ "$report" = no ] || need nft nftables
[ "$(id -u)" -ne 0 ] || ways="$ways unshare-root"
launch="exec"
how=
for way in $ways; do
  if (enclose "$way" true) >/dev/null 2>&1; then
    how=$way
    break
  fi
done
[ -n "$how" ] || fail "cannot make a network namespace, by none of: $ways." \
  "Does the kernel let users have namespaces? sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone," \
  "kernel.apparmor_restrict_unprivileged_userns; a container has to permit it. Else run this as root," \
  "with setpriv --reuid in front of the program. bubblewrap is the way that most systems permit."

socat -u OPEN:/dev/null "$outside" 2>/dev/null ||
  echo "i2p-run: nobody answers at $proxy yet: is i2p-socks running there?" >&2

dir=$(mktemp -d "${TMPDIR:-/tmp}/i2p-run.XXXXXX") || fail "cannot make a temporary folder"
if ! mkfifo "$dir/signals" "$dir/alive"; then
  rm -rf "$dir"
  fail "cannot make a pipe in $dir"
fi
# Open both ways, so that nobody waits for the other end. Nobody else has these: they end when this shell does.
exec 8<>"$dir/alive" 9<>"$dir/signals"
setsid socat -t 180 "UNIX-LISTEN:$dir/socks,fork,mode=600,backlog=128" "$outside" </dev/null >/dev/null 2>&1 8>&- 9>&- &
bridge=$!
# However this shell ends, the bridge ends too, with its children.
(
  exec 8>&- 9>&-
  trap '' HUP INT QUIT TERM
  read -r _ <"$dir/alive"
  kill -s TERM -- "-$bridge"
  rm -rf "$dir"
) >/dev/null 2>&1 &
guard=$!
leave() {
  exec 8>&- 9>&-
  finish "$guard"
  exit "$1"
}
await test -S "$dir/socks" || { echo "i2p-run: socat cannot listen in $dir" >&2 && leave 125; }

for signal in HUP TERM USR1 USR2; do
  # shellcheck disable=SC2064 # it is this signal
  trap "echo $signal >&9" "$signal"
done
# A terminal sends these to the program itself.
if [ -t 0 ]; then
  trap : INT QUIT
else
  trap 'echo INT >&9' INT
  trap 'echo QUIT >&9' QUIT
fi
exec 3<&0
(
  # A signal for all of the terminal must not end the namespace before the program has taken it.
  if resets; then trap '' HUP INT QUIT TERM; fi
  enclose "$how" sh "$0" --inside "${how%-root}" "$dir" "$port" "$report" "$desktop" "$@"
) <&3 3<&- 8>&- 9>&- &
confined=$!
exec 3<&-
finish "$confined"
leave "$?"
