import { type ServiceOption, wordOf } from "./service_option.ts";

/**
 * The command of a shell that sends the log into the user's own folder of logs. launchd takes whole paths only, and knows
 * no other name of that folder; a folder that all users share, such as /tmp, is one where others can lay a link.
 */
const WITH_LOG = `exec "$0" "$@" >>"$HOME/Library/Logs/i2p-socks.log" 2>&1`;

/** A property list of launchd, for an agent of the user who is logged in. */
export function launchdText(options: readonly ServiceOption[]): string {
  const words = ["/bin/sh", "-c", WITH_LOG, "/usr/local/bin/i2p-socks", "serve", ...options.map(wordOf)];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- i2p-socks as an agent of launchd. Put this into ~/Library/LaunchAgents/i2p-socks.plist and the program at
     /usr/local/bin/i2p-socks, then: launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/i2p-socks.plist
     The log goes to ~/Library/Logs/i2p-socks.log; it names no destination. A socket of launchd's cannot be taken over. -->
<plist version="1.0">
  <dict>
    <key>Label</key>
    <string>i2p-socks</string>
    <key>ProgramArguments</key>
    <array>
${words.map((word) => `      <string>${escape(word)}</string>`).join("\n")}
    </array>
    <key>RunAtLoad</key>
    <true/>
    <key>KeepAlive</key>
    <dict>
      <key>SuccessfulExit</key>
      <false/>
    </dict>
    <key>ThrottleInterval</key>
    <integer>10</integer>
    <key>ExitTimeOut</key>
    <integer>20</integer>
    <key>Umask</key>
    <integer>63</integer>
  </dict>
</plist>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
