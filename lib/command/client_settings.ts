import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";

/** An application that can use the proxy. */
export interface Client {
  /** What it is, and where its settings go. */
  title: string;
  /** Its settings for a listener, in its own language, a line each. */
  settings(listener: Endpoint): readonly string[];
  /** What to know: what it gives away, and how to get another identity. */
  notes: readonly string[];
}

/** What a login does, for applications that can send one. */
export const BY_LOGIN = "Another user name is another identity, and its password may be anything";

/** What to do for another identity where an application cannot send a login. */
export const BY_INSTANCE = "It sends no user name: for another identity run another i2p-socks with its own --listen";

/** Said of applications whose settings nobody has tried here. */
const NOT_TRIED = "These settings follow its documentation, and were not tried with the program itself";

/** Bytes of the login that `setup env` makes up. */
const LOGIN_BYTES = 8;

function url(scheme: string, listener: Endpoint, user: string): string {
  return `${scheme}://${user}:x@${formatEndpoint(listener)}`;
}

/** Command-line tools and shells. */
export const SHELL_CLIENTS: Readonly<Record<string, Client>> = {
  env: {
    title: 'A shell whose programs use the proxy: eval "$(i2p-socks setup env)"',
    settings: (listener) => {
      const login = crypto.getRandomValues(new Uint8Array(LOGIN_BYTES)).toHex();
      const proxy = url("socks5h", listener, login);
      return [
        ...["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "SOCKS_PROXY"].flatMap((name) => [name, name.toLowerCase()])
          .map((name) => `export ${name}='${proxy}'`),
        "export NO_PROXY='' no_proxy=''",
      ];
    },
    notes: [
      "The user name is random: each shell that calls this is another identity, and all programs in it are one",
      "curl, git, Go, requests and httpx read these variables. wget, ssh and others do not: they go on as before, or " +
      "stop with an error",
    ],
  },
  ncat: {
    title: "ncat: a command line",
    settings: (listener) => [
      `ncat --proxy ${formatEndpoint(listener)} --proxy-type socks5 --proxy-dns remote --proxy-auth work:x NAME.i2p 80`,
    ],
    notes: ["Without --proxy-dns remote it may look names up itself", BY_LOGIN],
  },
  socat: {
    title: "socat: a command line",
    settings: ({ hostname, port }) => [
      `socat - SOCKS4A:${
        hostname.includes(":") ? `[${hostname}]` : hostname
      }:NAME.i2p:80,socksport=${port},socksuser=work`,
    ],
    notes: ["Without socksuser it sends your user name of this machine, to the proxy only", BY_LOGIN],
  },
  putty: {
    title: "PuTTY: Connection, Proxy; as a session file (~/.putty/sessions/NAME) these lines",
    settings: ({ hostname, port }) => [
      "ProxyMethod=2",
      `ProxyHost=${hostname}`,
      `ProxyPort=${port}`,
      "ProxyDNS=2",
      "ProxyLocalhost=1",
      "ProxyUsername=work",
      "ProxyPassword=x",
    ],
    notes: [
      "In its window: Proxy type SOCKS 5, Do DNS name lookup at proxy end: Yes. ProxyDNS=2 is that Yes",
      `${BY_LOGIN}. Leave a user name in: without one PuTTY asks you for it`,
    ],
  },
  "yt-dlp": {
    title: "yt-dlp: ~/.config/yt-dlp/config",
    settings: (listener) => [`--proxy ${url("socks5", listener, "video")}`],
    notes: [
      "The word is socks5 here: yt-dlp leaves names to the proxy with it, and older versions refuse socks5h",
      BY_LOGIN,
    ],
  },
  rclone: {
    title: "rclone: in front of its command, for remotes over HTTP and WebDAV",
    settings: (listener) => [
      `HTTP_PROXY=${url("socks5", listener, "sync")} HTTPS_PROXY=${url("socks5", listener, "sync")} rclone`,
    ],
    notes: ["rclone reads HTTP_PROXY and not ALL_PROXY; it leaves names to the proxy", BY_LOGIN],
  },
  apt: {
    title: "apt: /etc/apt/apt.conf.d/80i2p; REPOSITORY.i2p stands for the host in sources.list",
    settings: (listener) => [`Acquire::http::Proxy::REPOSITORY.i2p "${url("socks5h", listener, "apt")}";`],
    notes: ["Only this host is reached through I2P; all other repositories stay as they are", BY_LOGIN],
  },
  msmtp: {
    title: "msmtp: ~/.msmtprc, in the account",
    settings: ({ hostname, port }) => [`proxy_host ${hostname}`, `proxy_port ${port}`, "domain localhost"],
    notes: ["domain keeps the name of this machine out of its greeting", BY_INSTANCE],
  },
  mosquitto: {
    title: "mosquitto_pub and mosquitto_sub: an option",
    settings: (listener) => [`--proxy ${url("socks5h", listener, "mqtt")}`],
    notes: ["A refusal reads as Authorisation failed, or as nothing: the log of i2p-socks has the reason", BY_LOGIN],
  },
};

/** Applications with windows, and wallets. */
export const DESKTOP_CLIENTS: Readonly<Record<string, Client>> = {
  thunderbird: {
    title: "Thunderbird: user.js in the folder of a separate profile",
    settings: ({ hostname, port }) => [
      'user_pref("network.proxy.type", 1);',
      `user_pref("network.proxy.socks", "${hostname}");`,
      `user_pref("network.proxy.socks_port", ${port});`,
      'user_pref("network.proxy.socks_version", 5);',
      'user_pref("network.proxy.socks_remote_dns", true);',
      'user_pref("network.proxy.socks5_remote_dns", true);',
      'user_pref("network.proxy.no_proxies_on", "");',
      'user_pref("network.proxy.failover_direct", false);',
      'user_pref("network.proxy.allow_bypass", false);',
      'user_pref("network.proxy.allow_hijacking_localhost", true);',
      'user_pref("network.trr.mode", 5);',
      'user_pref("network.captive-portal-service.enabled", false);',
      'user_pref("network.connectivity-service.enabled", false);',
      'user_pref("media.peerconnection.enabled", false);',
      'user_pref("network.dns.disablePrefetch", true);',
      'user_pref("mailnews.start_page.enabled", false);',
      'user_pref("mail.smtpserver.default.hello_argument", "localhost");',
    ],
    notes: [
      "The last line keeps the address of this machine out of its greeting to mail servers",
      "It calls home to the clearnet; that is refused, and the log shows it",
      BY_INSTANCE,
    ],
  },
  gajim: {
    title: "Gajim: Preferences, Advanced, Proxies; then choose the proxy in the account's connection settings",
    settings: ({ hostname, port }) => [
      "Type: SOCKS5",
      `Host: ${hostname}`,
      `Port: ${port}`,
      "Use authentication: yes",
      "User name: work",
      "Password: x",
    ],
    notes: [
      NOT_TRIED,
      "Give the account its server by hand (NAME.i2p, port 5222): Gajim looks for servers in DNS otherwise",
      BY_LOGIN,
    ],
  },
  electrum: {
    title: "Electrum: a command line; SERVER.i2p is an Electrum server in I2P",
    settings: (listener) => [
      `electrum --oneserver --server SERVER.i2p:50001:t --proxy socks5:${formatEndpoint(listener)}:work:x`,
    ],
    notes: [
      NOT_TRIED,
      "Without --oneserver it looks for more servers on the clearnet; those are refused",
      BY_LOGIN,
    ],
  },
  bitcoin: {
    title: "Bitcoin Core: bitcoin.conf",
    settings: (listener) => [
      "i2psam=127.0.0.1:7656",
      "onlynet=i2p",
      `proxy=${formatEndpoint(listener)}`,
      "dnsseed=0",
      "dns=0",
    ],
    notes: [
      NOT_TRIED,
      "Bitcoin Core speaks to the router's SAM bridge itself (i2psam), with an identity that it keeps in its data folder",
      "proxy sends whatever else it would connect to through i2p-socks, which refuses it: nothing reaches the clearnet",
    ],
  },
};

/** Libraries: what a program has to say. */
export const LIBRARY_CLIENTS: Readonly<Record<string, Client>> = {
  requests: {
    title: "requests (Python): needs requests[socks]",
    settings: (listener) => [
      `proxy = "${url("socks5h", listener, "work")}"`,
      "session = requests.Session()",
      "session.trust_env = False",
      'session.proxies = {"http": proxy, "https": proxy}',
    ],
    notes: ["With socks5:// requests looks names up itself. trust_env lets variables win over these proxies", BY_LOGIN],
  },
  httpx: {
    title: "httpx (Python): needs httpx[socks]",
    settings: (listener) => [`client = httpx.Client(proxy="${url("socks5", listener, "work")}", trust_env=False)`],
    notes: ["httpx leaves names to the proxy with socks5://, and older versions refuse socks5h://", BY_LOGIN],
  },
  aiohttp: {
    title: "aiohttp (Python): needs aiohttp-socks",
    settings: (listener) => [
      `connector = aiohttp_socks.ProxyConnector.from_url("${url("socks5", listener, "work")}")`,
      "session = aiohttp.ClientSession(connector=connector)",
    ],
    notes: ["The word is socks5 here: aiohttp-socks leaves names to the proxy with it, and refuses socks5h", BY_LOGIN],
  },
  pysocks: {
    title: "PySocks (Python)",
    settings: ({ hostname, port }) => [
      `sock = socks.create_connection(("NAME.i2p", 80), proxy_type=socks.SOCKS5, proxy_addr="${hostname}",`,
      `    proxy_port=${port}, proxy_rdns=True, proxy_username="work", proxy_password="x")`,
    ],
    notes: [
      "Replacing socket.socket is not enough: what calls getaddrinfo() still looks names up itself",
      `${BY_LOGIN}, but not empty`,
    ],
  },
  java: {
    title: "Java: a socket; with OkHttp, the same Proxy object",
    settings: ({ hostname, port }) => [
      `var proxy = new Proxy(Proxy.Type.SOCKS, new InetSocketAddress("${hostname}", ${port}));`,
      "var socket = new Socket(proxy);",
      'socket.connect(InetSocketAddress.createUnresolved("NAME.i2p", 80));',
    ],
    notes: [
      "createUnresolved leaves the name to the proxy. URLConnection looks names up first; java.net.http.HttpClient has " +
      "no SOCKS and connects directly",
      "Java offers the name of your account as user name. i2p-socks takes that for no login; with an Authenticator " +
      "another user name is another identity",
    ],
  },
  node: {
    title: "Node: needs socks-proxy-agent",
    settings: (listener) => [`const agent = new SocksProxyAgent("${url("socks5h", listener, "work")}");`],
    notes: [
      "With socks5:// it looks names up itself. For fetch: fetch-socks with type 5, or undici's Socks5ProxyAgent, " +
      "where the word is socks5",
      BY_LOGIN,
    ],
  },
  go: {
    title: "Go: in front of a program that uses net/http",
    settings: (
      listener,
    ) => [`HTTP_PROXY=${url("socks5", listener, "work")} HTTPS_PROXY=${url("socks5", listener, "work")}`],
    notes: ["net/http leaves names to the proxy with socks5 and socks5h, and does not read ALL_PROXY", BY_LOGIN],
  },
};
