import type { ChromiumPage } from "../clients/chromium.ts";
import {
  lostApplication,
  readyApplication,
  servingApplication,
  type StagedApplication,
  startStatusStage,
  statusOf,
  type StatusStage,
} from "./status_stage.ts";

/** Answers that fill the graphs: two seconds apart, five minutes. */
const ANSWERS = 152;

/** Windows and colours, and for each a picture. The first one is the README's. */
const PICTURES = [
  { name: "status", width: 1080, scheme: "light", both: false },
  { name: "light-1280", width: 1280, scheme: "light", both: true },
  { name: "dark-1280", width: 1280, scheme: "dark", both: true },
  { name: "light-360", width: 360, scheme: "light", both: true },
  { name: "dark-360", width: 360, scheme: "dark", both: true },
];

/** Takes pictures of the status page after five minutes of an invented browser, with and without others beside it. */
export async function takePictures(page: ChromiumPage, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const { name, width, scheme, both } of PICTURES) {
    await using stage = startStatusStage(statusOf([]));
    const fill = playHistory(stage, both);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height: 200, deviceScaleFactor: 1, mobile: false });
    await page.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }],
    });
    await page.open(stage.url);
    await fill(page);
    await Deno.writeFile(`${folder}/${name}.png`, await page.screenshot());
    if (both) await takeStale(page, stage, `${folder}/stale-${name}.png`);
  }
}

async function takeStale(page: ChromiumPage, stage: StatusStage, path: string): Promise<void> {
  stage.answer = () => new Response("", { status: 500 });
  await page.until("document.title === 'no answer - i2p-socks'");
  await Deno.writeFile(path, await page.screenshot());
}

/** With fewer refusals: the README's picture stays small. */
function brief(application: StagedApplication): StagedApplication {
  return { ...application, refusals: application.refusals.slice(0, 2) };
}

/** Lets each answer be two seconds later than the one before. The page asks at once when it is looked at again. */
function playHistory(stage: StatusStage, both: boolean): (page: ChromiumPage) => Promise<void> {
  let asked = 0;
  let bytesSent = 1_481_226;
  let bytesReceived = 61_630_871;
  stage.answer = () => {
    if (asked < ANSWERS) {
      asked++;
      const pace = Math.max(0.04, Math.sin(asked / 13) * Math.sin(asked / 5.3) + 0.2 * Math.sin(asked * 1.7) + 0.1);
      bytesReceived += Math.round(310_000 * pace);
      bytesSent += Math.round(12_000 * pace + 5_000 * Math.abs(Math.sin(asked / 3.1) ** 5) + 400);
    }
    const application = readyApplication({ bytesSent, bytesReceived });
    const applications = both ? [application, lostApplication(), servingApplication()] : [brief(application)];
    return Response.json(statusOf(applications, 15_214 - 2 * (ANSWERS - asked)));
  };
  return async (page) => {
    for (let i = 0; i < 3_000 && asked < ANSWERS; i++) {
      await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    }
    await page.until("document.querySelector('.axis .peak').innerText.includes('kB')");
  };
}
