import type { RawOptions } from "../config/raw_options.ts";
import { type ApplicationSettings, readSettings } from "../config/settings.ts";
import { decodeI2pBase64, encodeI2pBase64 } from "../i2p/base64.ts";
import { b32Address } from "../i2p/destination.ts";
import { PrivateKey } from "../i2p/private_key.ts";
import { Deadline } from "../io/deadline.ts";
import { errorText } from "../io/error_text.ts";
import { writeNewFile } from "../io/new_file.ts";
import { readUpTo } from "../io/read_up_to.ts";
import { KeyStoreError } from "../keys/error.ts";
import { KeyStore, MAX_KEY_FILE } from "../keys/key_store.ts";
import { generateKey } from "../sam/generate.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { KEY_ACTIONS, type KeyAction } from "../command/actions.ts";
import { readSamLogin } from "../command/input_files.ts";
import { defaultKeysDir, requireKeysDir } from "../command/keys_dir.ts";
import { requireNet, requireRead, requireWrite } from "../command/permissions.ts";
import { SilenceDiagnosis } from "../command/router_ports.ts";
import { problemsOf } from "../command/errors.ts";
import { adviseOn } from "../command/sam_error.ts";
import { type Terminal, terminalLog } from "../command/terminal.ts";

/** Milliseconds to find out why no router makes a key. */
const DIAGNOSIS_TIMEOUT = 5_000;

/** What an action works with. */
interface Work {
  name: string;
  file: string | undefined;
  store: KeyStore;
  /** Path of the store. */
  folder: string;
  isJson: boolean;
  settings: ApplicationSettings;
  yes: boolean;
  terminal: Terminal;
}

/** Manages lasting identities. The private part is never printed. */
export async function keys(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = readSettings(given);
  const [action, name, file, ...more] = operands;
  const habit = action !== undefined && Object.hasOwn(HABITS, action) ? HABITS[action] : undefined;
  if (habit !== undefined) {
    const rest = [name ?? KEY_ACTIONS[habit], file].filter(Boolean).join(" ");
    throw new CliError(ExitCode.usage, `keys has no action "${action}"`, [`i2p-socks keys ${habit} ${rest}`.trimEnd()]);
  }
  if (!isKeyAction(action)) {
    throw usage(
      action === undefined
        ? `keys needs an action: ${Object.keys(KEY_ACTIONS).join(", ")}`
        : `keys has no action "${action}"`,
      Object.keys(KEY_ACTIONS),
      action,
    );
  }
  const isComplete = (action === "list") === (name === undefined);
  if (!isComplete || more.length > 0 || (file !== undefined && !takesFile(action))) {
    throw usage(`keys ${action} takes ${KEY_ACTIONS[action] || "nothing behind it"}`, [action]);
  }
  const folder = requireKeysDir(settings.keysDir ?? defaultKeysDir());
  const store = new KeyStore(folder);
  const [yes, isJson] = [given.has("yes"), given.has("json")];
  const work: Work = { name: name ?? "", file, store, folder, settings, yes, isJson, terminal };
  return await DO[action](work) ?? ExitCode.ok;
}

/** What other programs call the actions. */
const HABITS: Readonly<Record<string, KeyAction>> = {
  ls: "list",
  add: "new",
  create: "new",
  generate: "new",
  rm: "delete",
  remove: "delete",
  del: "delete",
  info: "show",
  renew: "rotate",
};

/** Prints what is known of the identity that an action is about. */
function print({ name, isJson, terminal }: Work, facts: Readonly<Record<string, string>>): void {
  terminal.data(isJson ? JSON.stringify({ name, ...facts }) : lineOf(name, facts));
}

function lineOf(name: string, facts: Readonly<Record<string, string>>): string {
  return [name, ...Object.entries(facts).map(([key, value]) => `${key}=${value}`)].join(" ");
}

/** The day on which a key was written, and whether a process uses it now. */
async function circumstancesOf(name: string, store: KeyStore): Promise<{ since: string; inUse: string }> {
  const written = await store.writtenAt(name);
  return { since: written?.toISOString().slice(0, 10) ?? "unknown", inUse: await store.isInUse(name) ? "yes" : "no" };
}

/** Names under which an address is kept; what cannot be read is passed over. */
async function namesOf(address: string, store: KeyStore): Promise<string[]> {
  const found: string[] = [];
  for (const name of await store.list()) {
    const own = await store.read(name).then(addressOf, (error) => {
      if (error instanceof KeyStoreError) return undefined;
      throw error;
    });
    if (own === address) found.push(name);
  }
  return found;
}

const DO: Readonly<Record<KeyAction, (work: Work) => Promise<ExitCode | void>>> = {
  list: async ({ store, folder, isJson, terminal }) => {
    let exitCode: ExitCode = ExitCode.ok;
    const names = await store.list();
    const found: Record<string, unknown>[] = [];
    for (const name of names) {
      try {
        const facts = { b32: await addressOf(await store.read(name)), ...await circumstancesOf(name, store) };
        found.push({ name, ...facts });
        if (!isJson) terminal.data(lineOf(name, facts));
      } catch (error) {
        if (!(error instanceof KeyStoreError)) throw error;
        const { messages, hints } = problemsOf(error);
        found.push({ name, problem: messages.join("; ") });
        if (!isJson) terminal.error(messages.join("\n"), hints);
        exitCode = ExitCode.failure;
      }
    }
    if (isJson) terminal.data(JSON.stringify({ folder, identities: found }));
    else if (names.length === 0) {
      terminal.talk(`No identities in ${folder}. To make one: i2p-socks keys new NAME, or i2p-socks --identity NAME`);
    }
    return exitCode;
  },
  show: async (work) => {
    const { name, store } = work;
    const key = await store.read(name);
    print(work, {
      b32: await addressOf(key),
      ...await circumstancesOf(name, store),
      destination: encodeI2pBase64(key.destination),
    });
  },
  new: async (work) => {
    const { name, store } = work;
    await store.requireNone(name);
    const key = await generate(work);
    await store.create(name, key);
    print(work, { b32: await addressOf(key) });
  },
  export: async ({ name, file, store, terminal }) => {
    const key = await store.read(name);
    if (file === undefined || file === "-") {
      if (Deno.stdout.isTerminal()) {
        throw new CliError(ExitCode.usage, "Refusing to print a private key on a terminal", [
          "Name a file, or pipe it to a program",
        ]);
      }
      try {
        await terminal.bytes(key.expose());
      } catch (error) {
        throw new CliError(ExitCode.failure, `Cannot write the key to stdout: ${errorText(error)}`);
      }
    } else await exportTo(file, key.expose());
    terminal.talk(
      `Exported the private key of ${await addressOf(key)}. Anyone who has it can impersonate this address.`,
    );
  },
  import: async (work) => {
    const { name, file, store, terminal } = work;
    const key = parseKey(await readInput(file));
    const address = await addressOf(key);
    const twins = await namesOf(address, store);
    await store.create(name, key);
    print(work, { b32: address });
    if (twins.length > 0) {
      terminal.talk(
        `i2p-socks: warning: Identity "${
          twins[0]
        }" has the same key: both names are one I2P address, and only one of ` +
          "them can be in use at a time",
      );
    }
  },
  rotate: async (work) => {
    const { name, store } = work;
    const old = await store.read(name);
    confirmLoss(work, `Replace the key of identity "${name}" (${await addressOf(old)})? Its address is lost for good.`);
    const key = await generate(work);
    await store.replace(name, key);
    print(work, { b32: await addressOf(key), was: await addressOf(old) });
  },
  delete: async (work) => {
    const { name, store, terminal } = work;
    const address = await store.read(name).then(addressOf, (error) => {
      // What is damaged can be deleted as well.
      if (error instanceof KeyStoreError && error.problem === "unreadable") return "damaged";
      throw error;
    });
    confirmLoss(work, `Permanently delete identity "${name}" (${address})?`);
    await store.delete(name);
    terminal.talk(`Deleted identity "${name}" (${address})`);
  },
};

/**
 * Asks before a key is lost.
 *
 * @throws {CliError} if nobody can be asked and --yes is missing, or the answer is no.
 */
function confirmLoss({ yes }: Work, question: string): void {
  if (yes) return;
  if (!Deno.stdin.isTerminal()) {
    throw new CliError(ExitCode.usage, `${question} No terminal to ask: confirm it with --yes`);
  }
  if (!confirm(question)) throw new CliError(ExitCode.failure, "Nothing was changed");
}

function usage(message: string, actions: readonly string[], typed?: string): CliError {
  const lines = Object.entries(KEY_ACTIONS).filter(([word]) => actions.includes(word));
  return new CliError(ExitCode.usage, message, [
    ...(typed === undefined ? [] : didYouMean(typed, actions)),
    ...lines.map(([word, rest]) => `i2p-socks keys ${word} ${rest}`.trimEnd()),
  ]);
}

function isKeyAction(word: string | undefined): word is KeyAction {
  return word !== undefined && Object.hasOwn(KEY_ACTIONS, word);
}

function takesFile(action: KeyAction): boolean {
  return action === "export" || action === "import";
}

async function addressOf(key: PrivateKey): Promise<string> {
  return await b32Address(key.destination);
}

async function generate({ settings, terminal }: Work): Promise<PrivateKey> {
  requireNet(settings.sam, "--sam");
  const login = await readSamLogin(settings, terminalLog(terminal));
  try {
    return await generateKey({ ...settings.sam, ...(login && { login }) });
  } catch (error) {
    using patience = new Deadline(DIAGNOSIS_TIMEOUT);
    await new SilenceDiagnosis().addTo(error, settings.sam, patience);
    throw adviseOn(error, settings.sam);
  }
}

/** Accepts the files of i2pd and Java I2P, which are the bare bytes, and I2P base64 as SAM writes it. */
function parseKey(bytes: Uint8Array): PrivateKey {
  const text = new TextDecoder("latin1").decode(bytes).trim();
  try {
    return new PrivateKey(/^[A-Za-z0-9~=-]+$/.test(text) ? decodeI2pBase64(text) : bytes);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    throw new CliError(ExitCode.usage, error.message, [
      "Accepted are i2pd's .dat files, Java I2P's privKeyFile (eepPriv.dat), and I2P base64",
    ]);
  }
}

async function readInput(file: string | undefined): Promise<Uint8Array> {
  const isStdin = file === undefined || file === "-";
  if (isStdin && Deno.stdin.isTerminal()) throw new CliError(ExitCode.usage, "Name a file, or send the key to stdin");
  try {
    if (!isStdin) requireRead(file, "keys import");
    using opened = isStdin ? undefined : await Deno.open(file);
    const bytes = await readUpTo(opened ?? Deno.stdin, MAX_KEY_FILE);
    if (bytes === undefined) {
      throw new CliError(ExitCode.usage, `Not a key: it has more than ${MAX_KEY_FILE} bytes`);
    }
    return bytes;
  } catch (error) {
    if (error instanceof CliError) throw error;
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.usage;
    throw new CliError(code, `Cannot read "${file}": ${errorText(error)}`);
  }
}

async function exportTo(path: string, bytes: Uint8Array): Promise<void> {
  requireWrite(path, "keys export");
  try {
    await writeNewFile(path, bytes);
  } catch (error) {
    const reason = error instanceof Deno.errors.AlreadyExists ? "it exists already" : errorText(error);
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.failure;
    throw new CliError(code, `Cannot write "${path}": ${reason}`);
  }
}
