"""``make dist``: wheel and archive of the sources in ``dist/``, each checked in clean places.

Builds with ``build``, installs with pip, pipx and uv, each from PyPI and by itself, and
runs what is installed. Ends with 1 where one of them does not work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
DIST = CHECKOUT / "dist"
TOOLS = ("build", "pipx", "uv")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="skillgen-dist-") as made:
        work = Path(made)
        tools = environment(work / "tools", *TOOLS)
        shutil.rmtree(DIST, ignore_errors=True)
        run(tools / "python", "-m", "build", "--outdir", DIST, CHECKOUT)
        failed = 0
        for file in sorted(DIST.iterdir()):
            for name, program in installed(file, work / file.name, tools):
                answer = works(program, work)
                print(f"{file.name}, {name}: {answer or 'works'}", flush=True)
                failed += bool(answer)
    return 1 if failed else 0


def run(*words: str | Path, **environ: str | Path) -> None:
    variables = {**os.environ, **{name: str(value) for name, value in environ.items()}}
    subprocess.run([*map(str, words)], env=variables, check=True, stdout=subprocess.DEVNULL)


def environment(folder: Path, *wanted: str | Path) -> Path:
    """The folder of the programs of a new environment with these packages."""
    run(sys.executable, "-I", "-m", "venv", folder)
    run(folder / "bin" / "python", "-I", "-m", "pip", "install", "--quiet", *wanted)
    return folder / "bin"


def installed(file: Path, folder: Path, tools: Path) -> Iterator[tuple[str, Path]]:
    """(what installed it, the command), one after the other."""
    folder.mkdir()
    yield "pip", environment(folder / "pip", file) / "skillgen"
    places = {"PIPX_HOME": folder / "pipx", "PIPX_BIN_DIR": folder / "pipx-bin"}
    run(tools / "pipx", "install", "--quiet", "--python", sys.executable, file, **places)
    yield "pipx", folder / "pipx-bin" / "skillgen"
    places = {"UV_TOOL_DIR": folder / "uv", "UV_TOOL_BIN_DIR": folder / "uv-bin"}
    run(tools / "uv", "tool", "install", "--quiet", "--python", sys.executable, file, **places)
    yield "uv", folder / "uv-bin" / "skillgen"


def works(program: Path, work: Path) -> str:
    """What does not work of an installed command; nothing where all does."""
    project = Path(tempfile.mkdtemp(dir=work))
    (project / "package.json").write_text("{}\n")
    home = Path(tempfile.mkdtemp(dir=work))
    variables = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(work)}
    for words in (["--version"], ["rule", "flat-retry"], ["demo"], ["install", str(project)]):
        done = subprocess.run(
            [str(program), *words], cwd=work, env=variables, capture_output=True, text=True
        )
        if done.returncode or not done.stdout:
            return f"skillgen {' '.join(words)} ends with {done.returncode}: {done.stderr[-300:]}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
