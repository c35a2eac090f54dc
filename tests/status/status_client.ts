import { assert, assertEquals } from "@std/assert";
import type { ApplicationStatus, Snapshot } from "../../lib/status/snapshot.ts";
import type { ProxyChild } from "../support/proxy_process.ts";
import { rawGet } from "../clients/raw_http.ts";

/** The port of a status that has been announced. */
export async function statusPort(child: ProxyChild): Promise<number> {
  const line = /Serving the status at http:\/\/127\.0\.0\.1:(\d+)\//;
  await child.waitFor("stderr", line);
  return Number(line.exec(child.stderr())?.[1]);
}

/** The status as `/status.json` has it. */
export async function snapshot(port: number): Promise<Snapshot> {
  const { status, body } = await rawGet(port, "/status.json");
  assertEquals(status, 200);
  return JSON.parse(body);
}

/** The status of the only application. */
export async function only(port: number): Promise<ApplicationStatus> {
  const { applications: [application, ...more] } = await snapshot(port);
  assertEquals(more, []);
  assert(application !== undefined);
  return application;
}

/** Asks again and again until what is said of the only application is so; ten seconds at most. */
export async function untilIt(
  what: string,
  port: number,
  isSo: (application: ApplicationStatus) => boolean,
): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (isSo(await only(port))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Not within 10 s: ${what}\n${JSON.stringify(await only(port))}`);
}
