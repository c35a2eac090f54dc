import { type ServiceOption, wordOf } from "./service_option.ts";

/** Commands of PowerShell that start the program when the user logs on. */
export function windowsText(options: readonly ServiceOption[]): string {
  const words = ["serve", ...options.map(wordOf)].map(quote).join(" ");
  return [
    "# i2p-socks as a task of the user who logs on: run this in PowerShell. The program is no service of Windows by itself",
    "# (services.msc would need a wrapper), and a task needs no administrator.",
    '$program = "$Env:LOCALAPPDATA\\Programs\\i2p-socks\\i2p-socks.exe"',
    `$action = New-ScheduledTaskAction -Execute $program -Argument '${words.replaceAll("'", "''")}'`,
    '$trigger = New-ScheduledTaskTrigger -AtLogOn -User "$Env:USERDOMAIN\\$Env:USERNAME"',
    "$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `",
    "  -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries",
    "Register-ScheduledTask -TaskName i2p-socks -Action $action -Trigger $trigger -Settings $settings",
    "Start-ScheduledTask -TaskName i2p-socks",
    "# To end it: Stop-ScheduledTask -TaskName i2p-socks. It is ended at once, without waiting for clients.",
    '# Identities: "$Env:LOCALAPPDATA\\i2p-socks\\keys". Their files have no modes there: that folder is the user\'s own.',
  ].join("\n");
}

/** A word as the C runtime of Windows takes command lines apart. */
function quote(word: string): string {
  if (!/[\s"]/.test(word)) return word;
  return `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, "$&$&")}"`;
}
