/**
 * Runs the clients and libraries that are installed against the program, and writes what was seen into the table of
 * `help clients`: `deno task clients [NAME...]`. A client that is not installed keeps its row.
 *
 * PYTHONPATH and CLASSPATH say where libraries are; I2P_SOCKS_NODE_CLIENTS is a folder with node_modules,
 * I2P_SOCKS_GO_CLIENTS one with a go.mod that needs golang.org/x/net, and I2P_SOCKS_RUST_CLIENTS one with a Cargo.lock
 * and a target of the crates.
 */
import { PROJECT } from "../support/command.ts";
import { findProgram } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { startSite } from "../support/site.ts";
import { startClientStage } from "./client_stage.ts";
import { type Goal, type Run, TABLE_CLIENTS, type TableClient } from "./table_clients.ts";
import { startWitness, type Witness } from "./witness.ts";

/** Where the table is kept. */
export const TABLE_FILE: string = `${PROJECT}lib/command/clients.json`;

/** A row of the table. Every word of it was seen. */
export interface ClientRow {
  name: string;
  version: string;
  /** What makes it leave names to the proxy. */
  setting: string;
  /** Methods that it offers, in hexadecimal and in its order; or what it speaks in place of SOCKS5. */
  offers: string;
  /** The same when it has a login; undefined where it cannot send one. */
  offersWithLogin?: string;
  /** Whether it takes a login, and does not send it. */
  keepsLogin?: true;
  /** What it sends as a login, or user id, when it was given none. */
  unasked?: string;
  /** How it sends a name of I2P. */
  sends: string;
  /** Whether a page came through the proxy. */
  works: boolean;
  /** Whether it takes a name as bound address; undefined where it never gets that far. */
  boundName?: boolean;
  /** What it shows at reply codes 1 to 8: the last line of its output, and the codes. */
  shows: { codes: string; text: string }[];
  /** Connections for one request that is refused with code 4. */
  connections: number;
}

/** Most milliseconds of one run. */
const TIMEOUT = 30_000;

const HOST = "site.i2p";

const LOGIN = { user: "alice", password: "pw" };

/** Longest text that a row keeps of a client's output, in characters. */
const LONGEST = 100;

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Looks at one client, with a page behind the proxy. */
export async function lookAt(
  client: TableClient,
  version: string,
  { witness, token }: { witness: Witness; token: string },
): Promise<ClientRow> {
  const goal: Goal = { port: witness.port, host: HOST, login: undefined };
  witness.become({ kind: "pass" });
  const plain = await carryOut(client.run(goal));
  const [first] = witness.seen;
  // A client that also wants UDP may ask for that first, without a name.
  const all = witness.seen.flatMap((one) => one.asked ?? []);
  const asked = all.find(({ command }) => command !== 3) ?? all[0];
  const row: ClientRow = {
    name: client.name,
    version,
    setting: client.setting,
    offers: first?.offers.replace(/^([A-Z]+) .*/, "HTTP $1") ?? "nothing",
    ...(first?.login !== undefined && first.login !== "i2p:x" &&
      { unasked: first.login.replace(/:$/, "").replace(Deno.env.get("USER") ?? "root", "your user name") }),
    sends: asked === undefined
      ? first === undefined ? "never: it does not connect to the proxy" : "never"
      : `${asked.command === 0xf0 ? "RESOLVE, " : ""}${
        asked.form === "name" ? "as a name" : `as ${asked.form}: it looks names up here`
      }`,
    works: plain.stdout.includes(token),
    shows: [],
    connections: 0,
  };
  if (asked === undefined) {
    row.shows.push({ codes: "", text: shown(plain) });
    return row;
  }
  if (row.works && !row.offers.startsWith("SOCKS4")) {
    witness.become({ kind: "pass", boundName: true });
    row.boundName = (await carryOut(client.run(goal))).stdout.includes(token);
  }
  if (client.hasLogin) {
    witness.become({ kind: "pass" });
    await carryOut(client.run({ ...goal, login: LOGIN }));
    const one = witness.seen.find(({ login }) => login !== undefined);
    if (one !== undefined) row.offersWithLogin = one.offers;
    else if (witness.seen.length > 0) row.keepsLogin = true;
  }
  for (let code = 1; code <= 8; code++) {
    witness.become({ kind: "refuse", code });
    const text = shown(await carryOut(client.run(goal)), code);
    if (code === 4) row.connections = witness.seen.length;
    const same = row.shows.find((one) => one.text === text);
    if (same === undefined) row.shows.push({ codes: `${code}`, text });
    else same.codes += ` ${code}`;
    // SOCKS4 has one code.
    if (row.offers.startsWith("SOCKS4") && code === 4) break;
  }
  return row;
}

/** What RFC 1928 calls the reply codes 1 to 8, as clients write it. */
const MEANINGS: readonly RegExp[] = [
  /(general|unspecified) (SOCKS )?(server |proxy )?(failure|error)|\bFailure$/i,
  /connection not allowed( by ruleset)?|not ?allowed( by ruleset)?/i,
  /network ?(is )?unreachable/i,
  /host ?(is )?unreachable/i,
  /connection ?(was )?refused( by destination host)?/i,
  /TTL ?(has )?expired/i,
  /command ?not ?supported( or protocol error|, or protocol error)?/i,
  /address ?(type )?(is )?not ?supported/i,
];

/** The line of its output that says what went wrong, without what differs from run to run. */
function shown({ code, stdout, stderr }: Outcome, reply = 0): string {
  const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && !/^(at |\^|\.\.\.)/.test(line));
  const line = lines.findLast((one) => /(Error|Exception)\b.*: |^error|FATAL|^E: /.test(one)) ??
    lines.findLast((one) => /error|fail|refus|unreach|denied|not |cannot|unable|SOCKS/i.test(one)) ?? lines.at(-1) ??
    "";
  const meaning = MEANINGS[reply - 1];
  const text = (meaning === undefined ? line : line.replaceAll(new RegExp(meaning.source, "gi"), "MEANING"))
    .replaceAll(new RegExp(`(?<!curl: )\\(${reply}\\)`, "g"), "(CODE)")
    .replaceAll(new RegExp(`Errno ${reply}\\b|(?<=Error\\()${reply}\\b`, "g"), "CODE")
    .replaceAll(new RegExp(`0[xX]0?${reply}\\b`, "g"), "0xCODE")
    .replaceAll(new RegExp(`(status|code|reply|error|response)[:= ]+'?${reply}'?(?!\\d)`, "gi"), "$1 CODE")
    .replaceAll(/^\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d[.\d]*Z? ?/g, "")
    .replaceAll(/^\w{3} \d\d \d\d:\d\d:\d\d[.\d]* /g, "")
    .replaceAll(/\b127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replaceAll(/\bport \d{4,5}\b/g, "port PORT").replaceAll(/\[\d+\]/g, "").replaceAll(/0x[0-9a-f]{6,}/g, "…")
    .replaceAll(/\b\d+ ms\b/g, "… ms").replaceAll(/(?<![\w:/.])\/[\w./-]{4,}/g, "…").replaceAll(/\s+/g, " ").trim();
  const end = text.length > LONGEST ? `…${text.slice(-LONGEST)}` : text;
  return end === "" ? `nothing (exit code ${code})` : `${end} (exit code ${code})`;
}

async function carryOut({ program, args, env = {}, files = {}, stdin, cwd }: Run): Promise<Outcome> {
  const dir = await Deno.makeTempDir({ prefix: "i2p-socks-client-" });
  try {
    const free = `${freePort()}`;
    const fill = (text: string): string => text.replaceAll("{dir}", dir).replaceAll("{free}", free);
    for (const [name, text] of Object.entries(files)) {
      const path = `${dir}/${name}`;
      await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(path, fill(text));
    }
    const kept = [
      "PYTHONPATH",
      "CLASSPATH",
      "GOFLAGS",
      "GOPATH",
      "GOMODCACHE",
      "CARGO_HOME",
      "RUSTUP_HOME",
      "USER",
      "LOGNAME",
    ].flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    const child = new Deno.Command("timeout", {
      args: ["--kill-after=1", `${TIMEOUT / 1000}`, program, ...args.map(fill)],
      cwd: cwd ?? dir,
      clearEnv: true,
      env: {
        PATH: `${Deno.env.get("PATH")}:/usr/sbin`,
        LANG: "C.UTF-8",
        HOME: dir,
        GOCACHE: Deno.env.get("GOCACHE") ?? `${Deno.env.get("HOME")}/.cache/go-build`,
        GOMODCACHE: Deno.env.get("GOMODCACHE") ?? `${Deno.env.get("HOME")}/go/pkg/mod`,
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
        ...Object.fromEntries(kept),
        ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writing = ReadableStream.from([new TextEncoder().encode(stdin ?? "")]).pipeTo(child.stdin).catch(() => {});
    const { code, stdout, stderr } = await child.output();
    await writing;
    const text = new TextDecoder();
    const clean = (bytes: Uint8Array): string => text.decode(bytes).replaceAll(dir, "…");
    return { code, stdout: clean(stdout), stderr: clean(stderr) };
  } finally {
    await Deno.remove(dir, { recursive: true }).catch(() => {});
  }
}

/** The version of a client; undefined where it is not installed. */
export async function versionOf({ version: { program, args, match, cwd } }: TableClient): Promise<string | undefined> {
  if (findProgram(program) === undefined) return undefined;
  const { code, stdout, stderr } = await carryOut({ program, args, ...(cwd !== undefined && { cwd }) });
  const text = stdout.trim() === "" ? stderr : stdout;
  const version = match === undefined ? text.trim().split("\n")[0] : match.exec(text)?.[1];
  return (code === 0 || match !== undefined) && version !== "" ? version?.replace(/\.$/, "") : undefined;
}

if (import.meta.main) {
  const names = Deno.args;
  const old: ClientRow[] = await Deno.readTextFile(TABLE_FILE).then(JSON.parse, () => []);
  await using site = await startSite();
  await using stage = await startClientStage({ [HOST]: site.port }, [
    "--map-names",
    "198.18.0.0/15",
    "--max-identities",
    "64",
  ]);
  await using witness = startWitness(stage.port);
  const rows: ClientRow[] = [];
  for (const client of TABLE_CLIENTS) {
    const kept = old.find(({ name }) => name === client.name);
    const isChosen = names.length === 0 || names.some((name) => client.name.includes(name));
    const version = isChosen ? await versionOf(client) : undefined;
    if (isChosen) console.log(`${client.name}: ${version ?? "not installed"}`);
    if (version === undefined) rows.push(...(kept === undefined ? [] : [kept]));
    else rows.push(await lookAt(client, version, { witness, token: site.token }));
    await Deno.writeTextFile(
      TABLE_FILE,
      `${JSON.stringify([...rows, ...old.filter((one) => !rows.some(({ name }) => name === one.name))], null, 2)}\n`,
    );
  }
  await Deno.writeTextFile(TABLE_FILE, `${JSON.stringify(rows, null, 2)}\n`);
  const missing = TABLE_CLIENTS.filter(({ name }) => !rows.some((row) => row.name === name)).map(({ name }) => name);
  console.log(
    `${rows.length} clients in the table${missing.length === 0 ? "" : `; without a row: ${missing.join(", ")}`}`,
  );
}
