"""Bots with the real Baileys under the guard, against the loopback server of tests/slow/baileys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from skill.guard.render import render_guard
from skill.policy import Backoff, Policy
from skill.render.style import Style
from skill.render.typescript import render_channel_module
from tests.slow.baileys.harness import Server

HERE = Path(__file__).resolve().parent
SHORT = Policy(
    transient=Backoff(first=0.1, cap=60),
    hold=Backoff(first=30, cap=60),
    deadlines=(2, 4, 20),
    settle=0.1,
    unflushed=2,
    recheck=1,
    spacing=0.05,
)
"""The policy, 50 times as fast; budget and memory are as they are."""
WAYS = {
    "es-module": ("node", "esm.mjs"),
    "es-module-of-6": ("node", "named.mjs"),
    "dynamic-import": ("node", "dynamic.cjs"),
    "required-es-module": ("node", "required.cjs"),
    "required-es-module-of-6": ("node", "required-6.cjs"),
    "common-js-of-another-name": ("node", "fork.cjs"),
    "common-js-that-is-a-function": ("node", "function.cjs"),
    "common-js-imported": ("node", "fork-imported.mjs"),
    "es-module-of-another-name": ("node", "fork.mjs"),
    "in-a-package": ("node", "package.mjs"),
    "held-in-its-source": ("node", "held.mjs"),
    "rewritten": ("node", "rewritten.mjs"),
    "half-rewritten": ("node", "half.mjs"),
    "worker-thread": ("node", "worker.mjs"),
    "two-copies": ("node", "two.mjs"),
    "tsx": ("node_modules/.bin/tsx", "typed.mts"),
    "npm": ("npm", "start", "--silent"),
    "bundle-in-common-js": ("node", "bundle.cjs"),
    "bundle-of-es-modules": ("node", "bundle.mjs"),
}
"""How a bot of the tree is started that comes to Baileys in its own way."""
FORK = {"type": "module", "main": "lib/index.js", "dependencies": {"libsignal": "*"}}
BUNDLES = {
    "cjs": (
        "--define:import.meta.url=__url",
        "--banner:js=const __url = require('url').pathToFileURL(__filename).href;",
    ),
    "esm": (
        "--banner:js=import { createRequire } from 'node:module';"
        "import { fileURLToPath } from 'node:url';"
        "const require = createRequire(import.meta.url);"
        "const __filename = fileURLToPath(import.meta.url);"
        "const __dirname = fileURLToPath(new URL('.', import.meta.url));",
    ),
}
"""What the code of each form lacks in the other."""
FUNCTION = "module.exports = Object.assign(module.exports.makeWASocket, { ...module.exports });\n"
"""What is required is the function itself, with all the rest on it."""
SESSION = """import makeWASocket, * as baileys from '@whiskeysockets/baileys';
export default (start) => start(baileys, makeWASocket);
"""


def make_tree(folder: Path, node_tools: Path) -> Path:
    """A folder with the bots, every copy of Baileys, and the guard.

    ``guard.cjs`` has the short policy, ``real.cjs`` the real one.
    """
    tools = node_tools.resolve() / "node_modules"
    shutil.copytree(HERE / "bots", folder, dirs_exist_ok=True)
    modules = folder / "node_modules"
    modules.mkdir()
    for package in tools.iterdir():
        (modules / package.name).symlink_to(package)
    fork, common, session = (modules / name for name in ("wa-fork", "wa-common", "wa-session"))
    shutil.copytree(tools / "@whiskeysockets" / "baileys", fork)
    write_package(fork, {**FORK, "name": "wa-fork"})
    entry = tools / "@whiskeysockets" / "baileys" / "lib" / "index.js"
    bundle(tools, entry, common / "lib" / "index.js", "cjs")
    # Without a type, as old packages are: Node has to look into the file.
    untyped = {key: value for key, value in FORK.items() if key != "type"}
    write_package(common, {**untyped, "name": "wa-common"})
    whole = (common / "lib" / "index.js").read_text()
    function = modules / "wa-function"
    function.mkdir()
    (function / "index.js").write_text(f"{whole}\n{FUNCTION}")
    write_package(function, {**untyped, "name": "wa-function", "main": "index.js"})
    session.mkdir()
    (session / "index.js").write_text(SESSION)
    write_package(session, {"name": "wa-session", "type": "module", "main": "index.js"})
    write_package(folder, {"name": "bot", "scripts": {"start": "node esm.mjs"}})
    bundle(tools, folder / "esm.mjs", folder / "bundle.cjs", "cjs")
    bundle(tools, folder / "esm.mjs", folder / "bundle.mjs", "esm")
    for place, kind in (("", "held"), ("rewritten/", "loop")):
        module = folder / f"{place}whatsapp-reconnect.mjs"
        module.parent.mkdir(exist_ok=True)
        module.write_text(render_channel_module(Style(), "1", ".mjs", SHORT, kind))
    (folder / "guard.cjs").write_bytes(render_guard(policy=SHORT))
    (folder / "real.cjs").write_bytes(render_guard())
    return folder


def write_package(folder: Path, data: dict[str, object]) -> None:
    (folder / "package.json").write_text(json.dumps(data))


def bundle(tools: Path, entry: Path, out: Path, form: str) -> None:
    """One file with all that an entry imports, as deployed bots have it."""
    optional = [f"--external:{name}" for name in ("sharp", "jimp", "link-preview-js")]
    command = [tools / ".bin" / "esbuild", entry, "--bundle", "--platform=node", "--minify"]
    command += [*optional, *BUNDLES[form], f"--format={form}", f"--outfile={out}"]
    subprocess.run([*command, "--log-level=error"], check=True, timeout=60)


@dataclass
class Bot:
    """A bot of the tree, in a folder of its own, and what it meets at the server."""

    tree: Path
    server: Server
    script: Sequence[str]
    command: Sequence[str]
    folder: Path
    guard: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    host: str = "127.0.0.1"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The bot, started; what still runs after the block is killed."""
        url = self.server.url(self.name, self.script).replace("127.0.0.1", self.host)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "WHATSAPP_URL": url,
            "WHATSAPP_ROOT": self.server.root,
            "WHATSAPP_RECONNECT_DIR": str(self.folder / "memory"),
            "npm_config_update_notifier": "false",
            **self.environment,
        }
        if self.guard:
            environment["NODE_OPTIONS"] = f"--require={self.guard}"
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            # npm and tsx have children: the whole group that was started here.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()

    @property
    def log(self) -> Path:
        return self.folder / "bot.log"

    @property
    def seen(self) -> list[str]:
        """What the bot heard of its connections, in its own words."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if line == "open" or line.isdigit()]

    @property
    def dials(self) -> list[float]:
        return self.server.of(self.name, "attempt")

    @property
    def attempts(self) -> list[list[float]]:
        """When each account's attempts began, by its own memory: seconds since 1970."""
        return attempts_in(self.folder / "memory")

    @property
    def own_attempts(self) -> list[list[float]]:
        """The same by the memory of a bot that is rewritten, beside its credentials."""
        return attempts_in(self.folder)


def attempts_in(folder: Path) -> list[list[float]]:
    found = [
        json.loads(file.read_text())["attempts"].values()
        for file in folder.glob("*-reconnect.json")
    ]
    return [sorted(stamp / 1000 for stamp in stamps) for stamps in found if stamps]


def bot(
    tree: Path,
    server: Server,
    way: str,
    script: Sequence[str] = ("failure/503",),
    guard: bool = False,
    **environment: str,
) -> Bot:
    """A bot that comes to Baileys in one of the ways."""
    tool, *arguments = WAYS[way]
    folder = tree / "runs" / uuid.uuid4().hex[:8]
    folder.mkdir(parents=True)
    command = [str(tree / tool) if "/" in tool else tool]
    if tool == "npm":
        command += ["--prefix", str(tree), *arguments]
    else:
        command += [str(tree / argument) for argument in arguments]
    made = Bot(tree, server, script, command, folder, environment=environment)
    made.log.touch()
    made.guard = tree / "guard.cjs" if guard else None
    made.host = "web.whatsapp.com" if way.startswith("bundle") else "127.0.0.1"
    return made
