"""A fork of the newest NanoClaw's shape: a skill with fences brings its channel from a branch."""

from __future__ import annotations

import shutil
from pathlib import Path

FIXTURE = Path(__file__).resolve().parents[2] / "hosts" / "v2-factory"
CHANNEL, BARREL = "src/channels/whatsapp.ts", "src/channels/index.ts"
MODULE, TEST = "src/channels/whatsapp-reconnect.ts", "src/channels/whatsapp-reconnect.test.ts"
ADDING = ".claude/skills/add-whatsapp/SKILL.md"
PAGES = {
    ADDING: f"""\
---
name: add-whatsapp
description: Adds the WhatsApp channel.
---

# WhatsApp

Fetch the adapter:

```nc:copy from-branch:channels
{CHANNEL}
```

```bash
echo 'only shown'
```

List it:

```nc:append to:{BARREL}
import './whatsapp.js';
```
```nc:run effect:test
pnpm exec vitest run
```
""",
    ".claude/skills/update-nanoclaw/SKILL.md": "---\nname: update-nanoclaw\n---\n",
}
PROSE = f"""\
# WhatsApp

```bash
git fetch origin channels
git show origin/channels:{CHANNEL} > {CHANNEL}
```
"""


def fork(root: Path, adding: str | None = None) -> Path:
    """The fork, below ``root``. adding: another page of the skill that brings the channel."""
    host = root / "a fork"
    ignored = shutil.ignore_patterns("node_modules", "dist", ".skillgen", "fixture.toml")
    shutil.copytree(FIXTURE, host, ignore=ignored)
    for path, text in {**PAGES, **({ADDING: adding} if adding is not None else {})}.items():
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text(text)
    return host
