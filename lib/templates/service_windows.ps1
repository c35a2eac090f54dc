# i2p-socks as a task of the user who logs on: run this in PowerShell. The program is not a service of Windows by itself
# (services.msc would need a wrapper), and a task needs no administrator. Its options are in the file of --config.
$folder = "$Env:LOCALAPPDATA\i2p-socks"
$program = "$Env:LOCALAPPDATA\Programs\i2p-socks\i2p-socks.exe"
$action = New-ScheduledTaskAction -Execute $program -Argument "serve --config `"$folder\config.yaml`" --wait 10m"
$trigger = New-ScheduledTaskTrigger -AtLogOn -User "$Env:USERDOMAIN\$Env:USERNAME"
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
  -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
Register-ScheduledTask -TaskName i2p-socks -Action $action -Trigger $trigger -Settings $settings
Start-ScheduledTask -TaskName i2p-socks
# To end it: Stop-ScheduledTask -TaskName i2p-socks. It is ended at once, without waiting for clients.
# Identities: "$folder\keys". Their files have no modes there: that folder is the user's own.
