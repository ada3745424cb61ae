"""A contained host keeps its own loop: a refusal must neither end its process nor make it spin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from skill.render import render_channel_module
from skill.style import CANONICAL

SCRIPT = """\
import { Reconnect } from './whatsapp-reconnect.js';

const logger = { info() {}, warn() {}, error() {} };
const options = { authDir: 'auth', logger, ...JSON.parse(process.argv[2]) };
const outcomeOf = async (reconnect: Reconnect): Promise<string> => {
  let outcome = 'pending';
  reconnect.turn().then(
    () => (outcome = 'granted'),
    () => (outcome = 'refused'),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return outcome;
};
const lastDisconnect = { error: { output: { statusCode: 403 } } };
const reconnect = new Reconnect(options);
reconnect.observe({ connection: 'close', lastDisconnect }, await reconnect.turn());
const again = [await outcomeOf(reconnect), await outcomeOf(reconnect)];
console.log(JSON.stringify([...again, await outcomeOf(new Reconnect(options))]));
"""


@pytest.mark.parametrize(("own_loop", "again"), [(True, "pending"), (False, "refused")])
def test_a_later_call_waits_and_a_first_one_is_told(
    tmp_path: Path, node_tools: Path, own_loop: bool, again: str
) -> None:
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth" / "creds.json").write_text('{"registered": true, "me": {"id": "1"}}')
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "whatsapp-reconnect.ts").write_text(render_channel_module(CANONICAL, "1"))
    (tmp_path / "main.ts").write_text(SCRIPT)
    tsx = node_tools / "node_modules" / ".bin" / "tsx"
    done = subprocess.run(
        [str(tsx), "main.ts", json.dumps({"ownLoop": own_loop})],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [again, again, "refused"]
