import { assert, assertEquals } from "@std/assert";
import { readSettings } from "../../lib/config/settings.ts";
import {
  BufferPool,
  LARGE_BUFFER,
  MAX_LARGE_BUFFERS,
  MAX_MEDIUM_BUFFERS,
  MEDIUM_BUFFER,
} from "../../lib/relay/buffer_pool.ts";
import { pureTest } from "../support/pure.ts";

pureTest("BufferPool lends large buffers, then medium ones, then none, and lends again what came back", () => {
  const pool = new BufferPool();
  const rented = Array.from({ length: MAX_LARGE_BUFFERS + MAX_MEDIUM_BUFFERS }, () => pool.rent());
  const sizes = rented.map((buffer) => buffer?.length);
  assert(sizes.slice(0, MAX_LARGE_BUFFERS).every((size) => size === LARGE_BUFFER));
  assert(sizes.slice(MAX_LARGE_BUFFERS).every((size) => size === MEDIUM_BUFFER));
  assertEquals(new Set(rented).size, rented.length);
  assertEquals(pool.rent(), undefined);
  for (const buffer of [rented[0], rented.at(-1)]) {
    if (buffer !== undefined) pool.giveBack(buffer);
    assert(pool.rent() === buffer);
    assertEquals(pool.rent(), undefined);
  }
});

pureTest("BufferPool has a buffer for a busy stream beside as many stalled ones as there may be clients", () => {
  const pool = new BufferPool();
  const { connections } = readSettings(new Map()).limits;
  for (let i = 1; i < connections; i++) pool.rent();
  assert(pool.rent() !== undefined);
});
