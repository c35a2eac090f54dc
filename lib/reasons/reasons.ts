import { Extended5, Reply4, Reply5 } from "../socks/wire.ts";
import { ExitCode } from "./exit_code.ts";

/** Why a client did not get its stream. */
export type Reason =
  | "clearnet"
  | "rule"
  | "leak"
  | "ip"
  | "address-unmapped"
  | "malformed-address"
  | "router-down"
  | "router-silent"
  | "not-sam"
  | "sam-version"
  | "sam-login"
  | "sam-refused"
  | "router-starting"
  | "session-refused"
  | "session-failed"
  | "encryption-unsupported"
  | "datagrams-refused"
  | "key-refused"
  | "identity-in-use"
  | "not-ready"
  | "name-unknown"
  | "garlicat-unknown"
  | "lease-set-not-found"
  | "peer-silent"
  | "peer-unreachable"
  | "incompatible-encryption"
  | "own-address"
  | "peer-refused"
  | "timed-out"
  | "router-error"
  | "router-busy"
  | "login-missing"
  | "login-refused"
  | "too-many"
  | "too-many-per-client"
  | "too-many-identities"
  | "too-many-associations"
  | "client-address"
  | "too-many-names"
  | "out-of-descriptors"
  | "command"
  | "address-type"
  | "auth-method"
  | "http"
  | "not-socks"
  | "malformed-request"
  | "handshake-timeout"
  | "client-closed"
  | "stopping"
  | "internal";

/** Who kept a client from its stream, and the words for it in the log: a failed connection is not a refusal. */
export const OUTCOMES = {
  /** This program, because of where the client wanted to go, or what it sent. */
  blocked: "Blocked",
  /** This program, because of the request itself, its login, or a limit. */
  refused: "Refused",
  /** The router or the site. */
  failed: "Connection failed",
  /** The client. */
  left: "Client left",
} as const;

/** One of {@linkcode OUTCOMES}. */
export type Outcome = keyof typeof OUTCOMES;

/** What to do about a failure, with either router. */
export interface Fix {
  /** With i2pd. */
  readonly i2pd: string;
  /** With Java I2P. */
  readonly java: string;
}

/** What a refusal says about the application that asked. */
export interface Sign {
  /** Its name, as leaks have one. */
  readonly name: string;
  /** What it means, one sentence. */
  readonly message: string;
  /** How to stop it. */
  readonly fix: string;
}

/** Everything that follows from a reason. What does not exist is `null`, so that no row can forget it. */
export interface ReasonEntry {
  /** Who kept the client from its stream. */
  readonly outcome: Outcome;
  /** What happened, one sentence for people. */
  readonly message: string;
  /** What to do about it, one sentence for log and status. */
  readonly hint: string | null;
  /** What to do about it with either router, for `check` and errors of the command line. */
  readonly fix: Fix | null;
  /** SOCKS5 reply code (RFC 1928 §6). */
  readonly reply5: Reply5;
  /** SOCKS4 reply code. */
  readonly reply4: Reply4;
  /** SOCKS5 reply code with `--extended-errors` (Tor proposal 304). */
  readonly extended: Extended5 | null;
  /** How a verb ends that fails for this reason. */
  readonly exitCode: ExitCode;
  /** Whether the message of a failure is the router's RESULT instead of the one above. */
  readonly quotesRouter: boolean;
  /** What it says about the application, for the leak guard. */
  readonly sign: Sign | null;
}

const ROUTER_HINT = "Is the router running, with SAM switched on? i2p-socks check finds the cause";

const LATER_HINT = "Sites come and go: try another one, or this one later";

const LATER: Fix = either("the site may be offline: try another one, or this one later");

/** Every reason why a client did not get its stream: the one table behind replies, log, counters, advice and the manual. */
export const REASONS: Readonly<Record<Reason, ReasonEntry>> = {
  "clearnet": {
    outcome: "blocked",
    message: "Not an I2P name; this proxy reaches I2P only",
    hint: null,
    fix: null,
    reply5: Reply5.notAllowed,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: {
      name: "clearnet",
      message:
        "The application asked for a host outside I2P: often telemetry, an update check, or content embedded in a page",
      fix: "Names in I2P end in .i2p. Look for other hosts in its settings; --log-destinations names them in the log",
    },
  },
  "rule": {
    outcome: "blocked",
    message: "Blocked by --allow or --deny",
    hint: "With --log-destinations the log names what was requested",
    fix: null,
    reply5: Reply5.notAllowed,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "leak": {
    outcome: "blocked",
    message: "The data sent with the request identifies the user, the machine or the software",
    hint: "The log names the leak and its fix; see --leaks",
    fix: null,
    reply5: Reply5.notAllowed,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "ip": {
    outcome: "blocked",
    message: "An IP address; I2P does not use them",
    hint:
      "If you entered a name, the application resolves names itself: use socks5h or socks4a, or switch remote DNS on",
    fix: null,
    reply5: Reply5.addressTypeNotSupported,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: {
      name: "dns",
      message: "The application requests IP addresses, so it resolves names itself: a DNS leak",
      fix:
        "Switch on remote DNS: curl --socks5-hostname, git and others socks5h://, Firefox network.proxy.socks_remote_dns, proxychains proxy_dns, or SOCKS4a",
    },
  },
  "address-unmapped": {
    outcome: "refused",
    message: "This IP address does not stand for a name of this client, or no longer does",
    hint: "The application must look the name up again: it may have cached the address for too long, see --map-names",
    fix: null,
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "malformed-address": {
    outcome: "refused",
    message: "Not a valid I2P address",
    hint: "Compare it with the original: a base32 address is easily cut short",
    fix: null,
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: Extended5.malformedAddress,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "router-down": {
    outcome: "failed",
    message: "Cannot connect to the router's SAM bridge",
    hint: ROUTER_HINT,
    fix: {
      i2pd: "start the router; SAM listens on 127.0.0.1:7656 unless the [sam] section of i2pd.conf says otherwise",
      java: 'start the router, then the "SAM application bridge" at http://127.0.0.1:7657/configclients',
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.samUnreachable,
    quotesRouter: false,
    sign: null,
  },
  "router-silent": {
    outcome: "failed",
    message: "The router's SAM bridge does not answer",
    hint: ROUTER_HINT,
    fix: {
      i2pd:
        "give --sam the port of SAM, 7656 by default, not 4444 (HTTP) or 4447 (SOCKS); if it was that, restart i2pd",
      java:
        "give --sam the port of SAM, 7656 by default, not 4444 (HTTP) or 7657 (console); if it was that, restart it",
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.samUnreachable,
    quotesRouter: false,
    sign: null,
  },
  "not-sam": {
    outcome: "failed",
    message: "The SAM port answered with a different protocol",
    hint: "The default SAM port is 7656",
    fix: {
      i2pd: "give --sam the port of the [sam] section, 7656 if it has none; 4444 is HTTP, 4447 SOCKS, 7070 the console",
      java:
        "give --sam the port of the SAM application bridge, 7656 by default; 4444 is HTTP, 7654 I2CP, 7657 the console",
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.samUnreachable,
    quotesRouter: false,
    sign: null,
  },
  "sam-version": {
    outcome: "failed",
    message: "The SAM bridge does not support SAM 3.1",
    hint: "The router is too old, or it is another program",
    fix: {
      i2pd: "upgrade it: SAM 3.1 is in every release since 2017",
      java: "upgrade it: SAM 3.1 is in every release since 0.9.14",
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.samUnreachable,
    quotesRouter: false,
    sign: null,
  },
  "sam-login": {
    outcome: "failed",
    message: "The SAM bridge rejected the login",
    hint: "See --sam-user and --sam-password-file",
    fix: {
      i2pd: "i2pd has no logins: another program probably listens there",
      java: "--sam-user and --sam-password-file, with a user of the SAM bridge (sam.config)",
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.samUnreachable,
    quotesRouter: false,
    sign: null,
  },
  "sam-refused": {
    outcome: "failed",
    message: "The SAM bridge rejected the connection",
    hint: "With --log-destinations the log has the router's own words",
    fix: null,
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.samUnreachable,
    quotesRouter: true,
    sign: null,
  },
  "router-starting": {
    outcome: "failed",
    message: "The router is still starting",
    hint: "Its SAM bridge is there before the router is: a session is asked for again until it stands",
    fix: either("wait a minute: its SAM bridge is there before the router is"),
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.notReady,
    quotesRouter: false,
    sign: null,
  },
  "session-refused": {
    outcome: "failed",
    message: "The router refused to create a session",
    hint: "With --log-destinations the log has the router's own words",
    fix: {
      i2pd: "its log says why; the usual cause is a tunnel option (-o, --lease-set-encryption)",
      java: 'for "session limit exceeded" stop other clients; for anything else see http://127.0.0.1:7657/logs',
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: true,
    sign: null,
  },
  "session-failed": {
    outcome: "failed",
    message: "The router ended the session at once: another program uses this identity, or the router has trouble",
    hint:
      "It is not tried again by itself, because that could take the other program off the air: stop that and restart",
    fix: either(
      "stop the program or the router's own tunnel that uses this key; if there is none, the router's log says more",
    ),
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.notReady,
    quotesRouter: false,
    sign: null,
  },
  "encryption-unsupported": {
    outcome: "failed",
    message: "The router is too old for an encryption type of --lease-set-encryption",
    hint: "Leave out --lease-set-encryption, or upgrade the router",
    fix: {
      i2pd: "leave out --lease-set-encryption, or upgrade it: 2.45 has ElGamal and ECIES only",
      java: "leave out --lease-set-encryption, or upgrade it",
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "datagrams-refused": {
    outcome: "failed",
    message: "The router does not support datagrams, or not the kind that --udp-style names",
    hint: "Most routers support --udp-style datagram; check --udp lists what this one supports",
    fix: {
      i2pd: "DATAGRAM2 and DATAGRAM3 are in 2.58, not in 2.45: leave out --udp-style, or upgrade it",
      java: "DATAGRAM2 and DATAGRAM3 came with API 0.9.66 or later: leave out --udp-style, or upgrade it",
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "key-refused": {
    outcome: "failed",
    message: "The router rejected the key of this identity",
    hint: "The key file is unchanged: another kind or version of router may have made the key",
    fix: either(
      "another kind of router may have made the key; the key file is unchanged, and keys rotate makes a new key",
    ),
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "identity-in-use": {
    outcome: "failed",
    message: "The router says that this identity is in use",
    hint: "Routers release a destination some seconds after its session ends; or another program uses the same key",
    fix: either("another program or one of the router's own tunnels uses this key: stop it, or wait a minute"),
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.notReady,
    quotesRouter: false,
    sign: null,
  },
  "not-ready": {
    outcome: "failed",
    message: "No tunnels were ready in time",
    hint: "Wait until the router has tunnels: i2p-socks check --watch says when",
    fix: {
      i2pd: "after a first start it needs up to 10 minutes: http://127.0.0.1:7070 counts tunnels and routers",
      java: "after a first start it needs up to 10 minutes: wait for the green star at http://127.0.0.1:7657/tunnels",
    },
    reply5: Reply5.networkUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.notReady,
    quotesRouter: false,
    sign: null,
  },
  "name-unknown": {
    outcome: "failed",
    message: "The router's address book does not have this name",
    hint: "Subscribe the router's address book to more lists, or use the base32 address",
    fix: {
      i2pd: "use the base32 address, or add a subscription to the [addressbook] section of i2pd.conf",
      java: "use the base32 address, or add the name or a subscription at http://127.0.0.1:7657/dns",
    },
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "garlicat-unknown": {
    outcome: "failed",
    message: "A GarliCat address that is neither in --hosts nor in the router's address book",
    hint: "Add a line to the --hosts file: NAME.oc.b32.i2p ADDRESS.b32.i2p",
    fix: {
      i2pd:
        "i2pd never looks up such names: use the base32 address, or add a line to the --hosts file: NAME.oc.b32.i2p ADDRESS.b32.i2p",
      java:
        "use the base32 address, add the name at http://127.0.0.1:7657/dns, or add a line to the --hosts file: NAME.oc.b32.i2p ADDRESS.b32.i2p",
    },
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "lease-set-not-found": {
    outcome: "failed",
    message: "No lease set found: the site is offline or does not exist",
    hint: "Shortly after the router starts, its tunnels may not be ready yet",
    fix: LATER,
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: Extended5.leaseSetNotFound,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "peer-silent": {
    outcome: "failed",
    message: "The site does not answer: it is offline or too slow",
    hint: LATER_HINT,
    fix: LATER,
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: Extended5.peerUnreachable,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "peer-unreachable": {
    outcome: "failed",
    message: "The router could not reach the site; i2pd reports this when it finds no lease set",
    hint: LATER_HINT,
    fix: LATER,
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: Extended5.peerUnreachable,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "incompatible-encryption": {
    outcome: "failed",
    message: "The site's lease set has no encryption type in common with ours",
    hint: "See --lease-set-encryption",
    fix: either("add the site's encryption type with --lease-set-encryption"),
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: Extended5.peerUnreachable,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "own-address": {
    outcome: "failed",
    message: "This is the application's own address, which the router does not connect to",
    hint: "A service on this machine can be reached without I2P",
    fix: null,
    reply5: Reply5.hostUnreachable,
    reply4: Reply4.rejected,
    extended: Extended5.peerUnreachable,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "peer-refused": {
    outcome: "failed",
    message: "The site refused the connection",
    hint: "The site is online: check the port",
    fix: null,
    reply5: Reply5.connectionRefused,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "timed-out": {
    outcome: "failed",
    message: "No answer in time",
    hint: "See --connect-timeout",
    fix: LATER,
    reply5: Reply5.ttlExpired,
    reply4: Reply4.rejected,
    extended: Extended5.timedOut,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "router-error": {
    outcome: "failed",
    message: "The router failed",
    hint: "With --log-destinations the log has the router's own words",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: true,
    sign: null,
  },
  "router-busy": {
    outcome: "failed",
    message: "The router has too many streams",
    hint: "A lower --max-connections leaves streams for other programs",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "login-missing": {
    outcome: "refused",
    message: "The client offered a login, and then sent none",
    hint: "Give the client a user name and a password, or use --isolate none",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "login-refused": {
    outcome: "refused",
    message: "Wrong user name or password",
    hint: "The --auth-file lists who may connect",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.loginRefused,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "too-many": {
    outcome: "refused",
    message: "Too many connections",
    hint: "The limit is --max-connections",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "too-many-per-client": {
    outcome: "refused",
    message: "Too many connections from one client address",
    hint: "The limit is --max-per-client",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "too-many-identities": {
    outcome: "refused",
    message: "No identity is free for a new isolation group",
    hint: "The limit is --max-identities",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "too-many-associations": {
    outcome: "refused",
    message: "Too many UDP associations",
    hint: "An association ends with its TCP connection: does the application close the ones it no longer needs?",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "client-address": {
    outcome: "refused",
    message: "The UDP client is not at 127.0.0.1 or ::1, so nothing can be sent to it",
    hint: "Connect from one of these; to isolate clients use a login or a user id, see --isolate",
    fix: null,
    reply5: Reply5.notAllowed,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "too-many-names": {
    outcome: "refused",
    message: "No --map-names address is free for a new name",
    hint: "An address becomes free when the streams and associations of its name have ended",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "out-of-descriptors": {
    outcome: "failed",
    message: "Out of file descriptors",
    hint: "Each connection uses two: raise the limit (ulimit -n) or lower --max-connections",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "command": {
    outcome: "refused",
    message: "This SOCKS command is not enabled",
    hint:
      "BIND needs --bind, and a login if another client is waiting; UDP ASSOCIATE needs --udp; RESOLVE (torsocks) needs --map-names RANGE",
    fix: null,
    reply5: Reply5.commandNotSupported,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "address-type": {
    outcome: "refused",
    message: "Unknown SOCKS address type",
    hint: null,
    fix: null,
    reply5: Reply5.addressTypeNotSupported,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "auth-method": {
    outcome: "refused",
    message: "No authentication method in common",
    hint: "With --auth-file the application must send a user name and a password",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "http": {
    outcome: "refused",
    message: "An HTTP request on the SOCKS port",
    hint: "The application uses this port as an HTTP proxy: set it as the SOCKS5 host instead",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "not-socks": {
    outcome: "refused",
    message: "Not a SOCKS client",
    hint: "This port speaks SOCKS 4, 4a and 5; i2p-socks setup prints settings for applications",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "malformed-request": {
    outcome: "refused",
    message: "A malformed SOCKS request",
    hint: null,
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "handshake-timeout": {
    outcome: "refused",
    message: "The client did not finish its handshake in time",
    hint: "See --handshake-timeout",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "client-closed": {
    outcome: "left",
    message: "The client disconnected before its stream was open",
    hint: null,
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "stopping": {
    outcome: "refused",
    message: "The proxy is stopping",
    hint: null,
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
  "internal": {
    outcome: "failed",
    message: "Internal error",
    hint: "Details are in the log; please report it",
    fix: null,
    reply5: Reply5.generalFailure,
    reply4: Reply4.rejected,
    extended: null,
    exitCode: ExitCode.failure,
    quotesRouter: false,
    sign: null,
  },
};

/** What became of a stream that was open: there is no reply any more, so it has no entry of its own among the reasons. */
interface StreamEnd {
  readonly reason: string;
  /** What happened, one sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A client got its stream, and nothing else. */
export const ENDED_WITHOUT_DATA: StreamEnd = {
  reason: "ended-without-data",
  message: "The site closed the stream without sending a byte; with i2pd, an offline site looks the same",
  hint: LATER_HINT,
};

/** Clients of a session got their streams, one after another, and nothing else. */
export const NO_ANSWERS: StreamEnd = {
  reason: "no-answers",
  message: "Several streams in a row brought no byte, though the router said that they were open",
  hint: "One site may be offline. If all are silent, restart i2p-socks, or use another login: a new session helps",
};

/**
 * A fix for people, in a line for each router; in one where both need the same, or only one is meant.
 *
 * @param router the router, where it is known.
 */
export function fixLines({ i2pd, java }: Fix, router?: string): string[] {
  if (i2pd === java || router === "i2pd") return [i2pd];
  return router === "Java I2P" ? [java] : [`i2pd: ${i2pd}`, `Java I2P: ${java}`];
}

/** A fix that is the same with every router. */
function either(fix: string): Fix {
  return { i2pd: fix, java: fix };
}
