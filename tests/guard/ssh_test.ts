import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { SSH } from "../../lib/guard/ssh.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

function verdict(sent: string): { leaks: LeakKind[]; isDone: boolean } | undefined {
  const report = readStream(SSH, sent, { isOpen: true });
  return report && { leaks: report.leaks, isDone: report.isDone };
}

pureTest("ssh names a version line that names the distribution or the system", () => {
  const lines = [
    "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
    "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5",
    "SSH-2.0-OpenSSH_8.4p1 Raspbian-5+deb11u3",
    "SSH-2.0-OpenSSH_9.6 FreeBSD-20240104",
    "SSH-2.0-OpenSSH_9.1 NetBSD_Secure_Shell-20221004",
    "SSH-2.0-OpenSSH_for_Windows_8.1",
  ];
  for (const line of lines) assertEquals(verdict(`${line}\r\n\0\0\x05`), { leaks: ["ssh-banner"], isDone: true }, line);
});

pureTest("ssh finds nothing in a version line that names the program alone", () => {
  const lines = [
    "SSH-2.0-OpenSSH_9.2",
    "SSH-2.0-OpenSSH_9.9p1",
    "SSH-2.0-PuTTY_Release_0.78",
    "SSH-2.0-libssh2_1.11.0",
    "SSH-2.0-paramiko_3.4.0",
    "SSH-2.0-dropbear_2022.83",
    "SSH-2.0-Go",
    "SSH-2.0-JSCH_0.2.17",
    "SSH-1.99-x",
  ];
  for (const line of lines) assertEquals(verdict(`${line}\r\nDebian`), { leaks: [], isDone: true }, line);
});

pureTest("ssh waits for the end of the line, and not for ever", () => {
  const line = "SSH-2.0-OpenSSH_9.2p1 Debian-2\n";
  for (let length = 0; length < 8; length++) assertEquals(verdict(line.slice(0, length)), undefined);
  for (let length = 8; length < line.length; length++) {
    assertEquals(verdict(line.slice(0, length)), { leaks: [], isDone: false });
  }
  assertEquals(verdict(line), { leaks: ["ssh-banner"], isDone: true });
  assertEquals(verdict("SSH-2.0-Debian ".padEnd(254, "x")), { leaks: [], isDone: false });
  assertEquals(verdict("SSH-2.0-Debian ".padEnd(254, "x") + "\n"), { leaks: ["ssh-banner"], isDone: true });
  assertEquals(verdict("SSH-2.0-Debian ".padEnd(255, "x") + "\n"), { leaks: [], isDone: true });
});

pureTest("ssh leaves other protocols alone", () => {
  for (const sent of ["ssh-2.0-Debian\n", " SSH-2.0-Debian\n", "GET /SSH- HTTP/1.1\r\n", "\0SSH-"]) {
    assertEquals(verdict(sent), undefined, sent);
  }
});
