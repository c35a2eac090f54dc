import { assert, assertEquals } from "@std/assert";
import { pureTest } from "../support/pure.ts";
import { findAccount, ownIdentifiers } from "../../lib/server/machine.ts";

/** Variables that may name the user, or the home folder. */
const VARIABLES = ["USER", "LOGNAME", "USERNAME", "HOME", "USERPROFILE"];

/** Sets variables, and puts back what was there. */
function withVariables(values: Readonly<Record<string, string>>): Disposable {
  const before = new Map(VARIABLES.map((name) => [name, Deno.env.get(name)]));
  const set = (name: string, value: string | undefined): void =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const name of VARIABLES) set(name, values[name]);
  return { [Symbol.dispose]: () => before.forEach((value, name) => set(name, value)) };
}

Deno.test({
  name: "ownIdentifiers() finds addresses, host name, user and home",
  permissions: { env: true, sys: ["hostname", "networkInterfaces"] },
  fn: () => {
    using _variables = withVariables({ LOGNAME: "alicia", USERPROFILE: "C:\\Users\\alicia" });
    const { identifiers, missing } = ownIdentifiers();
    assertEquals(missing, []);
    assertEquals(identifiers.addresses, Deno.networkInterfaces().map(({ address }) => address));
    assertEquals(identifiers.hostName, Deno.hostname());
    assertEquals([identifiers.userName, identifiers.home], ["alicia", "C:\\Users\\alicia"]);
  },
});

Deno.test({
  name: "ownIdentifiers() takes the first variable that is set, and passes over empty ones",
  permissions: { env: true, sys: false },
  fn: () => {
    using _variables = withVariables({ USER: "", LOGNAME: "first", USERNAME: "second", HOME: "/home/first" });
    const { identifiers, missing } = ownIdentifiers();
    assertEquals([identifiers.userName, identifiers.home], ["first", "/home/first"]);
    assertEquals(missing, ["sys networkInterfaces", "sys hostname"]);
  },
});

Deno.test({
  name: "ownIdentifiers() without permissions finds nothing, asks for nothing, and names what is missing",
  permissions: "none",
  fn: () => {
    assertEquals(ownIdentifiers(), {
      identifiers: { addresses: [] },
      missing: ["sys networkInterfaces", "sys hostname", ...VARIABLES.map((name) => `env ${name}`)],
    });
  },
});

Deno.test({
  name: "ownIdentifiers() asks the list of accounts where no variable names the user",
  permissions: { env: true, sys: ["uid"], read: ["/etc/passwd"] },
  ignore: Deno.build.os !== "linux",
  fn: () => {
    using _variables = withVariables({});
    const { identifiers } = ownIdentifiers();
    const account = findAccount(Deno.readTextFileSync("/etc/passwd"), Deno.uid());
    assert(account !== undefined);
    assertEquals([identifiers.userName, identifiers.home], [account.name, account.home]);
  },
});

Deno.test({
  name: "ownIdentifiers() does not touch the list of accounts where it may not read it: that would ask the user",
  permissions: { env: true, sys: ["uid"], read: false },
  fn: () => {
    using _variables = withVariables({});
    const { readTextFileSync } = Deno;
    let hasRead = false;
    Deno.readTextFileSync = (): string => {
      hasRead = true;
      return "";
    };
    try {
      assertEquals(ownIdentifiers().identifiers.userName, undefined);
    } finally {
      Deno.readTextFileSync = readTextFileSync;
    }
    assert(!hasRead);
  },
});

pureTest("findAccount() finds a user by number, and nobody in lines of another kind", () => {
  const passwd = "root:x:0:0:root:/root:/bin/sh\n# 7:x:7\n\n+::::::\nalicia:x:1000:1000:,,,:/home/alicia:/bin/sh\n";
  assertEquals(findAccount(passwd, 1000), { name: "alicia", home: "/home/alicia" });
  assertEquals(findAccount(passwd, 0), { name: "root", home: "/root" });
  for (const uid of [1, 100, null]) assertEquals(findAccount(passwd, uid), undefined);
});
