"""A host's logger of any kind: the gate says its line where it can, and goes on in any case."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from add.channel.python.bridge import BridgeLink
from skill.policy import Backoff, Policy
from skill.render.style import CANONICAL
from skill.render.typescript import render_channel_module

# Each says what it was given to `said`.
LOGGERS = {
    "all levels": "{ info: say, warn: say, error: say }",
    "no warn": "{ info: say, error: say }",
    "info only": "{ info: say }",
    "log only": "{ log: say }",
    "error is null": "{ info: say, warn: say, error: null }",
    "a method that needs its object": "new (class { warn(l) { this.say(l); } say = say })()",
    "a function": "say",
    "an empty object": "{}",
    "throws": "{ warn() { throw new Error('EPIPE'); } }",
    "rejects": "{ async warn(line) { say(line); throw new Error('EPIPE'); } }",
    "throws when it is looked at": "new Proxy({}, { get() { throw new Error('closed'); } })",
    "nothing": "undefined",
}
SCRIPT = """\
const said = [];
const say = (line) => void said.push(line);
console.warn = say;
const reconnect = new Reconnect({ authDir: 'auth', logger: LOGGER });
let attempts = 0;
function connect() {
  attempts += 1;
  if (attempts === 3) {
    console.log(JSON.stringify({ attempts, said }));
    process.exit(0);
  }
  let hear;
  const ev = { on: (_event, heard) => void (hear = heard) };
  reconnect.socket(() => ({ ev }), {});
  const error = { output: { statusCode: 408 } };
  hear({ connection: 'close', lastDisconnect: { error } });
  reconnect.dial(connect);
}
reconnect.dial(connect);
"""


@pytest.mark.parametrize("ending", [".mjs", ".cjs"])
@pytest.mark.parametrize("kind", LOGGERS)
def test_the_next_attempt_comes(tmp_path: Path, kind: str, ending: str) -> None:
    short = Policy(transient=Backoff(first=0.05, cap=60), settle=0.01)
    style = replace(CANONICAL, modules="esm" if ending == ".mjs" else "commonjs")
    module = render_channel_module(style, "1", ending, short)
    (tmp_path / f"whatsapp-reconnect{ending}").write_text(module, "utf-8")
    name = f"'./whatsapp-reconnect{ending}'"
    taken = f"import {{ Reconnect }} from {name};\n"
    if ending == ".cjs":
        taken = f"const {{ Reconnect }} = require({name});\n"
    main = tmp_path / f"main{ending}"
    main.write_text(taken + SCRIPT.replace("LOGGER", LOGGERS[kind]), "utf-8")
    command = ["node", str(main)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["attempts"] == 3
    # A wait that is over by then is not announced.
    nth = re.compile(r"408; held: attempt [23] of this hour")
    assert any(nth.search(line) for line in seen["said"]), seen


class Raises:
    def __getattr__(self, name: str) -> Callable[[str], None]:
        raise RuntimeError(name)


def fail(_line: str) -> None:
    raise OSError("EPIPE")


PYTHON: dict[str, Any] = {
    "error only": SimpleNamespace(error=print),
    "no info": SimpleNamespace(warning=print, error=print),
    "info is None": SimpleNamespace(info=None, warning=print),
    "an empty object": object(),
    "a function": print,
    "raises": SimpleNamespace(info=fail),
    "raises when it is looked at": Raises(),
}


@pytest.mark.parametrize("kind", PYTHON)
def test_a_python_link_waits_and_goes_on(
    kind: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def attempts() -> list[int]:
        link = BridgeLink(PYTHON[kind])
        first = await link.turn()
        link.closed()
        link._due = link._now() + 0.05
        return [first, await link.turn()]

    assert asyncio.run(attempts()) == [1, 2]
    assert "next attempt in" in capsys.readouterr().out + caplog.text
