"""What ``skillgen simulate`` says of the fence, and of a bot that spoils the answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skill import cli
from skill.storm.fence import FENCED, NO_FENCE
from skill.storm.simulate import find_fence


@pytest.fixture
def heron(checkout: Path, tmp_path: Path) -> Path:
    root = tmp_path / "heron"
    leave = shutil.ignore_patterns("node_modules", "fixture.toml", ".skillgen")
    shutil.copytree(checkout / "tests/hosts/v1-class", root, ignore=leave)
    return root


def simulate(
    checkout: Path, host: Path, node_tools: Path, *words: str, path: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "skill",
            "simulate",
            str(host),
            "--node-tools",
            str(node_tools),
            *words,
            "--scenario",
            "revoked",
        ],
        cwd=checkout,
        env={**os.environ, "PATH": path or os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A PATH with Node.js, and nothing that makes a fence."""
    folder = tmp_path / "bin"
    folder.mkdir()
    node = shutil.which("node")
    assert node is not None
    (folder / "node").symlink_to(node)
    return str(folder)


def test_no_fence_is_said_before_it_runs(
    checkout: Path, heron: Path, node_tools: Path, bare: str
) -> None:
    done = simulate(checkout, heron, node_tools, path=bare)
    assert done.returncode == 0, done
    line = done.stderr.partition("\n")[0]  # lines that say how far it is may follow
    assert f"{NO_FENCE} (" in line and FENCED not in line
    done = simulate(checkout, heron, node_tools, "--require-fence", path=bare)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("skillgen: no fence here (") and "--require-fence" in line


def test_the_fence_in_force_is_said(checkout: Path, heron: Path, node_tools: Path) -> None:
    """Both ways, for a machine of either kind."""
    done = simulate(checkout, heron, node_tools, "--require-fence", "--format", "json")
    fence = find_fence()
    print(f"in force here: {fence.kind or 'none'}")
    if not fence.kind:
        assert done.returncode == 2 and done.stderr.startswith("skillgen: no fence here (")
        return
    assert done.returncode == 0, done
    assert done.stderr.rstrip().endswith(f"in a fence ({fence.kind}): {FENCED}")
    [host] = json.loads(done.stdout)["hosts"]
    assert host["fence"] == fence.kind


@pytest.mark.parametrize(
    "spoiled",
    [
        "real.mainModule.require('fs').writeSync(3, 'no answer\\n');",
        "real.mainModule.require('fs').writeSync(3, '{\"look\": {}}\\n');",
        "real.reallyExit(7);",
        "real.abort();",
    ],
)
def test_spoiled_answers_are_one_line_each(
    heron: Path,
    node_tools: Path,
    capfd: pytest.CaptureFixture[str],
    spoiled: str,
) -> None:
    channel = heron / "src/channels/whatsapp.ts"
    more = f"\n{{ const real = Function('return process')(); {spoiled} }}\n"
    channel.write_text(channel.read_text("utf-8") + more, "utf-8")
    (heron / "src/index.ts").write_text("export {};\n", "utf-8")
    words = ["--after-only", "--scenario", "revoked", "--node-tools", str(node_tools)]
    code = cli.run(["simulate", str(heron), *words])
    out, err = capfd.readouterr()
    assert code == 2
    assert "after:  not run: " in out
    assert "defect" not in out + err and "Traceback" not in out + err
    assert len(err.splitlines()) == 1
