import { INPUT_FILE_OPTIONS, type ServiceOption, wordOf } from "./service_option.ts";

/** Options of serve that `check` needs to find the same bridge. */
const OF_THE_BRIDGE = ["sam", "sam-user", "sam-password-file"];

/**
 * A Containerfile around the executable.
 *
 * The health check looks at the SAM bridge only: one that builds tunnels each time would cost the network too much.
 */
export function containerText(options: readonly ServiceOption[]): string {
  const inside = options.filter(({ name }) => name !== "keys-dir").map(inContainer);
  const bridge = inside.filter(({ name }) => OF_THE_BRIDGE.includes(name));
  const files = options.filter(({ name }) => INPUT_FILE_OPTIONS.includes(name));
  return [
    "# i2p-socks in a container. The executable i2p-socks (for Linux) lies beside this file:",
    "#   podman build --format docker -t i2p-socks .",
    "#   podman run -d --name i2p-socks --restart on-failure --network container:i2pd --read-only \\",
    ...files.map(({ name, value }) => `#     -v ${value}:${pathOf(name)}:ro \\`),
    "#     -v i2p-socks-keys:/var/lib/i2p-socks i2p-socks",
    "# Router, proxy and application must have one loopback in common, since the program speaks on no other address: the",
    "# network of one container for all of them (as above), one pod, or --network host. The router may start later: until",
    "# it is there, the program is started again. Files must be readable for the user 65532.",
    "# Images of OCI's format have no health check, so podman is told the other one.",
    "FROM docker.io/library/debian:12-slim",
    "COPY --chmod=0755 i2p-socks /usr/local/bin/i2p-socks",
    "RUN install -d -m 0700 -o 65532 -g 65532 /var/lib/i2p-socks",
    "ENV I2P_SOCKS_KEYS_DIR=/var/lib/i2p-socks/keys",
    "VOLUME /var/lib/i2p-socks",
    "USER 65532:65532",
    "STOPSIGNAL SIGTERM",
    "HEALTHCHECK --interval=1m --timeout=20s --start-period=1m \\",
    `  CMD ${exec(["/usr/local/bin/i2p-socks", "check", "--no-session", "--timeout=15s", ...bridge.map(wordOf)])}`,
    `ENTRYPOINT ${exec(["/usr/local/bin/i2p-socks"])}`,
    `CMD ${exec(["serve", ...inside.map(wordOf)])}`,
  ].join("\n");
}

function inContainer(option: ServiceOption): ServiceOption {
  return INPUT_FILE_OPTIONS.includes(option.name) ? { ...option, value: pathOf(option.name) } : option;
}

function pathOf(name: string): string {
  return `/etc/i2p-socks/${name}`;
}

/** A command without a shell, as JSON. */
function exec(words: readonly string[]): string {
  return JSON.stringify(words).replaceAll('","', '", "');
}
