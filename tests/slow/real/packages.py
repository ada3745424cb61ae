"""Real hosts and libraries, from the package index into .cache/real at the tests' set-up.

Nothing of them is ever committed. Missing network fails the test with what to do, and a
second run finds everything in place.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[3] / ".cache" / "real"
HOSTS = {
    "nanobot-0.1.3": "nanobot-ai==0.1.3.post7",
    "nanobot-0.2.2": "nanobot-ai==0.2.2",
    "nanobot-0.3.5": "nanobot-ai==0.3.5",
    "hermes-0.19.0": "hermes-agent==0.19.0",
}
# What the channels, unit installers and gateways of those hosts import; all of their
# requirements would be four times as much.
LIBRARIES = (
    "websockets>=16,<17",
    "neonize==0.5.2",
    "loguru",
    "pydantic>=2.12",
    "pydantic-settings",
    "aiohttp",
    "filelock",
    "httpx",
    "jinja2",
    "json-repair",
    "openai",
    "python-dotenv",
    "pyyaml",
    "rapidfuzz",
    "requests",
    "rich",
    "ruamel.yaml",
    "tenacity",
    "tiktoken",
    "tzlocal",
    "websocket-client>=1.8",
)


def pip(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.fail(f"pip {' '.join(words)} failed; it needs the index:\n{done.stderr}", False)


@cache
def wheel(name: str) -> Path:
    """The unpacked wheel of a host."""
    target = CACHE / name
    if not (target / ".done").exists():
        downloads = CACHE / f"{name}.whl"
        pip("download", "--no-deps", "--dest", str(downloads), HOSTS[name])
        with zipfile.ZipFile(next(downloads.glob("*.whl"))) as archive:
            archive.extractall(target)
        (target / ".done").touch()
    return target


def copied(name: str, target: Path) -> Path:
    """A host's tree, unpacked into a folder that is not there yet."""
    shutil.copytree(wheel(name), target, ignore=shutil.ignore_patterns(".done", "*.so"))
    return target


@cache
def site() -> Path:
    """A folder with the real libraries that hosts import."""
    target = CACHE / "site"
    done = target / ".done"
    wanted = "\n".join(LIBRARIES)
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(target, ignore_errors=True)
        pip("install", "--target", str(target), *LIBRARIES)
        done.write_text(wanted)
    return target
