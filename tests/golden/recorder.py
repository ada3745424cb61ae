"""A pytest plugin that notes the hosts which tests make, and plans each of them once more.

Which function a test calls, and what it asks of the result, does not matter: the host's files
are the input, and what ``make_plan`` makes of them is the outcome. Each process of the tests
writes its own ``NAME.jsonl`` into the folder that ``SKILLGEN_GOLDEN`` names.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from modify.kit.typescript.source import Source
from skill.errors import SkillgenError
from skill.host import Host
from skill.options import Options
from skill.plan import make_plan

FOLDER = "SKILLGEN_GOLDEN"
TESTS = str(Path(__file__).resolve().parents[1])
MOST_FILES = 80
MOST_BYTES = 400_000
Files = dict[str, bytes]

inputs: dict[str, Files] = {}
"""The files of each host, by a digest of them."""


def outcome(root: Path, options: Options | None = None) -> str:
    """The plan for a host, as one line of JSON, without the path of the host."""
    try:
        plan = make_plan(Host(root), options or Options())
    except SkillgenError as error:
        return json.dumps({"error": str(error).replace(str(root.resolve()), "HOST")})
    data = plan.digest() | {
        "findings": [asdict(finding) for finding in plan.findings],
        "notes": [asdict(note) for note in plan.notes],
    }
    del data["skillgen"]
    text = json.dumps(data, sort_keys=True, ensure_ascii=False)
    return text.replace(str(root.resolve()), "HOST")


def note(files: Files) -> None:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode("utf-8", "surrogateescape") + b"\0" + files[path] + b"\0")
    inputs.setdefault(digest.hexdigest()[:16], files)


def files_of(root: Path) -> Files | None:
    """The files of a small host; None where there are links, many files, or its own path."""
    found: Files = {}
    total = 0
    for folder, folders, names in os.walk(root):
        # Records and histories hold times of day, and no plan depends on them.
        folders[:] = [name for name in folders if name not in (".git", ".skillgen")]
        for name in names:
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                return None
            content = path.read_bytes()
            total += len(content)
            if len(found) >= MOST_FILES or total > MOST_BYTES or os.fsencode(root) in content:
                return None
            found[path.relative_to(root).as_posix()] = content
    return found


def is_made_by_a_test(root: Path) -> bool:
    temporary = Path(tempfile.gettempdir()).resolve()
    base = Path(os.environ.get("PYTEST_DEBUG_TEMPROOT", temporary)).resolve()
    # A checkout may lie in a temporary folder, and its fixtures are no test's.
    if root.resolve().is_relative_to(TESTS):
        return False
    return any(root.resolve().is_relative_to(top) for top in (base, temporary, Path("/var/tmp")))


def pytest_configure(config: pytest.Config) -> None:
    read_host = Host.__post_init__
    parse = Source.parse.__func__  # type: ignore[attr-defined]

    def post_init(self: Host) -> None:
        read_host(self)
        if is_made_by_a_test(self.root) and (files := files_of(self.root)):
            note(files)

    def parse_alone(cls: type[Source], path: str, content: bytes, *rest: Any) -> Source:
        if sys._getframe(1).f_code.co_filename.startswith(TESTS):
            note({path: content})
        source: Source = parse(cls, path, content, *rest)
        return source

    Host.__post_init__ = post_init  # type: ignore[method-assign]
    Source.parse = classmethod(parse_alone)  # type: ignore[method-assign,assignment]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", 0):
        name = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        lines = [json.dumps(case) for case in planned(dict(inputs)).items()]
        Path(os.environ[FOLDER], f"{name}.jsonl").write_text("".join(f"{x}\n" for x in lines))


def planned(hosts: dict[str, Files]) -> dict[str, str]:
    outcomes = {}
    with tempfile.TemporaryDirectory() as base:
        for key, files in sorted(hosts.items()):
            root = Path(base, key, "host")
            try:
                for path, content in files.items():
                    target = root / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
            except OSError:  # a path that only its test can make
                continue
            outcomes[f"input {key}"] = outcome(root)
    return outcomes
