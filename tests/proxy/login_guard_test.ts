import { assertEquals } from "@std/assert";
import type { LoginBook } from "../../lib/config/login_book.ts";
import { LoginGuard } from "../../lib/proxy/login_guard.ts";
import { Clock } from "../support/clock.ts";

Deno.test("LoginGuard answers wrong logins later and later, and begins anew after a minute without one", async () => {
  using clock = new Clock({ runs: false });
  const guard = new LoginGuard({ verify: () => Promise.resolve(false) } as unknown as LoginBook);
  const login = { user: new Uint8Array(), password: new Uint8Array() };
  const assertTakes = async (milliseconds: number): Promise<void> => {
    let answer: boolean | undefined;
    const asked = guard.verify(login, new AbortController().signal).then((isRight) => answer = isRight);
    await clock.skip(0);
    await clock.skip(milliseconds - 1);
    assertEquals(answer, undefined, `it took less than ${milliseconds} ms`);
    await clock.skip(1);
    assertEquals(answer, false, `it took more than ${milliseconds} ms`);
    await asked;
  };
  for (const milliseconds of [100, 200, 400, 800, 1_600, 3_000, 3_000]) await assertTakes(milliseconds);
  await clock.skip(60_000 - 3_000);
  await assertTakes(3_000);
  await clock.skip(60_001 - 3_000);
  for (const milliseconds of [100, 200]) await assertTakes(milliseconds);
});
