import { applyRules, isInI2p, type Rule, type SettingsFile, sortFindings } from "./finding.ts";
import { readIni } from "./ini.ts";

const RULES: readonly Rule[] = [
  {
    setting: "tx-proxy",
    isSafe: (proxy = "") => proxy.startsWith("i2p,"),
    message: "Your own transactions go to peers of the clearnet, from this machine's address",
    fix: "tx-proxy=i2p,127.0.0.1:4447",
  },
  {
    setting: "tx-proxy",
    isSafe: (proxy = "") => !/,disable_noise\b/.test(proxy),
    message: "Without noise, an observer sees when you send a transaction",
    fix: "Leave disable_noise out",
  },
  {
    setting: "proxy",
    isSafe: (proxy) => proxy !== undefined,
    message: "The chain is synchronized over the clearnet, and name servers there are asked",
    fix: "proxy=127.0.0.1:9050, with Tor there",
  },
  {
    setting: "igd",
    isSafe: (igd) => igd === "disabled",
    message: "The local network's gateway is asked to open a port (UPnP)",
    fix: "igd=disabled",
  },
  {
    setting: "enable-dns-blocklist",
    isSafe: (value) => value === undefined || /^(?:0|false)$/.test(value),
    message: "A list of peers is asked of name servers",
    fix: "enable-dns-blocklist=0",
  },
  {
    setting: "bootstrap-daemon-address",
    isSafe: (address = "") => address === "" || isInI2p(address.replace(/:\d+$/, "")),
    message: "Until the chain is there, a node of the clearnet sees what wallets ask",
    fix: "Leave it out, or name a node in I2P",
  },
];

/** monerod's settings. */
export const MONEROD: SettingsFile = {
  title: "monerod: monerod.conf, bitmonero.conf",
  recognise: (name, text) =>
    /^(?:bit)?monero[\w.-]*\.conf$/.test(name) ||
    /^\s*(?:tx-proxy|anonymous-inbound|p2p-bind-(?:ip|port)|rpc-bind-port|prune-blockchain|zmq-pub|add-priority-node)\s*=/m
      .test(text),
  inspect: (text) => {
    const settings = readIni(text);
    return sortFindings(applyRules(RULES, (name) => settings.get(`/${name}`)));
  },
};
