import { describe, expect, it } from 'vitest';

/**
 * What setup/service.ts writes, checked as text: nothing is installed here.
 */

// The same text as in service.ts
function plistFor(nodePath: string, projectRoot: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
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
}

function unitFor(
  nodePath: string,
  projectRoot: string,
  homeDir: string,
  asRoot: boolean,
): string {
  return `[Unit]
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
}

describe('launchd agent', () => {
  const plist = plistFor('/opt/node/bin/node', '/srv/heron');

  it('starts the built program with the given node', () => {
    expect(plist).toContain('<string>/opt/node/bin/node</string>');
    expect(plist).toContain('<string>/srv/heron/dist/index.js</string>');
  });

  it('starts at login and is kept running', () => {
    expect(plist).toContain('<key>RunAtLoad</key>');
    expect(plist).toContain('<key>KeepAlive</key>\n    <true/>');
  });
});

describe('systemd unit', () => {
  const unit = unitFor('/usr/bin/node', '/srv/heron', '/home/ida', false);

  it('starts the built program', () => {
    expect(unit).toContain('ExecStart=/usr/bin/node /srv/heron/dist/index.js');
  });

  it('comes back after it ended', () => {
    expect(unit).toContain('Restart=always');
    expect(unit).toContain('RestartSec=5');
  });

  it('belongs to the user, or to the machine for root', () => {
    expect(unit).toContain('WantedBy=default.target');
    const system = unitFor('/usr/bin/node', '/srv/heron', '/root', true);
    expect(system).toContain('WantedBy=multi-user.target');
  });
});
