import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { GIT, SVN } from "../../lib/guard/repository.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

/** A packet of git: its length in front. */
function packet(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

pureTest("GIT finds a host of the clearnet, and a system in the agent", () => {
  const ask = (host: string): string => packet(`git-upload-pack /x.git\0host=${host}\0\0version=2\0`);
  const cases: readonly [string, LeakKind[]][] = [
    [ask("git.i2p"), []],
    [ask("git.i2p:9418"), []],
    [ask("example.org"), ["git-host"]],
    [packet("git-receive-pack /x.git\0host=desk\0"), ["git-host"]],
    [`${ask("git.i2p")}${packet("command=ls-refs\n")}${packet("agent=git/2.39.5")}00010000`, []],
    [`${ask("git.i2p")}${packet("agent=git/2.50.0-Linux")}0001`, ["git-agent"]],
    [`${ask("a.i2p")}${packet(`want ${"a".repeat(40)} side-band-64k agent=git/2.39.3.(Apple.Git-146)\n`)}0000`, [
      "git-agent",
    ]],
    [`${ask("git.i2p")}PACK\0\0\0\x02agent=Linux`, []],
  ];
  for (const [sent, leaks] of cases) assertEquals(readStream(GIT, sent)?.leaks, leaks, sent);
  for (const sent of ["0032GIT-upload-pack x", "git-upload-pack /x\0host=a.org\0", "abcd", "00320"]) {
    assertEquals(readStream(GIT, sent), undefined, sent);
  }
});

pureTest("SVN finds a system in the client's name", () => {
  const received = "( success ( 2 2 ( ) ( edit-pipeline ) ) ) ";
  const greet = (client: string): string =>
    `( 2 ( edit-pipeline svndiff1 ) 18:svn://svn.i2p/repo ${client.length}:${client} ( ) ) `;
  assertEquals(readStream(SVN, greet("SVN/1.14.2 (x86_64-pc-linux-gnu)"), { received })?.leaks, ["svn-client"]);
  assertEquals(readStream(SVN, greet("SVN/1.14.2"), { received })?.leaks, []);
  assertEquals(readStream(SVN, "( 2 ( edit-pipeline ) 18:svn://svn")?.leaks, []);
  assertEquals(readStream(SVN, "(define x 1)\n"), undefined);
});
