/** Prints the service definition of this machine: `almanac.service` or `org.almanac.plist`. */
import os from 'os';

const root = process.cwd();

/** One unit for a user's own manager. */
export function systemdUnit(node: string): string {
  return `[Unit]
Description=Almanac
After=network.target
StartLimitIntervalSec=0

[Service]
ExecStart=${node} ${root}/dist/index.js
WorkingDirectory=${root}
Restart=always
RestartSec=3

[Install]
WantedBy=default.target
`;
}

export function launchdAgent(node: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>org.almanac</string>
  <key>ProgramArguments</key>
  <array>
    <string>${node}</string>
    <string>${root}/dist/index.js</string>
  </array>
  <key>WorkingDirectory</key>
  <string>${root}</string>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>5</integer>
</dict>
</plist>
`;
}

console.log(os.platform() === 'darwin' ? launchdAgent(process.execPath) : systemdUnit(process.execPath));
