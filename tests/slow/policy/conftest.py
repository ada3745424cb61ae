"""The reconnect module as Node runs it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
MODULE = HERE.parents[2] / "add" / "channel" / "typescript" / "index.ts"


@pytest.fixture(scope="session")
def compiled_module(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """add/channel/typescript as one CommonJS module, on the disk in memory of disk.mjs."""
    target = tmp_path_factory.mktemp("module") / "reconnect.cjs"
    esbuild = node_tools / "node_modules" / ".bin" / "esbuild"
    command = [str(esbuild), str(MODULE), "--bundle", "--platform=node", "--format=cjs"]
    command += ["--target=node20", f"--alias:fs={HERE / 'disk.mjs'}", f"--outfile={target}"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return target
