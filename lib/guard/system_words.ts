/** Words that name an operating system, a distribution or a device. */
const SYSTEMS = [
  "windows(?: ?phone)?",
  "win(?:32|64|ce)",
  "wow64",
  "windowspowershell",
  "microsoft",
  "mac ?os(?: ?x)?",
  "os ?x",
  "macintosh",
  "darwin",
  "cfnetwork",
  "apple",
  "iphone",
  "ipad",
  "ipod",
  "ios",
  "android",
  "dalvik",
  "linux",
  "x11",
  "wayland",
  "ubuntu",
  "debian",
  "raspbian",
  "raspberry",
  "fedora",
  "red ?hat",
  "rhel",
  "centos",
  "suse",
  "opensuse",
  "gentoo",
  "manjaro",
  "freebsd",
  "openbsd",
  "netbsd",
  "dragonfly",
  "sunos",
  "solaris",
  "haiku",
  "cros",
  "cygwin",
  "msys",
  "mingw(?:32|64)?",
];

/** Words that name a kind of processor, which narrows down the machine. */
const PROCESSORS = [
  "x86_64",
  "x86",
  "amd64",
  "i[3-6]86",
  "aarch64",
  "arm64",
  "armv\\d\\w{0,2}",
  "ppc64(?:le|el)?",
  "riscv64",
  "mips(?:el)?",
];

const WORD = new RegExp(`(?<![a-z])(?:${[...SYSTEMS, ...PROCESSORS].join("|")})(?![a-z])`, "i");

/** The text that was asked for last, for an application sends its own again and again. */
let last: { text: string; verdict: boolean } = { text: "", verdict: false };

/** Whether a text names an operating system, a distribution, a device or a processor: `Linux`, `for_Windows`, `x86_64`. */
export function namesSystem(text: string): boolean {
  if (text !== last.text) last = { text, verdict: WORD.test(text) };
  return last.verdict;
}
