import { assert, assertEquals } from "@std/assert";
import { PAGE } from "../../lib/status/page.ts";
import { pureTest } from "../support/pure.ts";

pureTest("PAGE is small", () => {
  const { length } = new TextEncoder().encode(PAGE);
  assert(length < 32_000, `${length} bytes`);
});

pureTest("PAGE has one style and one script, and no attribute that is either", () => {
  assertEquals(PAGE.match(/<\/?(style|script|link)\b[^>]*>/g), [
    ...["<style>", "</style>"],
    ...['<script type="module">', "</script>"],
  ]);
  assertEquals(PAGE.match(/<[^>]*\s(style|on\w+)=/g), null);
});

pureTest("PAGE names nothing outside itself but files of its own origin", () => {
  assertEquals(PAGE.match(/\b[a-z]+:\/\/|url\(|@import|\ssrc=/g), null);
  assertEquals(PAGE.match(/href=[^>]*/g), ['href="/status.json"', 'href="/metrics"', 'href="/ready"']);
});

pureTest("PAGE never hands text to a parser", () => {
  assertEquals(PAGE.match(/innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|eval\(/g), null);
});
