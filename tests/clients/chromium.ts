import { makeScratch } from "../support/scratch.ts";

/** Milliseconds for Chromium to start, and for an answer of it. */
const PATIENCE = 30_000;

/** What keeps Chromium to loopback: no name resolves, no proxy is asked, nothing is fetched in the background. */
const QUIET = [
  "--headless=new",
  "--no-sandbox",
  "--no-first-run",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-extensions",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
  "--proxy-server=direct://",
  "--remote-debugging-port=0",
  "--hide-scrollbars",
  "--disable-lcd-text",
];

/** What is read of events. */
interface EventParams {
  request: { url: string };
  exceptionDetails: Exception;
  args: { value?: unknown; description?: string }[];
  entry: { source: string; text: string };
  issue: { code: string; details: unknown };
  message: string;
}

interface Exception {
  text: string;
  exception?: { description?: string };
}

/** A page in Chromium, driven through its DevTools protocol. */
export interface ChromiumPage {
  /** Calls a method of the protocol. */
  send<T = unknown>(method: string, params?: Record<string, unknown>): Promise<T>;
  /** The value of an expression, awaited, in the page. @throws {Error} if it throws. */
  evaluate<T = unknown>(expression: string): Promise<T>;
  /** Loads an address, up to its `load` event. */
  open(url: string): Promise<void>;
  /** Waits until an expression is true in the page. */
  until(expression: string): Promise<void>;
  /** Presses and releases a key. */
  press(key: string): Promise<void>;
  /** A screenshot of the whole page, as PNG. */
  screenshot(): Promise<Uint8Array>;
  /** Addresses that were asked for. */
  readonly requests: string[];
  /** What went wrong in the page: exceptions, console messages, violations of its policy. */
  readonly complaints: string[];
}

/** A running Chromium with one page. */
export interface Chromium extends AsyncDisposable {
  /** Its page. */
  readonly page: ChromiumPage;
}

/** Starts Chromium with a profile that is removed at the end. */
export async function startChromium(program: string): Promise<Chromium> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await makeScratch());
  const child = new Deno.Command(program, {
    args: [...QUIET, `--user-data-dir=${scratch.dir}/profile`, "about:blank"],
    env: { HOME: scratch.dir, XDG_CONFIG_HOME: scratch.dir, XDG_CACHE_HOME: scratch.dir },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  stack.defer(async () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await child.status;
    clearTimeout(timer);
  });
  const { address, rest } = await readAddress(child.stderr);
  stack.defer(() => rest);
  const socket = new WebSocket(address);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("Cannot connect to Chromium's debugging port"));
  });
  const connection = new Connection(socket);
  stack.defer(() => connection.close());
  const page = await openPage(connection);
  const owned = stack.move();
  return { page, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Waits for the line that names the debugging port; what follows is read and dropped. */
async function readAddress(stderr: ReadableStream<Uint8Array>): Promise<{ address: string; rest: Promise<void> }> {
  const reader = stderr.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Chromium does not start: ${text}`);
    text += value;
    const [, address] = /DevTools listening on (ws:\S+)\s/.exec(text) ?? [];
    if (address !== undefined) return { address, rest: drain(reader) };
  }
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}

/** Questions and answers, and events, over one WebSocket. */
class Connection {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  /** Takes events. */
  onEvent: (method: string, params: EventParams) => void = () => {};
  #id = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, method, params, result, error } = JSON.parse(data);
      if (id === undefined) return this.onEvent(method, params);
      const waiter = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiter?.reject(new Error(error.message));
      else waiter?.resolve(result);
    };
    socket.onclose = () => {
      for (const waiter of this.#waiting.values()) waiter.reject(new Error("Chromium has ended"));
    };
  }

  async send(method: string, params?: Record<string, unknown>, sessionId?: string): Promise<unknown> {
    const id = ++this.#id;
    const waiter = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiter);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const timer = setTimeout(() => waiter.reject(new Error(`Chromium does not answer ${method}`)), PATIENCE);
    try {
      return await waiter.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.addEventListener("close", resolve, { once: true }));
    await this.send("Browser.close").catch(() => {});
    this.#socket.close();
    await closed;
  }
}

async function openPage(connection: Connection): Promise<ChromiumPage> {
  const { targetId } = await connection.send("Target.createTarget", { url: "about:blank" }) as { targetId: string };
  const attach = { targetId, flatten: true };
  const { sessionId } = await connection.send("Target.attachToTarget", attach) as { sessionId: string };
  const requests: string[] = [];
  const complaints: string[] = [];
  let loaded: () => void = () => {};
  connection.onEvent = (method, params) => {
    if (method === "Page.loadEventFired") loaded();
    if (method === "Network.requestWillBeSent") requests.push(params.request.url);
    const complaint = complaintOf(method, params);
    if (complaint !== undefined) complaints.push(complaint);
  };
  const send = <T>(method: string, params?: Record<string, unknown>): Promise<T> =>
    connection.send(method, params, sessionId) as Promise<T>;
  for (const domain of ["Page", "Network", "Runtime", "Log", "Audits", "DOM", "Accessibility"]) {
    await send(`${domain}.enable`);
  }
  const evaluate = async <T>(expression: string): Promise<T> => {
    const params = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const answer = await send<{ result: { value: T }; exceptionDetails?: Exception }>("Runtime.evaluate", params);
    const { result, exceptionDetails } = answer;
    if (exceptionDetails) throw new Error(describe(exceptionDetails));
    return result.value;
  };
  return {
    send,
    evaluate,
    requests,
    complaints,
    open: async (url) => {
      const done = new Promise<void>((resolve) => loaded = resolve);
      await send("Page.navigate", { url });
      await done;
    },
    until: async (expression) => {
      for (let i = 0; i < 300; i++) {
        if (await evaluate(`Boolean(${expression})`)) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`Not within 15 s in the page: ${expression}`);
    },
    press: async (key) => {
      const text = key === "Enter" ? "\r" : undefined;
      const code = { Tab: 9, Enter: 13 }[key] ?? 0;
      await send("Input.dispatchKeyEvent", { type: "keyDown", key, code: key, windowsVirtualKeyCode: code, text });
      await send("Input.dispatchKeyEvent", { type: "keyUp", key, code: key, windowsVirtualKeyCode: code });
    },
    screenshot: async () => {
      const { data } = await send<{ data: string }>("Page.captureScreenshot", {
        format: "png",
        captureBeyondViewport: true,
      });
      return Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    },
  };
}

/** What an event tells of something wrong in the page. */
function complaintOf(method: string, params: EventParams): string | undefined {
  switch (method) {
    case "Runtime.exceptionThrown":
      return `exception: ${describe(params.exceptionDetails)}`;
    case "Runtime.consoleAPICalled":
      return `console: ${params.args.map((arg) => arg.value ?? arg.description).join(" ")}`;
    case "Log.entryAdded":
      return `${params.entry.source}: ${params.entry.text}`;
    case "Audits.issueAdded":
      return `issue: ${params.issue.code} ${JSON.stringify(params.issue.details)}`;
    case "Page.javascriptDialogOpening":
      return `dialog: ${params.message}`;
  }
  return undefined;
}

function describe({ text, exception }: Exception): string {
  return exception?.description ?? text;
}
