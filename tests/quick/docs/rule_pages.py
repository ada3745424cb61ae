"""``python -m tests.quick.docs.rule_pages`` writes docs/rules/ anew, a page a rule."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from modify.rules import Rule
from skill.rulebook import rules, titled

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "rules"


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    found = rules().values()
    lines = [f"- [{rule.id}]({rule.id}.md): {rule.summary}" for rule in found]
    index = "\n".join(["# The rules", "", *lines, ""])
    return {"README.md": index} | {f"{rule.id}.md": as_markdown(rule) for rule in found}


def as_markdown(rule: Rule) -> str:
    """A rule's page for ``docs/rules``."""
    head, *sections = re.split(r"^(?=\w.*\n    )", rule.page, flags=re.M)
    lines = [f"# {rule.id}", "", _as_text(head)]
    for section in sections:
        title, _, text = section.partition("\n")
        lines += [f"## {title}", "", _as_text(textwrap.dedent(text))]
    lines += ["## Examples", ""]
    for example in rule.examples:
        for title, text in titled(example):
            lines += [title, "", "```", text.rstrip("\n"), "```", ""]
    return "\n".join(lines)


def _as_text(text: str) -> str:
    return text.replace("``", "`").strip("\n") + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for file in FOLDER.glob("*.md"):
        if file.name not in pages():
            file.unlink()


if __name__ == "__main__":
    main()
