import { assert, assertEquals, assertRejects } from "@std/assert";
import { type KeyProblem, KeyStoreError } from "../../lib/keys/error.ts";
import { KeyStore, MAX_IDENTITY_NAME, MAX_KEY_FILE } from "../../lib/keys/key_store.ts";
import { numberedKey, numberOf } from "./blob.ts";

async function withStore(work: (store: KeyStore, directory: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "i2p-socks-keys-" });
  try {
    await work(new KeyStore(`${parent}/below/keys`), `${parent}/below/keys`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

async function problem(work: () => Promise<unknown>): Promise<KeyProblem> {
  return (await assertRejects(work, KeyStoreError)).problem;
}

async function modeOf(path: string): Promise<number> {
  return ((await Deno.lstat(path)).mode ?? 0) & 0o777;
}

Deno.test("KeyStore keeps keys as 0600 in a folder of 0700, byte for byte", async () => {
  await withStore(async (store, directory) => {
    assertEquals(await store.list(), []);
    assertEquals(await store.has("one"), false);
    await store.create("one", numberedKey(1));
    await store.create("Two_2-x", numberedKey(2));
    assertEquals(await store.list(), ["Two_2-x", "one"]);
    assertEquals(await Deno.readFile(`${directory}/one.dat`), numberedKey(1).expose());
    assertEquals(numberOf(await store.read("Two_2-x")), 2);
    assertEquals(await modeOf(directory), 0o700);
    assertEquals(await modeOf(`${directory}/one.dat`), 0o600);
    for await (const { name } of Deno.readDir(directory)) assert(/\.(dat|lock)$/.test(name), `${name} was left behind`);
  });
});

Deno.test("KeyStore never overwrites by create(), and replaces by replace() only what is there", async () => {
  await withStore(async (store) => {
    await store.create("one", numberedKey(1));
    assertEquals(await problem(() => store.create("one", numberedKey(2))), "exists");
    assertEquals(numberOf(await store.read("one")), 1);
    await store.replace("one", numberedKey(3));
    assertEquals(numberOf(await store.read("one")), 3);
    assertEquals(await problem(() => store.replace("none", numberedKey(1))), "missing");
    assertEquals(await problem(() => store.delete("none")), "missing");
    await store.delete("one");
    assertEquals(await problem(() => store.read("one")), "missing");
    await store.create("one", numberedKey(4));
    assertEquals(numberOf(await store.read("one")), 4);
  });
});

Deno.test("KeyStore refuses files and folders that are open to others, with the command that helps", async () => {
  await withStore(async (store, directory) => {
    await store.create("one", numberedKey(1));
    for (const mode of [0o640, 0o604, 0o660, 0o644, 0o610]) {
      await Deno.chmod(`${directory}/one.dat`, mode);
      const error = await assertRejects(() => store.read("one"), KeyStoreError, mode.toString(8));
      assertEquals([error.problem, error.hint], ["permissions", `chmod 0600 "${directory}/one.dat"`]);
    }
    await Deno.chmod(`${directory}/one.dat`, 0o400);
    await store.read("one");
    for (const mode of [0o750, 0o701, 0o777]) {
      await Deno.chmod(directory, mode);
      const error = await assertRejects(() => store.read("one"), KeyStoreError);
      assertEquals([error.problem, error.hint], ["permissions", `chmod 0700 "${directory}"`]);
      assertEquals(await problem(() => store.create("two", numberedKey(2))), "permissions");
    }
    await Deno.chmod(directory, 0o700);
    assertEquals(numberOf(await store.read("one")), 1);
  });
});

Deno.test("KeyStore refuses links in place of keys, wherever they lead", async () => {
  await withStore(async (store, directory) => {
    await store.create("one", numberedKey(1));
    await Deno.symlink(`${directory}/one.dat`, `${directory}/link.dat`);
    await Deno.symlink("/nowhere/at/all", `${directory}/dangling.dat`);
    for (const name of ["link", "dangling"]) {
      assertEquals(await problem(() => store.read(name)), "permissions");
      assertEquals(await problem(() => store.replace(name, numberedKey(2))), "permissions");
      assertEquals(await problem(() => store.create(name, numberedKey(2))), "exists");
    }
    assertEquals(await store.list(), ["one"]);
  });
});

Deno.test("KeyStore refuses what is not a file in place of keys and locks", async () => {
  await withStore(async (store, directory) => {
    await store.create("one", numberedKey(1));
    await Deno.mkdir(`${directory}/folder.dat`, { mode: 0o700 });
    for (const work of [() => store.read("folder"), () => store.replace("folder", numberedKey(2))]) {
      assertEquals(await problem(work), "unreadable");
    }
    await Deno.remove(`${directory}/one.lock`);
    await Deno.mkdir(`${directory}/one.lock`);
    assertEquals(await problem(() => store.isInUse("one")), "unreadable");
    assertEquals(await problem(() => store.lock("one")), "unreadable");
    await Deno.remove(`${directory}/one.lock`);
    await Deno.symlink("/dev/null", `${directory}/one.lock`);
    assertEquals(await problem(() => store.lock("one")), "unreadable");
    assertEquals(numberOf(await store.read("one")), 1);
  });
});

Deno.test("KeyStore.delete() leaves no key behind of a process that was killed", async () => {
  await withStore(async (store, directory) => {
    await store.create("one", numberedKey(1));
    await store.create("two", numberedKey(2));
    for (const rest of ["old", "tmp"]) await Deno.copyFile(`${directory}/one.dat`, `${directory}/.one.${rest}`);
    await store.delete("one");
    const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
    assertEquals(names.sort(), ["one.lock", "two.dat", "two.lock"]);
  });
});

Deno.test("KeyStore names a folder that cannot be read", async () => {
  await withStore(async (store, directory) => {
    await store.create("one", numberedKey(1));
    const below = new KeyStore(`${directory}/one.dat/keys`);
    for (const work of [() => below.list(), () => below.has("one"), () => below.read("one")]) {
      await assertRejects(work, KeyStoreError, `"${directory}/one.dat/keys": not a directory`);
    }
  });
});

Deno.test("KeyStore says what is no key, and leaves it as it is", async () => {
  await withStore(async (store, directory) => {
    await store.create("one", numberedKey(1));
    const path = `${directory}/one.dat`;
    for (
      const bytes of [
        new Uint8Array(),
        new Uint8Array(100),
        numberedKey(1).expose().slice(0, 678),
        numberedKey(1).destination,
        new Uint8Array(MAX_KEY_FILE + 1),
      ]
    ) {
      await Deno.writeFile(path, bytes);
      assertEquals(await problem(() => store.read("one")), "unreadable");
      assertEquals(await Deno.readFile(path), bytes);
    }
  });
});

Deno.test("KeyStore takes only names that are file names everywhere", async () => {
  await withStore(async (store) => {
    for (const name of ["", ".", "..", "../x", "a/b", "a b", "ä", "a.dat", "x".repeat(MAX_IDENTITY_NAME + 1), "a\0"]) {
      assertEquals(await problem(() => store.create(name, numberedKey(1))), "bad-name", name);
      assertEquals(await problem(() => store.read(name)), "bad-name", name);
    }
    await store.create("x".repeat(MAX_IDENTITY_NAME), numberedKey(1));
  });
});

Deno.test({
  name: "KeyStore refuses files and folders of other users, with the command that helps",
  // Only root can give files away.
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await withStore(async (store, directory) => {
      await store.create("one", numberedKey(1));
      for (const path of [`${directory}/one.dat`, directory]) {
        await Deno.chown(path, 12_345, null);
        const error = await assertRejects(
          () => store.read("one"),
          KeyStoreError,
          "belongs to another user (uid 12345)",
        );
        assertEquals(error.hint, `chown 0 "${path}", if its content can be trusted`);
        await Deno.chown(path, 0, null);
      }
      assertEquals(numberOf(await store.read("one")), 1);
    });
  },
});

Deno.test("KeyStore has the old key where the new one cannot be written, and leaves nothing behind", async () => {
  await withStore(async (store, directory) => {
    await store.create("one", numberedKey(1));
    const open = Deno.open;
    Deno.open = (path, options) =>
      options?.createNew
        ? Promise.reject(Object.assign(new Error("x (os error 28)"), { code: "ENOSPC" }))
        : open(path, options);
    try {
      assertEquals(await problem(() => store.replace("one", numberedKey(2))), "unwritable");
    } finally {
      Deno.open = open;
    }
    assertEquals(numberOf(await store.read("one")), 1);
    const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
    assertEquals(names.sort(), ["one.dat", "one.lock"]);
  });
});
