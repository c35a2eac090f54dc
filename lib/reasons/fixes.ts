import type { Reason } from "./refusals.ts";

/** What to do about a failure, with either router. */
export interface Fix {
  /** With i2pd. */
  i2pd: string;
  /** With Java I2P. */
  java: string;
}

const LATER = "the site may be offline: try another one, or this one later";

/** Fixes for the failures that a user can do something about. */
const FIXES: Partial<Record<Reason, Fix>> = {
  "router-down": {
    i2pd: "start it; SAM is on, at 127.0.0.1:7656, unless the [sam] section of i2pd.conf says otherwise",
    java: 'start it, then the "SAM application bridge" at http://127.0.0.1:7657/configclients',
  },
  "router-silent": {
    i2pd: "give --sam the port of SAM, 7656 by default, not 4444 (HTTP) or 4447 (SOCKS); if it was that, restart i2pd",
    java: "give --sam the port of SAM, 7656 by default, not 4444 (HTTP) or 7657 (console); if it was that, restart it",
  },
  "not-sam": {
    i2pd: "give --sam the port of the [sam] section, 7656 if it has none; 4444 is HTTP, 4447 SOCKS, 7070 the console",
    java:
      "give --sam the port of the SAM application bridge, 7656 by default; 4444 is HTTP, 7654 I2CP, 7657 the console",
  },
  "sam-version": {
    i2pd: "upgrade it: SAM 3.1 is in every release since 2017",
    java: "upgrade it: SAM 3.1 is in every release since 0.9.14",
  },
  "sam-login": {
    i2pd: "it has no logins: most likely another program listens there",
    java: "--sam-user and --sam-password-file, with a user of the SAM bridge (sam.config)",
  },
  "not-ready": {
    i2pd: "after a first start it needs up to 10 minutes: http://127.0.0.1:7070 counts tunnels and routers",
    java: "after a first start it needs up to 10 minutes: wait for the green star at http://127.0.0.1:7657/tunnels",
  },
  "session-refused": {
    i2pd: "its log says why; tunnel options (-o, --lease-set-encryption) are the usual cause",
    java: 'for "session limit exceeded" end other clients; for anything else see http://127.0.0.1:7657/logs',
  },
  "datagrams-refused": {
    i2pd: "DATAGRAM2 and DATAGRAM3 are in 2.58, not in 2.45: leave out --udp-style, or upgrade it",
    java: "DATAGRAM2 and DATAGRAM3 came with API 0.9.66 or later: leave out --udp-style, or upgrade it",
  },
  "key-refused": {
    i2pd: "another kind of router may have made the key; its file was not touched, and keys rotate makes a new one",
    java: "another kind of router may have made the key; its file was not touched, and keys rotate makes a new one",
  },
  "identity-in-use": {
    i2pd: "another program, or a tunnel of the router's own, has the same key: end it, or wait a minute",
    java: "another program, or a tunnel of the router's own, has the same key: end it, or wait a minute",
  },
  "name-unknown": {
    i2pd: "use the base32 address, or add a subscription to the [addressbook] section of i2pd.conf",
    java: "use the base32 address, or add the name or a subscription at http://127.0.0.1:7657/dns",
  },
  "garlicat-unknown": {
    i2pd: "it never looks such names up: use the base32 address, or serve with a line for it in the file of --hosts",
    java: "use the base32 address, add the name at http://127.0.0.1:7657/dns, or serve with a line for it in --hosts",
  },
  "lease-set-not-found": { i2pd: LATER, java: LATER },
  "peer-unreachable": { i2pd: LATER, java: LATER },
  "peer-silent": { i2pd: LATER, java: LATER },
  "timed-out": { i2pd: LATER, java: LATER },
  "incompatible-encryption": {
    i2pd: "add the site's encryption type with --lease-set-encryption",
    java: "add the site's encryption type with --lease-set-encryption",
  },
};

/** A fix for people, in a line for each router; in one where both need the same. */
export function fixLines({ i2pd, java }: Fix): string[] {
  return i2pd === java ? [i2pd] : [`i2pd: ${i2pd}`, `Java I2P: ${java}`];
}

/** The fix for a failure, where there is one. */
export function fixOf(reason: Reason): Fix | undefined {
  return FIXES[reason];
}
