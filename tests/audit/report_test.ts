import { assertEquals } from "@std/assert";
import { clientsOf, SOFTWARE } from "../../lib/audit/clients.ts";
import { describeReport, makeReport } from "../../lib/audit/report.ts";
import { CLIENTS } from "../../lib/command/setup_clients.ts";
import { LEAKS } from "../../lib/guard/leak.ts";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { AuditBook } from "../../lib/report/audit_book.ts";
import { Counters } from "../../lib/report/counters.ts";
import { pureTest } from "../support/pure.ts";

pureTest("clientsOf() knows clients by what they send", () => {
  assertEquals(Object.keys(SOFTWARE).filter((name) => !(name in CLIENTS)), []);
  const software = [
    "curl/7.88.1",
    "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "git/2.39.5",
    "QUIT :WeeChat 3.8",
    "NOTICE x :\x01VERSION irssi v1.4.3\x01",
    "-qB4520-abcdefghijkl",
    "qBittorrent/4.5.2",
    "MYOB/6.66",
  ];
  assertEquals(clientsOf(software), ["chromium", "curl", "firefox", "git", "irssi", "qbittorrent", "ssh", "weechat"]);
  assertEquals(clientsOf([]), []);
});

pureTest("makeReport() sums up what sites have seen, what was asked beside I2P, and what to change", () => {
  const [book, counters] = [new AuditBook(), new Counters()];
  for (const site of ["a.i2p", "b.i2p", "c.i2p"]) {
    book.request();
    book.visit(`${site}:80`);
    book.note("identity", "own.b32.i2p", site);
    if (site !== "c.i2p") book.note("cookie", "id=12345678", site);
  }
  book.visit("a.i2p:8080");
  book.name("curl/8.5.0");
  counters.add("leak-secret", 2);
  counters.add("refused-clearnet", 3);
  counters.add("udp-dropped-clearnet", 1);
  counters.add("sign-clearnet", 4);
  for (const destination of ["t.example.com:443", "t.example.com:80", "u.example.com:443"]) {
    book.refuse("clearnet", destination);
  }
  const report = makeReport(book, counters, 1_000);
  assertEquals([report.clean, report.sites, report.clients], [false, 3, ["curl"]]);
  assertEquals(report.beside, { names: { count: 4, hosts: 2 }, addresses: { count: 0, hosts: 0 } });
  assertEquals(report.linked.map(({ trait, sites, values }) => [trait, sites, values]), [["identity", 3, 1], [
    "cookie",
    2,
    1,
  ]]);
  assertEquals(report.changes.slice(0, 3), [
    "curl: i2p-socks setup curl has the settings",
    REASONS.clearnet.sign?.fix ?? "",
    LEAKS.secret.fix,
  ]);
  const lines = describeReport(report);
  assertEquals(lines.slice(lines.indexOf("Is this client safe?")), [
    "Is this client safe?",
    "It gave away, of you and this machine:",
    `✗ secret (2 ×): ${LEAKS.secret.message}`,
    "It asked for what is not in I2P:",
    `✗ clearnet (4 ×): ${REASONS.clearnet.sign?.message}`,
    "  2 names of the clearnet",
    "It went to 3 sites",
    "By this they can tell that it was the same client:",
    "  3 sites: The same identity: one address in I2P",
    "  2 sites: The same cookie",
    "What to change:",
    ...report.changes.map((change) => `  ${change}`),
    "✓ Every request came by name: no sign of a DNS leak",
    "✗ Not yet: it gives away what is listed here",
    "It sees plaintext only: what is encrypted may say anything.",
  ]);
});

pureTest("makeReport() names no client to set up where nothing leaked", () => {
  const book = new AuditBook();
  book.name("curl/8.5.0");
  const { clean, changes, clients } = makeReport(book, new Counters(), 0);
  assertEquals([clean, changes, clients], [true, [], ["curl"]]);
});

pureTest("describeReport() says nothing of a client that never came", () => {
  const lines = describeReport(makeReport(new AuditBook(), new Counters(), 1_000));
  assertEquals(lines.slice(1), [
    "Is this client safe?",
    "- Nothing can be said: no request came, so the application may not use this proxy",
    "It sees plaintext only: what is encrypted may say anything.",
  ]);
});
