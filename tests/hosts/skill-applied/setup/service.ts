/** Installs trellis as a service of the person who runs this: launchd or systemd. */
import { execFileSync } from 'child_process';
import fs from 'fs';
import os from 'os';
import path from 'path';

export function plist(nodePath: string, projectRoot: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>org.trellis</string>
    <key>ProgramArguments</key>
    <array>
        <string>${nodePath}</string>
        <string>${projectRoot}/dist/index.js</string>
    </array>
    <key>WorkingDirectory</key>
    <string>${projectRoot}</string>
    <key>RunAtLoad</key>
    <true/>
    <key>KeepAlive</key>
    <true/>
</dict>
</plist>`;
}

export function unit(nodePath: string, projectRoot: string): string {
  return `[Unit]
Description=Trellis watering roster
After=network.target

[Service]
Type=simple
ExecStart=${nodePath} ${projectRoot}/dist/index.js
WorkingDirectory=${projectRoot}
Restart=always
RestartSec=5

[Install]
WantedBy=default.target`;
}

export function run(): void {
  const root = process.cwd();
  const home = os.homedir();
  if (os.platform() === 'darwin') {
    const target = path.join(home, 'Library/LaunchAgents/org.trellis.plist');
    fs.writeFileSync(target, plist(process.execPath, root));
    execFileSync('launchctl', ['load', target]);
  } else {
    const target = path.join(home, '.config/systemd/user/trellis.service');
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, unit(process.execPath, root));
    execFileSync('systemctl', ['--user', 'daemon-reload']);
    execFileSync('systemctl', ['--user', 'enable', '--now', 'trellis']);
  }
}
