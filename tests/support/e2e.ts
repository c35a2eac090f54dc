/** Where Debian keeps daemons; not on the PATH of every user. */
const EXTRA_DIRECTORIES = ["/usr/sbin", "/sbin"];

/** The path of a program, looked up on `PATH` and in the directories of daemons, or `undefined`. */
export function findProgram(name: string): string | undefined {
  const directories = [...(Deno.env.get("PATH") ?? "").split(":"), ...EXTRA_DIRECTORIES];
  return directories.filter((directory) => directory !== "")
    .map((directory) => `${directory}/${name}`)
    .find(isExecutable);
}

/**
 * The path of i2pd, or `undefined` where it is not installed.
 *
 * @throws {Error} if it is missing and `I2P_SOCKS_REQUIRE_E2E=1` is set.
 */
export function findI2pd(): string | undefined {
  const path = findProgram("i2pd");
  if (path === undefined && isRequired()) throw missing(["i2pd"]);
  return path;
}

/**
 * Registers an end-to-end test.
 *
 * Where a program of `needs` is missing, the test is ignored and its name says why. With `I2P_SOCKS_REQUIRE_E2E=1`
 * (set where everything ought to be installed) it fails instead, so that nothing is skipped without being seen.
 *
 * @param needs names of programs, such as `i2pd`, `curl`, `strace`.
 */
export function e2eTest(name: string, needs: readonly string[], fn: (t: Deno.TestContext) => Promise<void>): void {
  const absent = needs.filter((program) => findProgram(program) === undefined);
  if (absent.length === 0) {
    Deno.test(name, fn);
  } else if (isRequired()) {
    Deno.test(name, () => Promise.reject(missing(absent)));
  } else {
    Deno.test({ name: `${name} [ignored: ${areNotInstalled(absent)}]`, ignore: true, fn });
  }
}

function isRequired(): boolean {
  return Deno.env.get("I2P_SOCKS_REQUIRE_E2E") === "1";
}

function missing(programs: readonly string[]): Error {
  return new Error(`Cannot run end-to-end test: ${areNotInstalled(programs)}, and I2P_SOCKS_REQUIRE_E2E=1 is set`);
}

function areNotInstalled(programs: readonly string[]): string {
  return `${programs.join(", ")} ${programs.length === 1 ? "is" : "are"} not installed`;
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
