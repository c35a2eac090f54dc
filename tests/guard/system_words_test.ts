import { assertEquals } from "@std/assert";
import { namesSystem } from "../../lib/guard/system_words.ts";
import { pureTest } from "../support/pure.ts";

pureTest("namesSystem() finds systems, distributions, devices and processors, whatever stands beside them", () => {
  const naming = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
    "OpenSSH_for_Windows_8.1",
    "git/2.47.0.windows.1",
    "git/2.39.3 (Apple Git-146)",
    "Wget/1.20.3 (linux-gnu)",
    "curl/7.15.5 (x86_64-redhat-linux-gnu)",
    "w3m/0.5.3+debian-15",
    "Debian APT-HTTP/1.3 (2.6.1)",
    "Raspbian-10+deb10u2",
    "OpenSSH_9.6 FreeBSD-20240104",
    "NetBSD_Secure_Shell-20221004",
    "CFNetwork/1408.0.4 Darwin/22.5.0",
    "LINUX",
    "armv7l",
    "Mac OS X 10_15_7",
    "macOS/14.1",
  ];
  assertEquals(naming.filter((text) => !namesSystem(text)), []);
});

pureTest("namesSystem() finds none in names of programs, or inside of other words", () => {
  const neutral = [
    "",
    "curl/8.5.0",
    "MYOB/6.66 (AN/ON)",
    "axios/1.6.2",
    "python-requests/2.31.0",
    "Go-http-client/1.1",
    "AppleWebKit",
    "Alpine 2.26",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "PuTTY_Release_0.78",
    "libssh2_1.11.0",
    "Darwinia",
    "archive",
  ];
  assertEquals(neutral.filter(namesSystem), []);
});
