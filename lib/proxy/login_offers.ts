import { LruMap } from "../io/lru_map.ts";
import { type Log, Once } from "../report/log.ts";
import type { Login, SocksRequest } from "../socks/wire.ts";

/** Milliseconds for which a client is remembered that offered a login and sent none. */
export const LACK_AGE = 3_600_000;

/**
 * The same for the first one of its kind that closed: it may have had a login, and its user changed their mind. Meanwhile
 * logins of clients that greet alike have the application's own identity.
 */
export const CLOSED_AGE = 60_000;

/** Kinds of clients that are remembered, by address and greeting. */
export const MAX_LACKING = 256;

/** The user id that some programs send with SOCKS4 where they have none (privoxy). */
const NOBODY = "anonymous";

/** What connect-proxy 1.105 sends for a password where it has no terminal to ask at. */
const PROMPT = /^Enter SOCKS5 password for .*@.*: $/;

/** What is known of clients that greet alike. */
interface Kind {
  /** Until when they are not asked for a login; 0 where they have sent one. */
  until: number;
  /** Whether they are not asked for an hour once another one closes. */
  hasClosed: boolean;
  /** Whether one of them has sent a login that somebody chose: then they are always asked. */
  hasLogin: boolean;
}

/**
 * Tells logins that somebody chose from those that programs offer or send by themselves, so that the latter are served,
 * with the application's own identity.
 *
 * A program that offers a login, is asked for it and then closes, falls silent or sends something else, has none: clients
 * of its address that greet alike are not asked for a while: a minute where one closed, an hour where another one closed
 * when it was asked again. Once one of them has sent a login that somebody chose, they
 * are always asked: a login must not lose its identity because another connection was cut off.
 */
export class LoginOffers {
  readonly #userName: string | undefined;
  readonly #log: Log;
  readonly #once = new Once();
  readonly #kinds = new LruMap<string, Kind>(MAX_LACKING);

  /** @param userName the name of the user that runs the program, which programs send by themselves. */
  constructor(userName: string | undefined, log: Log) {
    this.#userName = userName;
    this.#log = log;
  }

  /** Whether a client that offers a login is to be asked for it. */
  isWanted(clientAddress: string, methods: Uint8Array): boolean {
    const kind = this.#kinds.use(keyOf(clientAddress, methods));
    return kind === undefined || kind.hasLogin || performance.now() >= kind.until;
  }

  /** Notes that a client was asked for a login, and sent none: it closed, or fell silent or sent something else. */
  lacked(clientAddress: string, methods: Uint8Array, how: "closed" | "other"): void {
    const key = keyOf(clientAddress, methods);
    const now = performance.now();
    const { until = 0, hasClosed = false, hasLogin = false } = this.#kinds.get(key) ?? {};
    // Others that were asked at the same time say no more than the first one.
    const isFirst = !hasClosed || until > now && until <= now + CLOSED_AGE;
    const age = how === "closed" && isFirst ? CLOSED_AGE : LACK_AGE;
    this.#kinds.set(key, { until: Math.max(until, now + age), hasClosed: true, hasLogin });
    if (!this.#once.isNew("lacked")) return;
    this.#log.info("A client offers a login that it may not have", {
      hint: hasLogin
        ? "Others that greet alike have sent one: --isolate none asks nobody"
        : "It is not asked again for a while. --isolate none asks nobody; a login in its settings isolates it",
    });
  }

  /** The request without a login that nobody chose. */
  judge(request: SocksRequest, clientAddress: string, methods: Uint8Array | undefined): SocksRequest {
    const { login, ...rest } = request;
    if (login === undefined) return request;
    if (this.#isChosen(login, request.version)) {
      if (methods !== undefined) {
        this.#kinds.set(keyOf(clientAddress, methods), { until: 0, hasClosed: false, hasLogin: true });
      }
      return request;
    }
    if (login.user.length > 0 && this.#once.isNew("unchosen")) {
      this.#log.info("A client sends the system's user name, or none of its own, as a login by itself", {
        hint: "It has the application's own identity. Another user name in its settings isolates it",
      });
    }
    return rest;
  }

  #isChosen({ user, password }: Login, version: 4 | 5): boolean {
    const [name, secret] = [user, password].map((bytes) => new TextDecoder().decode(bytes));
    if (secret !== "" && !(name === this.#userName && PROMPT.test(secret ?? ""))) return true;
    return name !== "" && name !== this.#userName && !(version === 4 && name === NOBODY);
  }
}

function keyOf(clientAddress: string, methods: Uint8Array): string {
  return `${clientAddress} ${methods.join(".")}`;
}
