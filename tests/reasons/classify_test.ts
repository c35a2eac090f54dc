import { assert, assertEquals, assertMatch } from "@std/assert";
import { TimeoutError } from "../../lib/io/deadline.ts";
import { type Reason, REASONS } from "../../lib/reasons/reasons.ts";
import { Refusal } from "../../lib/reasons/refusal.ts";
import { refusalOf } from "../../lib/reasons/classify.ts";
import { SamError, type SamErrorDetails, type SamFailure, type SamPhase } from "../../lib/sam/error.ts";
import { Extended5, Reply4, Reply5, SocksError, type SocksProblem } from "../../lib/socks/wire.ts";
import { pureTest } from "../support/pure.ts";

/** A failure of SAM and what it means: step, how, RESULT, the router's words. */
type Case = readonly [Reason, SamPhase, SamFailure, string?, (string | undefined)?];

/** Failures that say all by how and where they came about. */
const WITHOUT_A_WORD: readonly Case[] = [
  ["router-down", "connect", "unreachable"],
  ["router-silent", "connect", "silent"],
  ["router-silent", "hello", "silent"],
  ["router-silent", "hello", "closed"],
  ["not-sam", "hello", "garbled"],
  ["not-ready", "session", "silent"],
  ["router-down", "session", "closed"],
  ["session-refused", "session", "garbled"],
  ["encryption-unsupported", "session", "withheld"],
  ["router-error", "stream", "closed"],
  ["router-error", "stream", "garbled"],
];

/** Refusals in the words of i2pd 2.45 to 2.58. */
const I2PD: readonly Case[] = [
  ["sam-version", "hello", "refused", "NOVERSION"],
  ["session-refused", "session", "refused", "DUPLICATED_ID"],
  ["identity-in-use", "session", "refused", "DUPLICATED_DEST"],
  ["key-refused", "session", "refused", "INVALID_KEY"],
  ["session-refused", "session", "refused", "INVALID_ID"],
  ["datagrams-refused", "session", "refused", "I2P_ERROR", "Unknown STYLE"],
  ["name-unknown", "stream", "refused", "INVALID_KEY"],
  ["peer-unreachable", "stream", "refused", "CANT_REACH_PEER"],
  ["lease-set-not-found", "stream", "refused", "CANT_REACH_PEER", "LeaseSet not found"],
  ["own-address", "stream", "refused", "CANT_REACH_PEER", "Can't connect to myself"],
  ["incompatible-encryption", "stream", "refused", "CANT_REACH_PEER", "Incompatible crypto"],
  ["not-ready", "stream", "refused", "INVALID_ID"],
  ["router-error", "stream", "refused", "I2P_ERROR", "Socket already in use"],
];

/** How Java I2P says that it has no session of its own for a session of SAM. */
const NO_MANAGER = "Error creating I2PSocketManager: ";

/** Refusals in the words of Java I2P 0.9.47 to 2.8. */
const JAVA: readonly Case[] = [
  ["sam-version", "hello", "refused", "NOVERSION"],
  ["sam-login", "hello", "refused", "I2P_ERROR", "USER and PASSWORD required"],
  ["sam-login", "hello", "refused", "I2P_ERROR", "Authorization failed"],
  ["sam-refused", "hello", "refused", "I2P_ERROR", "Must start with HELLO VERSION"],
  ["sam-refused", "hello", "refused", "I2P_ERROR", "Timeout waiting for HELLO VERSION"],
  ["session-refused", "session", "refused", "DUPLICATED_ID"],
  ["identity-in-use", "session", "refused", "DUPLICATED_DEST"],
  ["key-refused", "session", "refused", "INVALID_KEY"],
  ["datagrams-refused", "session", "refused", "I2P_ERROR", "Unrecognized SESSION STYLE: DATAGRAM2"],
  ["datagrams-refused", "session", "refused", "I2P_ERROR", "Unrecognized SESSION STYLE"],
  ["datagrams-refused", "session", "refused", "I2P_ERROR", "Unrecognized SESSION STYLE DATAGRAM2"],
  ["session-refused", "session", "refused", "I2P_ERROR", "session limit exceeded"],
  ["session-refused", "session", "refused", "I2P_ERROR", `${NO_MANAGER}Unsupported crypto type: 6`],
  [
    "session-refused",
    "session",
    "refused",
    "I2P_ERROR",
    `${NO_MANAGER}Failed to build tunnels - Disconnected from router while waiting for tunnels: session limit exceeded`,
  ],
  [
    "identity-in-use",
    "session",
    "refused",
    "I2P_ERROR",
    `${NO_MANAGER}Failed to build tunnels - Disconnected from router while waiting for tunnels: duplicate destination`,
  ],
  ["not-ready", "session", "refused", "I2P_ERROR", `${NO_MANAGER}Failed to build tunnels`],
  ["router-starting", "session", "refused", "I2P_ERROR", `${NO_MANAGER}No manager yet`],
  ["session-refused", "session", "refused", "I2P_ERROR", "Error reading from socket"],
  ["session-refused", "session", "refused", "I2P_ERROR", "SIGNATURE_TYPE 99 unsupported"],
  ["name-unknown", "stream", "refused", "INVALID_KEY", "Host name not found: nobody.i2p"],
  ["lease-set-not-found", "stream", "refused", "INVALID_KEY", `Lease set not found: ${"a".repeat(52)}.b32.i2p`],
  ["lease-set-not-found", "stream", "refused", "CANT_REACH_PEER", "Destination lease set not found"],
  ["lease-set-not-found", "stream", "refused", "CANT_REACH_PEER", "Destination lease set expired"],
  ["incompatible-encryption", "stream", "refused", "CANT_REACH_PEER", "Unsupported encryption options"],
  ["peer-silent", "stream", "refused", "CANT_REACH_PEER", "Connection timed out"],
  ["peer-silent", "stream", "refused", "CANT_REACH_PEER", "Timeout waiting for ack (waited 60017ms)"],
  ["peer-refused", "stream", "refused", "CANT_REACH_PEER", "Connection reset"],
  ["peer-refused", "stream", "refused", "CANT_REACH_PEER", "Connection refused"],
  ["peer-silent", "stream", "refused", "CANT_REACH_PEER", "Connection failed"],
  [
    "own-address",
    "stream",
    "refused",
    "CANT_REACH_PEER",
    "local loopback denied, set i2cp.disableLoopback=true to test sending to yourself through tunnels",
  ],
  ["peer-unreachable", "stream", "refused", "CANT_REACH_PEER", "Local network failure"],
  ["peer-refused", "stream", "refused", "CONNECTION_REFUSED", "Connection refused"],
  ["not-ready", "stream", "refused", "INVALID_ID", "STREAM SESSION ID x does not exist"],
  ["timed-out", "stream", "refused", "TIMEOUT"],
  ["router-busy", "stream", "refused", "I2P_ERROR", "Too many streams, max 32"],
  ["not-ready", "stream", "refused", "I2P_ERROR", "Session is closed"],
  ["not-ready", "stream", "refused", "I2P_ERROR", "Session was closed"],
  ["not-ready", "accept", "refused", "I2P_ERROR", "Session was closed"],
  ["router-error", "stream", "refused", "I2P_ERROR", "specified ID x is not a STREAM session"],
  ["router-error", "stream", "refused", "I2P_ERROR", "v3 control socket cannot be used for STREAM"],
];

/** Words that only the specification or emissary has. */
const OTHERS: readonly Case[] = [
  ["identity-in-use", "session", "refused", "DUPLICATE_DEST"],
  ["session-refused", "session", "refused", "DUPLICATE_ID"],
  ["not-ready", "session", "refused", "TIMEOUT"],
  ["peer-unreachable", "stream", "refused", "PEER_NOT_FOUND"],
  ["lease-set-not-found", "stream", "refused", "LEASESET_NOT_FOUND"],
  ["name-unknown", "stream", "refused", "KEY_NOT_FOUND"],
];

/** What is not recognised: words that do not exist, and texts in another language, another place or another case. */
const UNKNOWN: readonly Case[] = [
  ["sam-refused", "hello", "refused", "FLUX"],
  ["sam-refused", "hello", "refused", "I2P_ERROR", "Anmeldung fehlgeschlagen"],
  ["sam-refused", "hello", "refused", ""],
  ["sam-refused", "hello", "refused", "noversion"],
  ["session-refused", "session", "refused", "FLUX"],
  ["session-refused", "session", "refused", "XDUPLICATED_DESTX"],
  ["session-refused", "session", "refused", ""],
  ["router-error", "stream", "refused", "FLUX"],
  ["router-error", "stream", "refused", ""],
  ["router-error", "stream", "refused", "NOVERSION"],
  ["router-error", "stream", "refused", "cant_reach_peer", "Connection timed out"],
  ["router-error", "stream", "refused", "FLUX", "LeaseSet not found"],
  ["router-error", "stream", "refused", "I2P_ERROR", "Zu viele Streams"],
  ["peer-unreachable", "stream", "refused", "CANT_REACH_PEER", "Zeitüberschreitung der Verbindung"],
  ["peer-unreachable", "stream", "refused", "CANT_REACH_PEER", "Le jeu de baux de destination est introuvable"],
  ["peer-unreachable", "stream", "refused", "CANT_REACH_PEER", ""],
  ["peer-unreachable", "stream", "refused", "CANT_REACH_PEER", "No lease set not found"],
  ["name-unknown", "stream", "refused", "INVALID_KEY", "Hostname nicht gefunden: lease set not found.i2p"],
  ["router-error", "naming", "refused", "KEY_NOT_FOUND"],
  ["router-error", "keys", "silent"],
];

for (const [who, cases] of Object.entries({ "without a word": WITHOUT_A_WORD, I2PD, JAVA, OTHERS, UNKNOWN })) {
  pureTest(`refusalOf() tells failures of SAM apart: ${who}`, () => {
    for (const failure of cases) {
      const [reason] = failure;
      assertEquals(refusalOf(samError(failure)).reason, reason, failure.join(" "));
    }
  });
}

pureTest("refusalOf() takes case and spelling of the router's words lightly", () => {
  const texts: readonly [Reason, string][] = [
    ["lease-set-not-found", "leaseset NOT FOUND"],
    ["lease-set-not-found", "Lease Set not found"],
    ["incompatible-encryption", "incompatible crypto type 6"],
    ["peer-silent", "connection Timed Out after 60 s"],
    ["peer-refused", "CONNECTION REFUSED by peer"],
  ];
  for (const [reason, text] of texts) {
    assertEquals(refusalOf(samError([reason, "stream", "refused", "CANT_REACH_PEER", text])).reason, reason, text);
  }
  for (const text of ["authorisation required", "Bad PASSWORD"]) {
    assertEquals(refusalOf(samError(["sam-login", "hello", "refused", "I2P_ERROR", text])).reason, "sam-login", text);
  }
});

pureTest("refusalOf() takes a word that only holds a known one for unknown", () => {
  const fallback: Partial<Record<SamPhase, Reason>> = {
    hello: "sam-refused",
    session: "session-refused",
    stream: "router-error",
    accept: "router-error",
  };
  for (const [reason, phase, failure, result, text] of [...I2PD, ...JAVA, ...OTHERS]) {
    if (reason === "sam-login") continue;
    for (const word of [`X${result}`, `${result}X`]) {
      assertEquals(refusalOf(samError([reason, phase, failure, word, text])).reason, fallback[phase], word);
    }
  }
});

pureTest("refusalOf() takes texts by their beginning, where another one may hold them too", () => {
  const bare: Record<string, Reason> = {
    CANT_REACH_PEER: "peer-unreachable",
    INVALID_KEY: "name-unknown",
    I2P_ERROR: "router-error",
  };
  for (const [reason, phase, failure, result = "", text] of [...I2PD, ...JAVA]) {
    if (phase !== "stream" || text === undefined || bare[result] === undefined || /timed out/.test(text)) continue;
    assertEquals(refusalOf(samError([reason, phase, failure, result, `no ${text}`])).reason, bare[result], text);
  }
});

pureTest("refusalOf() knows that a base32 address is no name, so that only its lease set can be unknown", () => {
  const all = [...WITHOUT_A_WORD, ...I2PD, ...JAVA, ...OTHERS, ...UNKNOWN];
  for (const failure of all) {
    const expected = failure[0] === "name-unknown" ? "lease-set-not-found" : failure[0];
    const { reason, message, cause } = refusalOf(samError(failure), "b32");
    assertEquals(reason, expected, failure.join(" "));
    if (failure[0] === "name-unknown") assertEquals(message, REASONS["lease-set-not-found"].message);
    assert(cause instanceof SamError);
  }
});

pureTest("refusalOf() puts a lack of descriptors before everything that it brings about", () => {
  for (const code of ["EMFILE", "ENFILE", "ENOMEM"]) {
    const cause = Object.assign(new Error("Too many open files"), { code });
    for (const [, phase, failure, result] of [...WITHOUT_A_WORD, ...JAVA]) {
      const error = new SamError(phase, failure, { cause, ...(result !== undefined && { result }) });
      for (const kind of ["name", "b32"] as const) assertEquals(refusalOf(error, kind).reason, "out-of-descriptors");
    }
  }
  const other = Object.assign(new Error("Connection refused"), { code: "ECONNREFUSED" });
  assertEquals(refusalOf(new SamError("connect", "unreachable", { cause: other })).reason, "router-down");
});

pureTest("refusalOf() tells the table's story, and the details where they say more", () => {
  const told = (failure: Case): string => refusalOf(samError(failure)).message;
  assertEquals(
    told(["peer-silent", "stream", "refused", "CANT_REACH_PEER", "Connection timed out"]),
    messageOf("peer-silent"),
  );
  assertEquals(told(["not-ready", "stream", "refused", "INVALID_ID"]), messageOf("not-ready"));
  assertEquals(told(["router-error", "stream", "refused", "FLUX"]), "Cannot open a stream: the router answered FLUX");
  assertEquals(
    told(["session-refused", "session", "refused", "I2P_ERROR", "session limit exceeded"]),
    "Cannot keep a SAM session: the router answered I2P_ERROR",
  );
  assertEquals(told(["sam-refused", "hello", "refused", "X"]), "Cannot greet the SAM bridge: the router answered X");
  assertEquals(told(["not-ready", "session", "silent"]), "Cannot keep a SAM session: it does not answer");
  const cause = Object.assign(new Error("Connection refused (os error 111)"), { code: "ECONNREFUSED" });
  assertEquals(
    refusalOf(new SamError("connect", "unreachable", { cause })).message,
    "Cannot connect to the SAM bridge: connection refused",
  );
});

pureTest("refusalOf() keeps the router's own words out of the message, for they may name a destination", () => {
  for (const failure of [...I2PD, ...JAVA, ...UNKNOWN]) {
    const [, , , , text = ""] = failure;
    assert(text === "" || !refusalOf(samError(failure)).message.includes(text), text);
  }
});

pureTest("refusalOf() finds a reason for each problem of a handshake, and keeps its words", () => {
  const problems: Record<SocksProblem, Reason> = {
    closed: "client-closed",
    notSocks: "not-socks",
    http: "http",
    malformed: "malformed-request",
    tooLong: "malformed-request",
    authMethod: "auth-method",
    loginMissing: "login-missing",
    loginRefused: "login-refused",
    command: "command",
    addressType: "address-type",
  };
  for (const [problem, reason] of Object.entries(problems)) {
    const error = new SocksError(problem as SocksProblem, "What is wrong");
    const refusal = refusalOf(error);
    assertEquals([refusal.reason, refusal.message, refusal.cause], [reason, "What is wrong", error]);
  }
});

pureTest("refusalOf() finds a reason for anything else that is thrown", () => {
  const refusal = new Refusal("ip");
  assert(refusalOf(refusal) === refusal);
  assert(refusalOf(refusal, "b32") === refusal);
  assertEquals(refusalOf(new TimeoutError()).reason, "timed-out");
  assertEquals(refusalOf(new TypeError("x")).message, "TypeError: x");
  for (const thrown of [new TypeError("x"), new Deno.errors.NotCapable("x"), "nonsense", undefined, null]) {
    assertEquals(refusalOf(thrown).reason, "internal");
  }
});

pureTest("Every reason has a message, and codes that exist", () => {
  for (const [reason, { reply5, reply4, message, hint }] of Object.entries(REASONS)) {
    assertMatch(reason, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assertMatch(message, /^[A-Z].*[^.\s]$/, reason);
    if (hint !== null) assertMatch(hint, /^[A-Z].*[^.\s]$/, reason);
    assert(reply5 !== Reply5.succeeded && Object.values(Reply5).includes(reply5), reason);
    assert(reply4 !== Reply4.granted && Object.values(Reply4).includes(reply4), reason);
    assertEquals(new Refusal(reason as Reason).message, message);
  }
  const messages = Object.values(REASONS).map(({ message }) => message);
  assertEquals(new Set(messages).size, messages.length, "two reasons have the same message");
});

pureTest("Each extended code goes with the plain code that it says more than", () => {
  const plain: Record<number, number> = {
    [Extended5.leaseSetNotFound]: Reply5.hostUnreachable,
    [Extended5.peerUnreachable]: Reply5.hostUnreachable,
    [Extended5.malformedAddress]: Reply5.hostUnreachable,
    [Extended5.timedOut]: Reply5.ttlExpired,
  };
  assertEquals(Object.values(Extended5), [0xf0, 0xf3, 0xf6, 0xf7]);
  const used = new Set<number>();
  for (const [reason, { extended, reply5 }] of Object.entries(REASONS)) {
    if (extended === null) continue;
    assertEquals(plain[extended], reply5, reason);
    used.add(extended);
  }
  assertEquals(used, new Set(Object.values(Extended5)));
});

pureTest(
  "Six stories that users have to tell apart have six reasons, and codes that say so where SOCKS has them",
  () => {
    const reasons = ["name-unknown", "lease-set-not-found", "peer-silent", "not-ready", "router-down", "rule"] as const;
    assertEquals(
      reasons.map((reason) => [REASONS[reason].reply5, REASONS[reason].extended]),
      [[4, null], [4, 0xf0], [4, 0xf3], [3, null], [3, null], [2, null]],
    );
  },
);

function messageOf(reason: Reason): string {
  return REASONS[reason].message;
}

function samError([, phase, failure, result, text]: Case): SamError {
  const details: SamErrorDetails = { ...(result !== undefined && { result }), ...(text !== undefined && { text }) };
  return new SamError(phase, failure, details);
}
