/**
 * Installs heron as a service of the person who runs this.
 * macOS: a launchd agent. Linux: a systemd unit, for the user or (as root) for the machine.
 */
import { execFileSync } from 'child_process';
import fs from 'fs';
import os from 'os';
import path from 'path';

import { logger } from '../src/logger.js';

export function run(): void {
  const projectRoot = process.cwd();
  const nodePath = process.execPath;
  fs.mkdirSync(path.join(projectRoot, 'logs'), { recursive: true });

  if (os.platform() === 'darwin') {
    installLaunchd(projectRoot, nodePath, os.homedir());
  } else {
    installSystemd(projectRoot, nodePath, os.homedir());
  }
}

function installLaunchd(
  projectRoot: string,
  nodePath: string,
  homeDir: string,
): void {
  const plistPath = path.join(
    homeDir,
    'Library',
    'LaunchAgents',
    'com.heron.plist',
  );

  const plist = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>com.heron</string>
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
    <key>StandardOutPath</key>
    <string>${projectRoot}/logs/heron.log</string>
    <key>StandardErrorPath</key>
    <string>${projectRoot}/logs/heron.log</string>
</dict>
</plist>`;

  fs.writeFileSync(plistPath, plist);
  execFileSync('launchctl', ['load', plistPath], { stdio: 'ignore' });
  logger.info({ plistPath }, 'launchd agent loaded');
}

function installSystemd(
  projectRoot: string,
  nodePath: string,
  homeDir: string,
): void {
  const asRoot = process.getuid?.() === 0;
  const unitDir = asRoot
    ? '/etc/systemd/system'
    : path.join(homeDir, '.config', 'systemd', 'user');
  const unitPath = path.join(unitDir, 'heron.service');

  const unit = `[Unit]
Description=Heron household reminders
After=network.target

[Service]
Type=simple
ExecStart=${nodePath} ${projectRoot}/dist/index.js
WorkingDirectory=${projectRoot}
Restart=always
RestartSec=5
Environment=HOME=${homeDir}
StandardOutput=append:${projectRoot}/logs/heron.log
StandardError=append:${projectRoot}/logs/heron.log

[Install]
WantedBy=${asRoot ? 'multi-user.target' : 'default.target'}`;

  fs.mkdirSync(unitDir, { recursive: true });
  fs.writeFileSync(unitPath, unit);
  const scope = asRoot ? [] : ['--user'];
  execFileSync('systemctl', [...scope, 'daemon-reload'], { stdio: 'ignore' });
  execFileSync('systemctl', [...scope, 'enable', '--now', 'heron'], {
    stdio: 'ignore',
  });
  logger.info({ unitPath }, 'systemd unit enabled');
}
