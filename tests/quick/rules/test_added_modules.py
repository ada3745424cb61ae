"""A module that skillgen added, and that is gone or edited, is seen, and comes back."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from skill import cli

HOSTS = ("v1-class", "session-map", "js-cjs", "local-reexport", "monorepo", "v2-factory")
DEFINED = re.compile(rb"^ *(?:async )?(?:def|class) \w+", re.MULTILINE)
PYTHON = ("s1-link", "s3-single", "s1d-aiohttp")


def modules_in(root: Path) -> list[Path]:
    found = [*root.rglob("whatsapp-reconnect.*"), *root.rglob("whatsapp_reconnect.py")]
    return sorted(path for path in found if ".skillgen" not in path.parts and path.is_file())


def patched(source: Path, target: Path) -> list[Path]:
    shutil.copytree(source, target)
    assert cli.run(["apply", "-q", str(target)]) in (0, 1)
    return modules_in(target)


def is_test(path: Path) -> bool:
    return ".test." in path.name


@pytest.mark.parametrize(
    "name", [f"hosts/{name}" for name in HOSTS] + [f"hosts_python/{name}" for name in PYTHON]
)
def test_a_module_that_is_gone_is_added_again(
    checkout: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "host"
    modules = [path for path in patched(checkout / "tests" / name, root) if not is_test(path)]
    assert modules
    before = {path: path.read_bytes() for path in modules}
    clean = cli.run(["check", "-q", str(root)])
    for path in modules:
        path.unlink()
    capsys.readouterr()
    assert cli.run(["check", str(root)]) == 1
    assert "which skillgen added and which is not there any more" in capsys.readouterr().out
    assert cli.run(["apply", "-q", str(root)]) == clean
    for path in modules:
        if path.suffix == ".py":
            # All of the module: what its files call by now is theirs to know.
            assert set(DEFINED.findall(before[path])) <= set(DEFINED.findall(path.read_bytes()))
        else:
            assert path.read_bytes() == before[path]
    assert cli.run(["check", "-q", str(root)]) == clean


@pytest.mark.parametrize("name", HOSTS[:3])
def test_a_policy_that_was_edited_is_a_finding(
    checkout: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "host"
    [module, *_] = [
        path for path in patched(checkout / "tests/hosts" / name, root) if not is_test(path)
    ]
    text = module.read_text("utf-8")
    assert text.count("BUDGET = 20;") == 1
    module.write_text(text.replace("BUDGET = 20;", "BUDGET = 2000;"), "utf-8")
    capsys.readouterr()
    assert cli.run(["check", str(root)]) == 1
    said = capsys.readouterr().out
    assert "BUDGET is 2000 here, and 20 in the policy that is measured" in said
    assert said.count("by hand") == 2, "one finding, and its count"
    # A comment of the host's own is no other policy.
    module.write_text(text.replace("// ---", "// ours: ---", 1), "utf-8")
    assert cli.run(["check", "-q", str(root)]) == 0


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("s1-link", ("BRIDGE_CAP = 60.0", "BRIDGE_CAP = 6.0")),
        ("s3-single", ("BUDGET = 20", "BUDGET = 900")),
    ],
)
def test_the_same_in_python(
    checkout: Path,
    tmp_path: Path,
    name: str,
    edit: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "host"
    [module] = patched(checkout / "tests/hosts_python" / name, root)
    text = module.read_text("utf-8")
    assert text.count(f"\n{edit[0]}\n") == 1
    module.write_text(text.replace(f"\n{edit[0]}\n", f"\n{edit[1]}\n"), "utf-8")
    capsys.readouterr()
    assert cli.run(["check", str(root)]) == 1
    constant, _, value = edit[1].partition(" = ")
    assert f"{constant} is {value} here, and " in capsys.readouterr().out
