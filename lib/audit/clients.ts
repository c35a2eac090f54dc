/**
 * How applications that `setup` knows name themselves: in a User-Agent, the version line of SSH, a text of IRC, or the
 * peer id of BitTorrent.
 */
export const SOFTWARE: Readonly<Record<string, RegExp>> = {
  curl: /^curl\//,
  git: /^git\//,
  ssh: /^SSH-2\.0-OpenSSH_/,
  librewolf: /\bLibreWolf\//,
  firefox: /\bGecko\/\S+ Firefox\//,
  chromium: /\bChrom(?:e|ium)\//,
  irssi: /\birssi\b/i,
  weechat: /\bweechat\b/i,
  qbittorrent: /^qBittorrent\/|^-qB/,
};

/** The applications, by their words for `setup`, that have named themselves. */
export function clientsOf(software: readonly string[]): string[] {
  const clients = software.flatMap((text) =>
    Object.entries(SOFTWARE).find(([, pattern]) => pattern.test(text))?.[0] ?? []
  );
  return [...new Set(clients)].sort();
}
