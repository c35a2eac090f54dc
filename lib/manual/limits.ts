import { MAX_SETTINGS_FILE } from "../audit/settings_files.ts";
import { MAX_SITES } from "../identity/site_count.ts";
import { MIN_RANGE_BITS } from "../config/address_range.ts";
import { MAX_DURATION } from "../config/duration.ts";
import { MAX_CONFIG_FILE } from "../config/file.ts";
import { MAX_SOCKET_PATH } from "../config/endpoint.ts";
import { MAX_HOSTS_FILE } from "../config/hosts.ts";
import { MAX_AUTH_FILE } from "../config/login_book.ts";
import { flagOf, MAX_IDENTITIES, OPTION_TABLE, type OptionName } from "../config/options.ts";
import { MAX_SESSION_OPTIONS } from "../config/session_options.ts";
import { MAX_LABEL } from "../config/values.ts";
import { MAX_PASSWORD_FILE } from "../command/input_files.ts";
import { MAX_WAITING_OUTPUT } from "../command/terminal.ts";
import { INSPECTED, INSPECTED_RECEIVED } from "../guard/detector.ts";
import { MAX_LINE } from "../guard/reader.ts";
import { MAX_HEAD } from "../guard/request_reader.ts";
import { MAX_SECRETS_FILE, MIN_SECRET } from "../guard/secrets.ts";
import { MAX_MESSAGE } from "../guard/websocket.ts";
import { MAX_NAME_LENGTH } from "../i2p/address.ts";
import { RETRY_FIRST, RETRY_MAX } from "../identity/backoff.ts";
import {
  DESTINATION_AGE,
  MAX_DESTINATIONS,
  MAX_LOOKUPS,
  RESOLVE_TIMEOUT,
  UNANSWERED_AGE,
  UNKNOWN_AGE,
} from "../identity/destination_cache.ts";
import { IN_USE_TIMEOUT, RETRY_MAX_QUEUED, REUSE_DELAY } from "../identity/identity.ts";
import { AGE as SPARE_AGE, REFILL as SPARE_REFILL } from "../identity/spare_identities.ts";
import { LINGER, LONGEST_LINGER } from "../io/conn.ts";
import { LEAST_QUEUED, MAX_QUEUED } from "../io/datagrams.ts";
import { MAX_IDENTITY_NAME, MAX_KEY_FILE } from "../keys/key_store.ts";
import { MAX_PEERS, MAX_WAITING } from "../proxy/associate.ts";
import { MAX_ASSOCIATIONS } from "../proxy/datagram_pool.ts";
import { HELD_PATIENCE, SILENT_PEER_TIMEOUT } from "../proxy/connect.ts";
import { MAX_WAITS, SERVICE_TIMEOUT } from "../proxy/forward.ts";
import { MAX_MAPPING_LEASES } from "../proxy/mapping_leases.ts";
import { MAX_COOKIES } from "../proxy/leak_watch.ts";
import { CLOSED_AGE, LACK_AGE, MAX_LACKING } from "../proxy/login_offers.ts";
import { FIRST_DELAY, FORGIVE_AFTER, LONGEST_DELAY } from "../proxy/login_guard.ts";
import { MAPPING_EXPIRY, MAX_MAPPED_NAMES, MAX_MAPPING_GROUPS } from "../proxy/name_map.ts";
import { SILENT_STREAMS, SILENT_TIME, SILENT_WAIT } from "../proxy/silence_watch.ts";
import { BEGUN_GRACE, MAX_SURPLUS, PLACE_WAIT, SILENT_GRACE } from "../proxy/admission.ts";
import { SPARE_DESCRIPTORS } from "../server/capacity.ts";
import { LARGE_BUFFER, MAX_LARGE_BUFFERS, MAX_MEDIUM_BUFFERS, MEDIUM_BUFFER } from "../relay/buffer_pool.ts";
import {
  ANSWERED_TIMEOUT,
  DRAINING_TIMEOUT,
  HALF_CLOSED_TIMEOUT,
  SILENT_AFTER_ANSWER,
  SILENT_BEFORE_ANSWER,
} from "../relay/half_closed.ts";
import { MAX_KEPT, MAX_KEPT_BY_STREAM } from "../relay/keeper.ts";
import { MAX_UNDER_WAY } from "../relay/outflow.ts";
import { LOST_GRACE } from "../relay/relay.ts";
import { MAX_AUDITED } from "../report/audit_book.ts";
import { MAX_OUTCOMES } from "../report/outcome_book.ts";
import { MAX_REPEATED, REPEATS_TIME } from "../report/repeats.ts";
import { MAX_DATAGRAM } from "../sam/datagrams.ts";
import { GENERATE_TIMEOUT } from "../sam/generate.ts";
import { LINE_BUFFER, MAX_SAM_LINE } from "../sam/line_reader.ts";
import { LOOKUP_TIMEOUT, OWN_ADDRESS_TIMEOUT } from "../sam/naming.ts";
import { SESSION_TIMEOUT } from "../sam/session.ts";
import { SAM_HELLO_TIMEOUT } from "../sam/socket.ts";
import { MAX_WARM, WARM_AGE } from "../sam/warm_sockets.ts";
import { DRAIN_TIMEOUT } from "../server/applications.ts";
import { MAX_HANDSHAKE } from "../socks/handshake.ts";
import { MAX_SOCKS4_FIELD } from "../socks/socks4.ts";
import { MAX_STATUS_ANSWERED, MAX_STATUS_HEAD, MAX_STATUS_REQUESTS, STATUS_TIMEOUT } from "../status/server.ts";

/** A limit: what it is about, and its value with what happens there. */
export type Limit = readonly [what: string, value: string];

/** Every limit of the program, by the part that it belongs to. Numbers come from the constants that hold them. */
export const LIMITS: Readonly<Record<string, readonly Limit[]>> = {
  "Clients and streams": [
    ["Clients at once", set("max-connections")],
    ["Clients at once from one address", set("max-per-client")],
    ["Clients above that limit that still get a reply", `${MAX_SURPLUS}; further ones wait for their turn`],
    ["A client that has said nothing, before it gives way", `${time(SILENT_GRACE)} at least`],
    ["A client that has begun and not asked for anything, before it gives way", `${time(BEGUN_GRACE)} at least`],
    ["Waiting for the place of a stream whose client has left", time(PLACE_WAIT)],
    ["File descriptors that are kept back for other purposes", `${SPARE_DESCRIPTORS}`],
    ["A SOCKS handshake", bytes(MAX_HANDSHAKE)],
    ["From accepting a client to its complete request", set("handshake-timeout")],
    ["User ID and host name of SOCKS4, each", bytes(MAX_SOCKS4_FIELD)],
    ["From a request to its open stream", set("connect-timeout")],
    ["The router's answer whether a site is there", time(SILENT_PEER_TIMEOUT)],
    ["Asking again for a site that a router which came back has not found", time(HELD_PATIENCE)],
    ["A stream without a byte in either direction", set("idle-timeout")],
    ["What a stream keeps for a client that reads slowly", bytes(MAX_KEPT_BY_STREAM)],
    ["What all streams keep for such clients", bytes(MAX_KEPT)],
    ["Bytes of a service that count as under way when it ends", bytes(MAX_UNDER_WAY)],
    [
      "A stream whose client has ended its side, without a byte",
      `${time(HALF_CLOSED_TIMEOUT)}; ${time(ANSWERED_TIMEOUT)} after an answer; ${time(DRAINING_TIMEOUT)} while the ` +
      "program stops",
    ],
    [
      "Silence after which such a stream may make room for a new client",
      `${time(SILENT_AFTER_ANSWER)} after an answer, ${time(SILENT_BEFORE_ANSWER)} without one`,
    ],
    ["A stream whose session is lost, without a byte", time(LOST_GRACE)],
    [
      "Streams of an identity in a row that bring no byte, before the log says so",
      `${SILENT_STREAMS} that have waited ${time(SILENT_WAIT)}, and ${time(SILENT_TIME)} since the first has ended`,
    ],
    [
      "A client that does not close after its last byte",
      `${time(LINGER)}; ${time(LONGEST_LINGER)} if it goes on sending`,
    ],
    [
      "Large buffers for fast streams",
      `${MAX_LARGE_BUFFERS} of ${kib(LARGE_BUFFER)}, then ${MAX_MEDIUM_BUFFERS} of ${kib(MEDIUM_BUFFER)}; other ` +
      `streams have ${bytes(LINE_BUFFER)} for each direction`,
    ],
    ["Waiting for clients to end after SIGINT or SIGTERM", `${time(DRAIN_TIMEOUT)}; a second signal ends it at once`],
    ["Repeats of a line of the log", `written once in ${time(REPEATS_TIME)}, then counted`],
    ["Different lines whose repeats are counted", `${MAX_REPEATED}`],
    [
      "Log lines that wait for a reader that has stalled",
      `${MAX_WAITING_OUTPUT} characters; further lines are counted`,
    ],
  ],
  "The router": [
    ["Connecting to the SAM bridge, and its answer to HELLO", time(SAM_HELLO_TIMEOUT)],
    ["A line of the SAM bridge", bytes(MAX_SAM_LINE)],
    ["Sockets kept ready for new streams", `${MAX_WARM}, and at most the number of streams opened within a second`],
    ["How long each of them waits", time(WARM_AGE)],
    [
      "Building the tunnels of a session",
      `${time(SESSION_TIMEOUT)}, then the next attempt; at the start the program ends`,
    ],
    [
      "A destination that the router still has in use, at the start",
      time(IN_USE_TIMEOUT),
    ],
    ["Reusing a persistent identity after its session has ended", `${time(REUSE_DELAY)} later`],
    [
      "Waiting between attempts at a new session",
      `a random time up to ${time(RETRY_FIRST)}, doubled up to ${time(RETRY_MAX)}; up to ${time(RETRY_MAX_QUEUED)} ` +
      "while clients wait and nothing listens at the SAM port",
    ],
    ["Answer to `lookup`", time(LOOKUP_TIMEOUT)],
    [
      "Finding our own lease set in `check`, if more steps follow",
      `${time(OWN_ADDRESS_TIMEOUT)}, or half of --timeout`,
    ],
    ["Answer to `keys new` and `keys rotate`", time(GENERATE_TIMEOUT)],
    ["All options of a session", characters(MAX_SESSION_OPTIONS)],
  ],
  "Identities and logins": [
    ["Identities of isolation groups", `${set("max-identities")}, at most ${MAX_IDENTITIES}`],
    ["Identities kept ready for new logins", set("spare-identities")],
    [
      "How long one is kept, and until the next one is built",
      `${range(SPARE_AGE)}, and ${range(SPARE_REFILL)}, both at random`,
    ],
    ["An isolated identity without clients", set("identity-idle")],
    ["Name of an identity", characters(MAX_IDENTITY_NAME)],
    ["A key file", bytes(MAX_KEY_FILE)],
    ["`--name`", characters(MAX_LABEL)],
    [
      "Delay of the answer to a wrong login",
      `${time(FIRST_DELAY)}, doubled up to ${time(LONGEST_DELAY)}; it starts again after ${time(FORGIVE_AFTER)} ` +
      "without one",
    ],
    [
      "A client that offers a login and sent none, until it is asked again",
      `${time(LACK_AGE)}; the first one that closed ${time(CLOSED_AGE)}`,
    ],
    ["Kinds of such clients that are remembered", `${MAX_LACKING}; then the least recently used one is forgotten`],
  ],
  "Files and settings": [
    ["The file of `--config`", bytes(MAX_CONFIG_FILE)],
    ["The file of `--auth-file`", bytes(MAX_AUTH_FILE)],
    ["The file of `--secrets-file`", bytes(MAX_SECRETS_FILE)],
    ["The path of a socket, `--listen unix:PATH`", bytes(MAX_SOCKET_PATH)],
    ["The file of `--hosts`", bytes(MAX_HOSTS_FILE)],
    ["A password file, and stdin of `hash-login`", bytes(MAX_PASSWORD_FILE)],
    ["An I2P name", characters(MAX_NAME_LENGTH)],
    ["A duration", `${MAX_DURATION / 3_600_000} hours`],
  ],
  "Leaks": [
    ["What the guard reads of a stream of no known protocol, and of a body of HTTP", bytes(INSPECTED)],
    ["What it reads of a line of IRC, mail and the like", bytes(MAX_LINE)],
    ["What it reads of a message of WebSocket", bytes(MAX_MESSAGE)],
    ["What it reads of the site's answer, to recognize the protocol", bytes(INSPECTED_RECEIVED)],
    ["The head of a request that `--scrub http` rewrites", bytes(MAX_HEAD)],
    ["Cookies it remembers, to see one go to two sites", `the last ${MAX_COOKIES} of each application`],
    ["A line of `--secrets-file`", `at least ${characters(MIN_SECRET)}`],
    ["Destinations that `audit` counts one by one", `${MAX_AUDITED}; further ones are counted together`],
    ["A settings file of `audit --file`", bytes(MAX_SETTINGS_FILE)],
    ["Sites of an identity that the status counts", `${MAX_SITES}`],
  ],
  "Names that stand for addresses (--map-names)": [
    ["Names with an address", `${MAX_MAPPED_NAMES} of each isolation group; the least recently used one goes first`],
    ["Isolation groups that have such names", `${MAX_MAPPING_GROUPS}; the least recently used one goes first`],
    ["An address without use", time(MAPPING_EXPIRY)],
    ["A range", `at least ${2 ** MIN_RANGE_BITS} addresses`],
  ],
  "UDP (--udp)": [
    ["Associations of an application at once", `${MAX_ASSOCIATIONS}`],
    ["Payload of a datagram", `${bytes(MAX_DATAGRAM)}; larger ones are dropped`],
    [
      "Destinations that an identity for datagrams remembers",
      `${MAX_DESTINATIONS}, for ${time(DESTINATION_AGE)}; an unknown name for ${time(UNKNOWN_AGE)}, no answer for ` +
      time(UNANSWERED_AGE),
    ],
    ["The router's answer about a destination", time(RESOLVE_TIMEOUT)],
    ["Such questions at once", `${MAX_LOOKUPS} of each identity for datagrams`],
    ["Datagrams that wait for such an answer", `${MAX_WAITING} of each association`],
    [
      "Datagrams that wait to be passed on",
      `${bytes(MAX_QUEUED)}, each counted as at least ${LEAST_QUEUED}, of each association and of each identity for ` +
      "datagrams; then none is received until half of them are gone",
    ],
    ["Sites of an association whose ports are remembered", `${MAX_PEERS}`],
    ["`--map-names` addresses that an association keeps in use", `${MAX_MAPPING_LEASES}`],
  ],
  "Serving into I2P (--forward, --bind)": [
    ["Callers of `--forward` at once", `${set("max-inbound")}; further ones are closed at once`],
    ["Callers of `--forward` from one address", `${set("max-per-caller")}; further ones are closed at once`],
    ["Sockets that wait for callers at once, with routers that may have several", `${MAX_WAITS}`],
    ["A caller without a byte in either direction", set("caller-idle-timeout")],
    ["A local service, to accept a caller", time(SERVICE_TIMEOUT)],
    ["A client of `--bind`, until a caller comes", set("connect-timeout")],
  ],
  "Status (--status)": [
    ["Head of a request", bytes(MAX_STATUS_HEAD)],
    ["A request with its answer", time(STATUS_TIMEOUT)],
    ["Requests at once", `${MAX_STATUS_REQUESTS}; the one that has waited longest gives way`],
    ["Answered requests whose client has not closed", `${MAX_STATUS_ANSWERED}`],
    ["Outcomes of an application that are remembered for why", `${MAX_OUTCOMES} different ones; the oldest gives way`],
  ],
};

/** A limit that an option sets, with its default. */
function set(name: OptionName): string {
  const { defaultText } = OPTION_TABLE[name];
  return `\`${flagOf({ name })}\`, ${defaultText === "0" ? "none" : defaultText}`;
}

function time(milliseconds: number): string {
  if (milliseconds >= 60_000 && milliseconds % 60_000 === 0) return `${milliseconds / 60_000} min`;
  return `${milliseconds / 1000} s`;
}

function range([least, most]: readonly [number, number]): string {
  return `${time(least)} to ${time(most)}`;
}

function bytes(count: number): string {
  return `${count} bytes`;
}

function characters(count: number): string {
  return `${count} characters`;
}

function kib(count: number): string {
  return `${count / 1024} KiB`;
}
