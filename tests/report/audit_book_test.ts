import { assertEquals } from "@std/assert";
import { AuditBook, MAX_AUDITED } from "../../lib/report/audit_book.ts";
import { pureTest } from "../support/pure.ts";

pureTest("AuditBook counts visits by destination, the most visited one first", () => {
  const book = new AuditBook();
  assertEquals([book.visits, book.others], [[], 0]);
  for (const destination of ["a.i2p:80", "b.i2p:80", "b.i2p:443", "b.i2p:80"]) book.visit(destination);
  assertEquals(book.visits, [["b.i2p:80", 2], ["a.i2p:80", 1], ["b.i2p:443", 1]]);
  assertEquals(book.others, 0);
});

pureTest("AuditBook counts destinations beyond its limit together, and those within it go on being counted", () => {
  const book = new AuditBook();
  for (let i = 0; i < MAX_AUDITED; i++) book.visit(`${i}.i2p:80`);
  assertEquals([book.visits.length, book.others], [MAX_AUDITED, 0]);
  book.visit("one-more.i2p:80");
  book.visit("one-more.i2p:80");
  book.visit(`${MAX_AUDITED - 1}.i2p:80`);
  assertEquals([book.visits.length, book.others], [MAX_AUDITED, 2]);
  assertEquals(book.visits[0], [`${MAX_AUDITED - 1}.i2p:80`, 2]);
});

pureTest("AuditBook counts refusals by reason and destination, and names no more destinations than its limit", () => {
  const book = new AuditBook();
  assertEquals(book.refusals("clearnet"), []);
  for (const name of ["a.com:80", "b.com:443", "b.com:443"]) book.refuse("clearnet", name);
  book.refuse("ip", "192.0.2.1:80");
  assertEquals(book.refusals("clearnet"), [["b.com:443", 2], ["a.com:80", 1]]);
  assertEquals(book.refusals("ip"), [["192.0.2.1:80", 1]]);
  for (let i = 3; i < MAX_AUDITED + 5; i++) book.refuse("clearnet", `${i}.com:80`);
  book.refuse("clearnet", "a.com:80");
  assertEquals(book.refusals("clearnet").length, MAX_AUDITED - 1);
  assertEquals(book.refusals("clearnet").slice(0, 2), [["a.com:80", 2], ["b.com:443", 2]]);
});

pureTest("AuditBook links what two sites or more have seen, that of most sites first", () => {
  const book = new AuditBook();
  for (const site of ["a.i2p", "b.i2p", "b.i2p"]) book.note("cookie", "id=1", site);
  for (const site of ["a.i2p", "b.i2p"]) book.note("cookie", "id=2", site);
  for (const site of ["a.i2p", "b.i2p", "c.i2p"]) book.note("user-agent", "x", site);
  for (const site of ["a.i2p", "b.i2p"]) book.note("etag", site, site);
  assertEquals(book.links, [{ trait: "user-agent", values: 1, sites: 3 }, { trait: "cookie", values: 2, sites: 2 }]);
});

pureTest(
  "AuditBook notes no more than its limit of what sites have seen, and a limited number of clients' names",
  () => {
    const book = new AuditBook();
    for (let i = 0; i < MAX_AUDITED; i++) book.note("cookie", "id", `${i}.i2p`);
    book.note("cookie", "id", "more.i2p");
    assertEquals(book.links, [{ trait: "cookie", values: 1, sites: MAX_AUDITED }]);
    for (let i = 0; i < 100; i++) book.name(`${i}`.padEnd(1_000));
    assertEquals([book.software.length, book.software[0]?.length], [64, 256]);
  },
);

pureTest("AuditBook counts sites by host, whatever the port", () => {
  const book = new AuditBook();
  for (const destination of ["a.i2p:80", "a.i2p:443", "b.i2p:80"]) book.visit(destination);
  assertEquals(book.sites, 2);
});
