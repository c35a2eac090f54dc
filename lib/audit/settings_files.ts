import type { SettingsFile } from "./finding.ts";
import { IRSSI } from "./irssi.ts";
import { MONEROD } from "./monerod.ts";
import { FIREFOX, THUNDERBIRD } from "./mozilla.ts";
import { QBITTORRENT } from "./qbittorrent.ts";
import { SSH_CONFIG } from "./ssh_config.ts";
import { WEECHAT, WEECHAT_IRC } from "./weechat.ts";

/** Most bytes of a file of settings. */
export const MAX_SETTINGS_FILE = 4_194_304;

/** Kinds of settings files, by application. The first one that recognises a file has it: ssh's words are the least own. */
export const SETTINGS_FILES: Readonly<Record<string, readonly SettingsFile[]>> = {
  firefox: [FIREFOX],
  thunderbird: [THUNDERBIRD],
  irssi: [IRSSI],
  weechat: [WEECHAT_IRC, WEECHAT],
  qbittorrent: [QBITTORRENT],
  monerod: [MONEROD],
  ssh: [SSH_CONFIG],
};

/** An application, and the kind of its settings that a file is. */
export interface Recognised {
  /** The application's word, a key of {@linkcode SETTINGS_FILES}. */
  readonly client: string;
  readonly kind: SettingsFile;
}

/**
 * Whose settings are in a file; undefined if that is not known.
 *
 * @param path of the file; its last part counts.
 * @param client the application, a key of {@linkcode SETTINGS_FILES}, where that is known.
 */
export function recogniseSettings(path: string, text: string, client?: string): Recognised | undefined {
  const name = path.split(/[\\/]/).at(-1) ?? "";
  const all = Object.entries(SETTINGS_FILES).filter(([one]) => client === undefined || one === client)
    .flatMap(([client, kinds]) => kinds.map((kind) => ({ client, kind })));
  const found = all.find(({ kind }) => kind.recognise(name, text));
  return client === undefined ? found : found ?? all[0];
}
