/** What the status page does in Chromium. Run by page_test.ts, in a network that has loopback alone. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type ChromiumPage, startChromium } from "../clients/chromium.ts";
import { findProgram } from "../support/e2e.ts";
import { readContrasts } from "../status/contrast.ts";
import { takePictures } from "../status/status_pictures.ts";
import {
  b32,
  lostApplication,
  lostLasting,
  readyApplication,
  servingApplication,
  startStatusStage,
  statusOf,
} from "../status/status_stage.ts";

/** A name that would run, were it markup. */
const MARKUP = "<img src=x onerror=alert(1)>";

const BOTH = statusOf([readyApplication(), lostApplication()]);

const ALL = statusOf([...BOTH.applications, servingApplication()]);

/** What is there only where an option has switched it on. */
const SWITCHED = /--forward|--bind|--udp|caller|datagram/i;

Deno.test("the status page in Chromium", async (t) => {
  await using browser = await startChromium(findProgram("chromium") ?? "chromium");
  const { page } = browser;
  const text = (selector: string): Promise<string> =>
    page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);

  await t.step("shows an application that is ready and one that is not, without a complaint", async () => {
    await using stage = startStatusStage(BOTH);
    await load(page, stage.url);
    assertEquals(await page.evaluate("document.title"), "1 of 2 not ready - i2p-socks");
    assertEquals(await text("#state"), "1 of 2 not ready");
    assertStringIncludes(await text("#since"), "Version 0.1.0, up for 4 h 13 min");
    const ready = await text("section:first-child");
    for (
      const words of ["browser", "Ready", "[::1]:4447", "127.0.0.1:7656, version 3.1", "3.5 MB", "94.6 MB", "Login 1"]
        .concat(b32("k"), "Building tunnels", "4 h 13 min", "Not an I2P name; this proxy reaches I2P only")
        .concat(
          "use socks5h or socks4a",
          "Set a neutral User-Agent in the application",
          "User-Agent names the operating system",
          "Set a neutral User-Agent",
        )
    ) assertStringIncludes(ready, words);
    const lost = await text("section:last-child");
    assertStringIncludes(lost, "Not ready");
    assertMatch(
      lost,
      /Cannot connect to the router's SAM bridge\.\s+Start it\.\s+i2p-socks check --sam 127.0.0.1:7657 looks/,
    );
    assertStringIncludes(lost, "127.0.0.1:7657, not reached");
    assertStringIncludes(lost, "Nothing has failed, been refused or blocked so far.");
    assertEquals([SWITCHED.exec(ready)?.[0], SWITCHED.exec(lost)?.[0]], [undefined, undefined]);
    assertEquals(page.complaints, []);
    assert(page.requests.every((url) => url.startsWith(stage.url)), page.requests.join("\n"));
    assert(page.requests.includes(`${stage.url}status.json`));
  });

  await t.step("shows callers, BIND and datagrams where they are switched on, each for itself", async () => {
    await using stage = startStatusStage(ALL);
    await load(page, stage.url);
    const serving = await text("section:last-child");
    const numbers = await page.evaluate<string[]>(
      "[...document.querySelectorAll('section:last-child .numbers div')].map((pair) => pair.textContent)",
    );
    assertEquals(numbers.length, 6 + 5 + 4 + 4, numbers.join());
    for (
      const pair of [
        "Served now3",
        "Reached a service998",
        "Sent to callers52.4 MB",
        "Wait now1",
        "Callers not wanted2",
      ]
        .concat("Associations3", "Datagrams sent20,480", "Datagrams received18,211")
    ) assert(numbers.includes(pair), `${pair} not in ${numbers.join()}`);
    for (
      const words of ["Blocked by --allow-caller or --deny-caller", "does it listen where --forward points?"]
        .concat("Larger than an I2P datagram can be", "31744 bytes", "Datagrams 1", b32("u"))
        .concat("Datagrams 2", "Callers from I2P (--forward)", "Clients that wait for a caller (--bind)")
    ) assertStringIncludes(serving, words);
    assert(!serving.includes("would not wait"));
    const { callers, bind: _bind, udp: _udp, ...rest } = servingApplication();
    const forwarding = { ...rest, ...(callers && { callers: { ...callers, acceptFailures: 7, refused: [] } }) };
    stage.answer = () => Response.json(statusOf([...BOTH.applications, forwarding]));
    await page.until("document.querySelector('section:last-child').innerText.includes('would not wait')");
    const left = await text("section:last-child");
    assert(!left.includes("Callers turned away"), "an empty table");
    assert(!left.includes("--bind") && !left.includes("--udp"), left);
    assertEquals(page.complaints, []);
  });

  await t.step("what breaks the policy is noticed here", async () => {
    await using stage = startStatusStage(BOTH);
    stage.change = (html) => html.replace("<main>", '<main style="color: red">');
    await load(page, stage.url);
    assertMatch(page.complaints.join("\n"), /violates the following Content Security Policy directive/);
  });

  await t.step("shows names as text, whatever they are", async () => {
    const identities = [{ ...BOTH.applications[0]?.identities[0], b32: MARKUP, reason: MARKUP }];
    await using stage = startStatusStage(BOTH);
    const application = { ...readyApplication({ name: MARKUP, listen: [MARKUP] }), identities };
    stage.answer = () => Response.json({ ...BOTH, applications: [application] });
    await load(page, stage.url);
    assertEquals(await text("h2"), MARKUP);
    assertEquals(await page.evaluate("[...document.querySelectorAll('.address')].map((node) => node.textContent)"), [
      MARKUP,
      MARKUP,
    ]);
    assertEquals(await page.evaluate("document.querySelectorAll('img').length"), 0);
    assertEquals(page.complaints, []);
  });

  await t.step("follows what changes, and keeps the focus where it is", async () => {
    await using stage = startStatusStage(statusOf([readyApplication(), lostApplication()]));
    await load(page, stage.url);
    await page.evaluate("document.querySelector('section:last-child button').focus()");
    stage.answer = () =>
      Response.json(statusOf([readyApplication({ streams: 77 }), lostApplication({ ready: true, samVersion: "3.3" })]));
    await page.until("document.title === 'ready - i2p-socks'");
    assertEquals(await text("#state"), "Ready");
    assertStringIncludes(await text("section:first-child .numbers"), "77");
    assertStringIncludes(await text("section:last-child"), "127.0.0.1:7657, version 3.3");
    assertEquals(await page.evaluate("document.activeElement.textContent"), "Copy 127.0.0.1:4448");
    assertStringIncludes(await text("#overview"), "irc");
    stage.answer = () => Response.json(statusOf([lostApplication({ identities: [lostLasting()] })]));
    await page.until("document.querySelectorAll('section').length === 1");
    assertEquals(await text("#overview"), "", "one application needs no table of them");
    assertStringIncludes(await text("section"), b32("z"));
    assertEquals(await page.evaluate("document.title"), "not ready - i2p-socks");
    assertEquals(await page.evaluate("document.activeElement.textContent"), "Copy 127.0.0.1:4448");
  });

  await t.step("draws rates, and begins anew after a restart", async () => {
    await using stage = startStatusStage(BOTH);
    let asked = 0;
    stage.answer = () => {
      asked++;
      const application = readyApplication({ bytesSent: asked * 20_000, bytesReceived: asked * 3_000_000 });
      return Response.json(statusOf([application], asked * 2));
    };
    await load(page, stage.url);
    await page.until("document.querySelector('.sent .line').getAttribute('d').includes('L')");
    assertEquals(await text(".sent .now"), "10.0 kB/s");
    assertEquals(await text(".received .now"), "1.5 MB/s");
    const label = await page.evaluate("document.querySelector('.received svg').getAttribute('aria-label')");
    assertEquals(label, "Received since the page was opened: now 1.5 MB per second, at most 1.5 MB per second");
    assertEquals(await text(".received .begin"), "since the page was opened");
    stage.answer = () => Response.json(statusOf([readyApplication({ bytesSent: 9e6, bytesReceived: 9e9 })], 400));
    await page.until("document.querySelector('.received .begin').textContent === '5 min ago'");
    stage.answer = () => Response.json({ ...statusOf([readyApplication()], 1), startedAt: "2026-01-03T00:00:00.000Z" });
    await page.until("document.querySelector('.sent .line').getAttribute('d') === ''");
    assertEquals(await text(".sent .now"), "0 B/s");
  });

  await t.step("tells aloud what the state is, and no numbers", async () => {
    await using stage = startStatusStage(BOTH);
    let asked = 0;
    let ready = true;
    stage.answer = () => {
      asked++;
      return Response.json(
        statusOf([readyApplication({ ready, bytesSent: asked * 10_000, streams: asked })], asked * 2),
      );
    };
    await load(page, stage.url);
    await page.evaluate(`
      window.told = [];
      for (const node of document.querySelectorAll("[role=status], [role=alert], [aria-live]")) {
        new MutationObserver(() => told.push(node.innerText)).observe(node, { childList: true, subtree: true, characterData: true });
      }`);
    const before = asked;
    await page.until(`Number(document.querySelectorAll(".numbers dd")[1].innerText) > ${before + 1}`);
    assertEquals(await page.evaluate("told"), []);
    ready = false;
    await page.until("told.length > 0");
    assertEquals(await page.evaluate("told"), ["Not ready"]);
  });

  await t.step("says loudly when the program fails, hangs or is gone, and that it is back", async () => {
    await using stage = startStatusStage(BOTH);
    await load(page, stage.url);
    const works = stage.answer;
    stage.answer = () => new Response("", { status: 500 });
    await page.until("document.title === 'no answer - i2p-socks'");
    assertEquals(await text("#alert"), "i2p-socks answers with the error 500");
    assertEquals(await text("section:first-child .head .badge"), "Was ready");
    stage.answer = () => new Response("{}");
    await page.until("document.querySelector('#alert').innerText.includes('does not understand')");
    stage.answer = works;
    await page.until("document.querySelector('#stale').hidden");
    assertEquals(await text("section:first-child .head .badge"), "Ready");
    const hanging = Promise.withResolvers<Response>();
    stage.answer = () => hanging.promise;
    await page.until("!document.querySelector('#stale').hidden");
    assertEquals(await text("#alert"), "i2p-socks does not answer any more");
    hanging.resolve(new Response(""));
    stage.answer = works;
    await page.until("document.querySelector('#stale').hidden");
    await stage[Symbol.asyncDispose]();
    await page.until("document.title === 'no answer - i2p-socks'");
    assertEquals(await text("#alert"), "i2p-socks does not answer any more");
    assertMatch(await text("#ago"), /^What is below is \d+ s old/);
  });

  await t.step(
    "the Tab key reaches every button and link, in the order of the page, and shows where it is",
    async () => {
      await using stage = startStatusStage(BOTH);
      await load(page, stage.url);
      const reached: string[] = [];
      for (let i = 0; i < 8; i++) {
        await page.press("Tab");
        reached.push(await page.evaluate<string>("document.activeElement.textContent"));
        assertEquals(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "solid");
      }
      assertEquals(reached, [
        ...["127.0.0.1:4447", "[::1]:4447", b32("k"), b32("q"), "127.0.0.1:4448"].map((address) => `Copy ${address}`),
        ...["status.json", "metrics", "ready"],
      ]);
    },
  );

  await t.step("copies an address, and says so", async () => {
    await using stage = startStatusStage(BOTH);
    const origin = stage.url.slice(0, -1);
    await page.send("Browser.grantPermissions", {
      origin,
      permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"],
    });
    await load(page, stage.url);
    await page.send("Page.bringToFront");
    await page.evaluate("document.querySelectorAll('section button')[1].focus()");
    await page.press("Enter");
    await page.until("document.querySelector('#said').innerText === 'Copied [::1]:4447'");
    assertEquals(await page.evaluate("navigator.clipboard.readText()"), "[::1]:4447");
    assertEquals(await page.evaluate("document.activeElement.textContent"), "Copied [::1]:4447");
    await page.until("document.activeElement.textContent === 'Copy [::1]:4447'");
    await page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('Not allowed'))");
    await page.press("Enter");
    await page.until("getSelection().toString() === '[::1]:4447'");
    assertEquals(await text("#said"), "Selected [::1]:4447; copy it with the keyboard");
  });

  await t.step("tells a screen reader what is what, also in a narrow window", async () => {
    await using stage = startStatusStage(ALL);
    for (const width of [1280, 360]) {
      await resize(page, width);
      await load(page, stage.url);
      const tree = await readTree(page);
      for (
        const what of [
          ...["banner", "main", "contentinfo", "navigation: The same for programs", "status"],
          ...["heading 1: i2p-socks", "heading 2: browser", "heading 3: Traffic", "region: browser", "region: irc"],
          ...[
            "table: Identities",
            "columnheader: State",
            "rowheader: Own identity",
            "cell: Building tunnels",
            "cell: 4 h 13 min",
          ],
          ...[
            "table: Not connected, by reason",
            "rowheader: clearnet",
            "cell: 37",
            "table: Leaks",
            "columnheader: What to do",
          ],
          ...["heading 2: Applications", "table: Applications", "rowheader: game", "table: Last outcomes"],
          "cell: Connection failed: The router's address book does not have this name",
          ...["button: Copy 127.0.0.1:4447", `button: Copy ${b32("k")}`, "link: metrics"],
          "image: Sent since the page was opened: now 0 B per second, at most 0 B per second",
          ...["region: game", "heading 3: Datagrams (--udp)", "table: Datagrams dropped", "rowheader: too-large"],
          ...["table: Callers turned away", "rowheader: denied", "rowheader: Datagrams 2", `button: Copy ${b32("u")}`],
        ]
      ) assert(tree.some((node) => node === what), `${what} at ${width} pixels, not in\n${tree.join("\n")}`);
      const levels = tree.flatMap((node) => /^heading (\d)/.exec(node)?.[1] ?? []).map(Number);
      assert(levels.every((level, i) => level <= (levels[i - 1] ?? 0) + 1), `headings skip a level: ${levels}`);
    }
    assertEquals(await page.evaluate("document.querySelectorAll('th:not([scope])').length"), 0);
  });

  await t.step("keeps to the window from 320 pixels on", async () => {
    await using stage = startStatusStage(ALL);
    await load(page, stage.url);
    for (const width of [320, 360, 700, 720, 1280]) {
      await resize(page, width);
      assertEquals(await page.evaluate("document.documentElement.scrollWidth"), width);
      // A label of two lines does not push its number, or that of a neighbour, down.
      const tops = "[...document.querySelectorAll('.numbers dd')].map((dd) => dd.offsetTop - dd.parentNode.offsetTop)";
      assertEquals(new Set(await page.evaluate<number[]>(tops)), new Set([0]), `${width} pixels`);
    }
  });

  await t.step("its text has the contrast to be read, in light and in dark, also when it is stale", async () => {
    await using stage = startStatusStage(ALL);
    const grounds = new Set<string>();
    for (const scheme of ["light", "dark"]) {
      await paint(page, scheme);
      stage.answer = () => Response.json(ALL);
      await load(page, stage.url);
      grounds.add(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor"));
      await checkContrast(page, scheme);
      stage.answer = () => new Response("", { status: 500 });
      await page.until("document.title === 'no answer - i2p-socks'");
      await checkContrast(page, `${scheme}, stale`);
    }
    assertEquals(grounds.size, 2, "dark is not dark");
  });

  await t.step("moves nothing for those who want no motion", async () => {
    await using stage = startStatusStage(BOTH);
    const animations = "document.getAnimations().length";
    await page.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-reduced-motion", value: "no-preference" }],
    });
    await load(page, stage.url);
    assert(await page.evaluate<number>(animations) > 0);
    await page.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-reduced-motion", value: "reduce" }] });
    assertEquals(await page.evaluate(animations), 0);
  });

  await t.step("names the command that tells the same where scripts are switched off", async () => {
    await using stage = startStatusStage(BOTH);
    await page.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.open(stage.url);
    const tree = await readTree(page);
    await page.send("Emulation.setScriptExecutionDisabled", { value: false });
    assert(tree.includes("StaticText: i2p-socks status"), tree.join("\n"));
  });

  const folder = Deno.env.get("I2P_SOCKS_PICTURES");
  if (folder) await t.step("takes pictures", () => takePictures(page, folder));
});

/** Opens the page and waits for its first status; what happened before is forgotten. */
async function load(page: ChromiumPage, url: string): Promise<void> {
  await page.open("about:blank");
  page.complaints.length = 0;
  page.requests.length = 0;
  await page.open(url);
  await page.until("document.querySelector('section')");
}

async function resize(page: ChromiumPage, width: number): Promise<void> {
  await page.send("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
}

async function paint(page: ChromiumPage, scheme: string): Promise<void> {
  await page.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
}

async function checkContrast(page: ChromiumPage, where: string): Promise<void> {
  const contrasts = await readContrasts(page);
  assert(contrasts.length > 30, `${contrasts.length} texts`);
  assertEquals(contrasts.filter(({ ratio }) => ratio < 4.5), [], where);
}

/** The accessibility tree as lines: role, level of a heading, name. */
async function readTree(page: ChromiumPage): Promise<string[]> {
  const { nodes } = await page.send<{ nodes: AxNode[] }>("Accessibility.getFullAXTree");
  return nodes.filter((node) => !node.ignored).map((node) => {
    const level = node.properties?.find(({ name }) => name === "level")?.value.value;
    const name = node.name?.value.trim() ?? "";
    return `${node.role.value}${level ? ` ${level}` : ""}${name ? `: ${name}` : ""}`;
  });
}

/** What is read of a node of the accessibility tree. */
interface AxNode {
  ignored: boolean;
  role: { value: string };
  name?: { value: string };
  properties?: { name: string; value: { value: unknown } }[];
}
