import { applyRules, isLoopback, type Rule, type SettingsFile, sortFindings } from "./finding.ts";
import { readIni } from "./ini.ts";

/** A switch that is on by default, and off where it is safe; or the other way round. */
function mustBe(setting: string, value: "true" | "false", fallback: "true" | "false", message: string): Rule {
  const [section = "", name = ""] = setting.split("/");
  return { setting, isSafe: (given = fallback) => given === value, message, fix: `${name}=${value} in [${section}]` };
}

const RULES: readonly Rule[] = [
  {
    setting: "Network/Proxy\\Type",
    // Numbers were written before version 4.5.
    isSafe: (type = "") => /^(?:SOCKS5|2|4)$/.test(type),
    message: "No SOCKS5 proxy is set, so trackers are asked past I2P",
    fix: "Proxy\\Type=SOCKS5 in [Network]",
  },
  {
    setting: "Network/Proxy\\IP",
    isSafe: (host = "") => isLoopback(host),
    message: "The proxy is not on this machine",
    fix: "Proxy\\IP=127.0.0.1 in [Network]",
  },
  mustBe("Network/Proxy\\HostnameLookupEnabled", "true", "true", "Names are asked of this machine's DNS"),
  mustBe("Network/Proxy\\OnlyForTorrents", "false", "false", "What is no torrent, such as feeds, goes past the proxy"),
  mustBe("Network/Proxy\\Profiles\\BitTorrent", "true", "true", "Torrents go past the proxy"),
  mustBe("Network/Proxy\\Profiles\\RSS", "true", "true", "Feeds go past the proxy"),
  mustBe("Network/Proxy\\Profiles\\Misc", "true", "true", "Searches and updates go past the proxy"),
  mustBe("BitTorrent/Session\\ProxyPeerConnections", "true", "false", "Peers are reached past the proxy"),
  mustBe("BitTorrent/Session\\AnonymousModeEnabled", "true", "false", "The peer id names the client and its version"),
  mustBe("BitTorrent/Session\\DHTEnabled", "false", "true", "DHT asks peers of the clearnet, by UDP"),
  mustBe(
    "BitTorrent/Session\\PeXEnabled",
    "false",
    "true",
    "Peer exchange names peers, and learns of those of the clearnet",
  ),
  mustBe("BitTorrent/Session\\LSDEnabled", "false", "true", "The local network learns of each torrent"),
  mustBe("BitTorrent/Session\\I2P\\MixedMode", "false", "false", "Torrents of I2P get peers of the clearnet as well"),
  {
    setting: "BitTorrent/Session\\AnnounceIP",
    isSafe: (address = "") => address === "",
    message: "Trackers are told an IP address",
    fix: "Session\\AnnounceIP= in [BitTorrent]",
  },
  mustBe(
    "Network/PortForwardingEnabled",
    "false",
    "true",
    "The local network's gateway is asked to open a port (UPnP)",
  ),
  mustBe("Preferences/DynDNS\\Enabled", "false", "false", "A service of the clearnet is told this machine's address"),
];

/** qBittorrent's settings. */
export const QBITTORRENT: SettingsFile = {
  title: "qBittorrent: qBittorrent.conf",
  recognise: (name, text) =>
    /^qbittorrent\.conf$/i.test(name) ||
    (/^\[(?:BitTorrent|LegalNotice|Preferences)\]\s*$/m.test(text) &&
      /^(?:Session|WebUI|Downloads|Proxy)\\/m.test(text)),
  inspect: (text) => {
    const settings = readIni(text);
    return sortFindings(applyRules(RULES, (name) => settings.get(name)));
  },
};
