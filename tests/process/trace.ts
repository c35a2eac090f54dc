import { PROJECT } from "../support/command.ts";

/** The calls that {@linkcode findEscapes} judges, as `strace -e` takes them. */
export const TRACED = "trace=%network,%file,io_uring_setup";

/**
 * strace beside a program (`-D`), so that signals reach the program, with all its threads and children (`-f`) and the
 * paths of descriptors (`-y`).
 */
export function straceTo(file: string): string[] {
  return ["strace", "-D", "-f", "-y", "-s", "300", "-e", TRACED, "-o", file];
}

/** A file that a program may touch, or a folder with all that is in it. */
export interface AllowedPath {
  /** The file; a folder ends with a slash. */
  path: string;
  /** Why it is needed. */
  reason: string;
}

/** Files of any program of the runtime, an executable too. */
export const RUNTIME_PATHS: readonly AllowedPath[] = [
  { path: "/etc/ld.so.preload", reason: "the system's linker" },
  { path: "/etc/ld.so.cache", reason: "the system's linker" },
  { path: "/lib/", reason: "shared libraries of the C runtime" },
  { path: "/lib64/", reason: "shared libraries of the C runtime" },
  { path: "/usr/lib/", reason: "shared libraries of the C runtime" },
  { path: "/dev/urandom", reason: "seeds of hash tables" },
  { path: "/dev/null", reason: "counting the file descriptors that are free" },
  { path: "/proc/self/exe", reason: "where the executable is" },
  { path: "/proc/self/maps", reason: "where the stack is" },
  { path: "/proc/self/cgroup", reason: "how many threads are worth while" },
  { path: "/proc/self/mountinfo", reason: "how many threads are worth while" },
  { path: "/proc/meminfo", reason: "how large the heap may grow" },
  { path: "/proc/cpuinfo", reason: "what the processor can do" },
  { path: "/proc/sys/kernel/osrelease", reason: "whether the kernel is one of WSL" },
  { path: "/proc/sys/vm/overcommit_memory", reason: "whether the C library may give memory of a heap back" },
  { path: "/sys/fs/cgroup/", reason: "how many threads are worth while" },
  { path: "/sys/devices/system/cpu/", reason: "how many threads are worth while, and the clock" },
  { path: "/sys/kernel/mm/", reason: "the size of pages" },
  { path: "/etc/localtime", reason: "the time zone of dates" },
  { path: "/etc/passwd", reason: "what the leak guard looks for, where no variable names the user" },
  { path: "/usr/share/zoneinfo/", reason: "the time zone of dates" },
];

/**
 * Files of `deno run`, which looks for modules, their settings and its cache before the program starts.
 *
 * @param module the absolute path of the main module.
 */
export function sourcePaths(module: string = `${PROJECT}main.ts`): AllowedPath[] {
  const home = Deno.env.get("HOME") ?? "";
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}/deno`;
  const settings = ["deno.json", "deno.jsonc", "package.json", ".npmrc", "node_modules/.bin/node"];
  return [
    { path: Deno.execPath(), reason: "the runtime itself" },
    { path: `${cache}/`, reason: "its cache of compiled modules and packages" },
    { path: module, reason: "the main module" },
    { path: `${PROJECT}lib/`, reason: "modules" },
    { path: `${PROJECT}deno.lock`, reason: "versions of packages" },
    { path: `${PROJECT}tsconfig.json`, reason: "settings of modules" },
    { path: `${home}/.npmrc`, reason: "settings of packages" },
    ...ancestors(module).flatMap((folder) =>
      settings.map((name) => ({ path: `${folder}${name}`, reason: "settings of modules, looked for upwards" }))
    ),
    // Packages of npm may want another runtime.
    ...(Deno.env.get("PATH") ?? "").split(":").map((folder) => ({ path: `${folder}/node`, reason: "where Node is" })),
  ];
}

/** Files of an executable: itself, and nothing else. Its code cache, which would be in a shared folder, is off. */
export function executablePaths(executable: string): AllowedPath[] {
  return [{ path: executable, reason: "the program itself" }];
}

/** Calls that only look whether a path is there: where a path is resolved, the folders above are looked at as well. */
const LOOKS = /^(l?stat|statx|newfstatat|access|faccessat2?|readlink|readlinkat)$/;

/** Calls of sockets; all others that are traced take a path. */
const NETWORK = /^(socket|socketpair|connect|accept4?|bind|listen|send\w*|recv\w*|get\w+name|[gs]etsockopt|shutdown)$/;

/** Calls that take two paths. */
const PAIRS = /^(rename|link|symlink)/;

/** Calls that name an address, of those that send something or open a way in. */
const ADDRESSED = /^(connect|bind|sendto|sendmsg|sendmmsg)$/;

/**
 * What a program did that it ought not to, from what strace wrote: an address off loopback, port 53 anywhere, a socket
 * that is no TCP, a local service (but `sockets` may be listened on and connected to), a file that is not among those allowed, another program, or calls that strace would
 * not see. Each with its line; failed calls count like others.
 */
export function findEscapes(
  trace: string,
  allowed: readonly AllowedPath[],
  sockets: readonly string[] = [],
): string[] {
  const escapes: string[] = [];
  for (const line of trace.split("\n")) {
    const [, call, rest = ""] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    if (call === undefined) continue;
    const what = networkEscape(call, withoutTexts(withoutSockets(rest, sockets)), sockets.length > 0) ??
      fileEscape(call, rest, allowed);
    if (what !== undefined) escapes.push(`${what}: ${line}`);
  }
  return escapes;
}

/** A call without what it says of the sockets that a program may have. */
function withoutSockets(rest: string, sockets: readonly string[]): string {
  return sockets.reduce((left, path) => left.replaceAll(`{sa_family=AF_UNIX, sun_path="${path}"}`, "{}"), rest);
}

function networkEscape(call: string, rest: string, mayHaveSockets: boolean): string | undefined {
  if (call.startsWith("io_uring")) return "calls that are not traced";
  // getifaddrs: the kernel's list of interfaces.
  if (call === "socket") {
    if (mayHaveSockets && /^AF_UNIX, SOCK_STREAM/.test(rest)) return undefined;
    return /^AF_INET6?, SOCK_STREAM\b|^AF_NETLINK, SOCK_RAW\S*, NETLINK_ROUTE/.test(rest) ? undefined : "socket";
  }
  if (!ADDRESSED.test(call)) return undefined;
  const families = rest.matchAll(/sa_family=(\w+)/g).map(([, family]) => family).toArray();
  if (families.some((family) => !/^AF_(INET6?|NETLINK)$/.test(family ?? ""))) return "local service";
  const hosts = rest.matchAll(/inet_addr\("([^"]*)"|inet_pton\(AF_INET6, "([^"]*)"/g).map((m) => m[1] ?? m[2] ?? "");
  if (hosts.some((host) => !/^127\.\d+\.\d+\.\d+$|^::1$/.test(host))) return "off loopback";
  if (/_port=htons\(53\)/.test(rest)) return "resolver";
  // An address that could not be read is none that was checked.
  const readable = rest.matchAll(/inet_addr\("|inet_pton\(AF_INET6, "/g).toArray().length;
  return readable < families.filter((family) => family !== "AF_NETLINK").length ? "unknown address" : undefined;
}

function fileEscape(call: string, rest: string, allowed: readonly AllowedPath[]): string | undefined {
  // getcwd tells a path instead of taking one.
  if (NETWORK.test(call) || call === "getcwd") return undefined;
  const isLook = LOOKS.test(call);
  for (const path of pathsOf(call, rest)) {
    const isAllowed = allowed.some((one) =>
      path === one.path || (one.path.endsWith("/") && `${path}/`.startsWith(one.path)) ||
      (isLook && one.path.startsWith(path.endsWith("/") ? path : `${path}/`))
    );
    if (!isAllowed) return isLook ? "looked at" : "file";
  }
  return undefined;
}

/** The paths that a call takes, absolute. What is asked of a descriptor itself has none. */
function pathsOf(call: string, rest: string): string[] {
  return rest.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)
    // Behind the paths come answers and arguments.
    .take(PAIRS.test(call) ? 2 : 1)
    .filter(([, , path]) => path !== "")
    .map(([, folder = PROJECT, path = ""]) => normalised(path.startsWith("/") ? path : `${folder}/${path}`))
    .toArray();
}

function normalised(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

/** A call without what was sent, which may look like anything, but with its addresses. */
function withoutTexts(rest: string): string {
  return rest.replace(
    /(inet_addr\(|inet_pton\(AF_INET6, )?"(?:[^"\\]|\\.)*"/g,
    (text, isAddress?: string) => isAddress === undefined ? "" : text,
  );
}

/** The folders above a file, each with its slash. */
function ancestors(file: string): string[] {
  const segments = file.split("/").slice(0, -1);
  return segments.map((_, i) => `${segments.slice(0, i + 1).join("/")}/`);
}
