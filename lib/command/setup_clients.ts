import { formatEndpoint } from "../config/endpoint.ts";
import {
  BY_INSTANCE,
  BY_LOGIN,
  type Client,
  DESKTOP_CLIENTS,
  LIBRARY_CLIENTS,
  SHELL_CLIENTS,
} from "./client_settings.ts";
import confineScript from "../templates/setup_confine.sh" with { type: "text" };

export type { Client };

const firefox: Client = {
  title: "Firefox, LibreWolf: user.js in the folder of a separate profile (about:profiles)",
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
    'user_pref("network.dns.disablePrefetch", true);',
    'user_pref("media.peerconnection.enabled", false);',
    'user_pref("network.http.referer.XOriginPolicy", 2);',
    'user_pref("keyword.enabled", false);',
    'user_pref("browser.fixup.domainsuffixwhitelist.i2p", true);',
    'user_pref("dom.security.https_only_mode", false);',
  ],
  notes: [
    "Use the profile for I2P only: cookies and the look of the browser link what you do in it",
    "It calls home to the clearnet; that is refused, and the log shows it",
    "This profile cannot reach services on this machine, such as the router console; otherwise any website could",
    "Its User-Agent names the system: i2p-socks --scrub http",
    "To give each container its own identity, use an extension that sets a SOCKS user name per container",
  ],
};

const proxychains: Client = {
  title: "proxychains-ng: a file for proxychains4 -f FILE PROGRAM",
  settings: ({ hostname, port }) => [
    "strict_chain",
    "quiet_mode",
    "proxy_dns",
    "remote_dns_subnet 224",
    "[ProxyList]",
    `socks5 ${hostname} ${port}`,
  ],
  notes: [
    "Without proxy_dns a program asks your DNS. It cannot hold statically linked programs (such as those in Go)",
    `${BY_LOGIN}: socks5 HOST PORT work x`,
  ],
};

/** Applications by the word that `setup` takes. */
export const CLIENTS: Readonly<Record<string, Client>> = {
  curl: {
    title: "curl: a command line",
    settings: (listener) => [`curl --proxy socks5h://${formatEndpoint(listener)} http://stats.i2p/`],
    notes: [
      "The h in socks5h makes the proxy resolve names; with socks5 or --socks5 curl asks your DNS, and is refused",
      `${BY_LOGIN}: socks5h://work:x@ADDRESS`,
      "It names itself and its version: -A '' leaves the header out",
    ],
  },
  git: {
    title: "git over HTTP: ~/.gitconfig, or .git/config of one repository (over ssh: setup ssh)",
    settings: (listener) =>
      ["*.i2p", "*.b32.i2p"].flatMap((host) =>
        ["http", "https"].flatMap((scheme) => [
          `[http "${scheme}://${host}/"]`,
          `    proxy = socks5h://${formatEndpoint(listener)}`,
        ])
      ),
    notes: [
      "Commits carry name, mail address and time zone: set user.name and user.email, and TZ=UTC in the environment",
      `${BY_LOGIN}: proxy = socks5h://project:x@ADDRESS`,
    ],
  },
  ssh: {
    title: "OpenSSH: ~/.ssh/config; nc is OpenBSD's netcat (Debian: netcat-openbsd)",
    settings: (listener) => [
      "Host *.i2p",
      `    ProxyCommand nc -X 5 -x ${formatEndpoint(listener)} %h %p`,
      "    # Instead, without a running proxy and with its own identity:",
      "    # ProxyCommand i2p-socks connect %h %p",
      "    IdentitiesOnly yes",
      "    ForwardAgent no",
      "    ForwardX11 no",
      "    CanonicalizeHostname no",
      "    VerifyHostKeyDNS no",
      "    ServerAliveInterval 900",
    ],
    notes: [
      "Without USER@ it sends your user name of this machine, and it offers your public keys, which link you: add User " +
      "and an IdentityFile for each server",
      "ServerAliveInterval keeps a session without typing: i2pd ends a stream that brings no byte for an hour",
      BY_INSTANCE,
    ],
  },
  firefox,
  librewolf: firefox,
  chromium: {
    title: "Chromium: a command line, with a separate profile",
    settings: (listener) => [
      'chromium --user-data-dir="$HOME/.config/chromium-i2p" \\',
      `  --proxy-server="socks5://${formatEndpoint(listener)}" --proxy-bypass-list="<-loopback>" \\`,
      `  --host-resolver-rules="MAP * ~NOTFOUND , EXCLUDE ${listener.hostname}" \\`,
      "  --force-webrtc-ip-handling-policy=disable_non_proxied_udp \\",
      "  --disable-background-networking --no-first-run",
    ],
    notes: [
      "Chromium leaves names to a SOCKS5 proxy; the resolver rules stop whatever would look them up itself",
      "It calls home to the clearnet; that is refused, and the log shows it",
      BY_INSTANCE,
    ],
  },
  irssi: {
    title: "irssi: it speaks no SOCKS, so proxychains-ng stands in between; a shell, then irssi",
    settings: (listener) => [
      "cat > ~/.irssi-i2p.conf <<END",
      ...proxychains.settings(listener),
      "END",
      "proxychains4 -f ~/.irssi-i2p.conf irssi --home=$HOME/.irssi-i2p --noconnect",
      "/set nick user",
      "/set user_name user",
      "/set real_name user",
      "/ignore * CTCPS DCC",
      "/connect irc.postman.i2p",
    ],
    notes: [
      "Its defaults give away your user name, in the nick too, and real name; i2p-socks --scrub irc takes out what these " +
      "settings miss, but not from the nick",
      "Without proxychains it connects to servers of the clearnet, and to anyone who offers a DCC, straight from this machine",
      `${BY_LOGIN}: behind the port, socks5 HOST PORT work x. For a persistent one: i2p-socks --identity irc`,
    ],
  },
  weechat: {
    title: "WeeChat: commands to type (tls is ssl before version 4)",
    settings: ({ hostname, port }) => [
      `/proxy add i2p socks5 ${hostname} ${port}`,
      "/server add i2p irc.postman.i2p/6667",
      "/set irc.server.i2p.proxy i2p",
      "/set irc.server.i2p.tls off",
      "/set irc.server.i2p.nicks user",
      "/set irc.server.i2p.username user",
      "/set irc.server.i2p.realname user",
      "/connect i2p",
    ],
    notes: [
      "Its defaults give away your user name; i2p-socks --scrub irc takes out what these settings miss",
      `${BY_LOGIN}: behind the port, /proxy add work socks5 HOST PORT work x`,
    ],
  },
  monerod: {
    title: "monerod: monerod.conf, or options with -- in front; PEER stands for a node of yours or from a list",
    settings: (listener) => [`tx-proxy=i2p,${formatEndpoint(listener)}`, "add-peer=PEER.b32.i2p:18083"],
    notes: [
      "Only your own transactions go through I2P. The chain is still synchronized over the clearnet, and name servers " +
      "there are asked for seed nodes, checkpoints and updates: with proxy=127.0.0.1:9050, say, the chain comes by Tor, " +
      "and no name server is asked",
      "Two seed nodes in I2P are built in (0.18); a transaction waits until a peer in I2P is there, so add some",
      "For others to reach yours: i2p-socks --forward and anonymous-inbound, see i2p-socks help forward",
      BY_INSTANCE,
    ],
  },
  qbittorrent: {
    title: "qBittorrent: Tools, Options; before the first torrent; then restart it",
    settings: ({ hostname, port }) => [
      "Connection, Proxy Server:",
      "  Type: SOCKS5",
      `  Host: ${hostname}`,
      `  Port: ${port}`,
      "  [x] Perform hostname lookup via proxy",
      "  [x] Use proxy for BitTorrent purposes",
      "  [x] Use proxy for peer connections",
      "  [x] Use proxy for RSS purposes",
      "  [x] Use proxy for general purposes",
      "BitTorrent:",
      "  [ ] Enable DHT",
      "  [ ] Enable Peer Exchange (PeX)",
      "  [ ] Enable Local Peer Discovery",
      "  [x] Enable anonymous mode",
    ],
    notes: [
      "SOCKS reaches trackers and web seeds with names in .i2p. Peers in I2P have no IP addresses: for them use " +
      "qBittorrent's own I2P (Connection, I2P), which speaks to the router's SAM bridge itself",
      "Before version 4.6: Use proxy for hostname lookup [x], Use proxy only for torrents [ ]",
      "Without these settings, at its very first start too, it looks names of the clearnet up",
      "Trackers over UDP are refused. Those over HTTP learn the client's name from the peer id, in anonymous mode too",
      BY_LOGIN,
    ],
  },
  yggdrasil: {
    title: "Yggdrasil: yggdrasil.conf, replacing the lines of these names; PEER:PORT is a peer in I2P",
    settings: (listener) => [
      "Peers: [",
      `  "socks://yggdrasil:x@${formatEndpoint(listener)}/PEER.b32.i2p:PORT"`,
      "]",
      "MulticastInterfaces: []",
      "NodeInfoPrivacy: true",
    ],
    notes: [
      "Peers see your Yggdrasil key, which stays the same: any peer of the clearnet beside this one links it to you",
      `${BY_LOGIN}. Leave it in: without it 0.4 gives up with "invalid username/password"`,
    ],
  },
  torsocks: {
    title: "torsocks: a file whose path is in TORSOCKS_CONF_FILE",
    settings: ({ hostname, port }) => [
      `TorAddress ${hostname}`,
      `TorPort ${port}`,
      "AllowInbound 0",
      "AllowOutboundLocalhost 0",
    ],
    notes: [
      "torsocks resolves names to addresses first, so start i2p-socks with --map-names 198.18.0.0/15. torsocks refuses " +
      "127.192.0.0/10, because it takes that for this machine",
      "A name that does not exist fails at the connection, not when it is looked up",
      "torsocks --isolate gives each run its own identity",
    ],
  },
  proxychains,
  confine: {
    title: "Any program, confined: a script that leaves it no network but the proxy; Linux with socat and bubblewrap",
    settings: ({ hostname, port }) =>
      confineScript.trimEnd()
        .replace(/^proxy=.*$/m, `proxy=${formatEndpoint({ hostname, port })}`)
        .replace(/^port=.*$/m, `port=${port}`).split("\n"),
    notes: [
      "Keep it as a file: i2p-socks setup confine > i2p-run, then sh i2p-run curl ...; sh i2p-run --help has its options",
      `Inside, the application finds the proxy at 127.0.0.1 and the same port. ${BY_LOGIN}`,
      "A browser or an editor that is running already opens the window itself, unconfined: use another profile",
      "It does not stop files, D-Bus and the X server, where others can be asked to connect: i2p-socks help confine",
    ],
  },
  ...SHELL_CLIENTS,
  ...DESKTOP_CLIENTS,
  ...LIBRARY_CLIENTS,
};
