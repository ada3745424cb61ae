"""``python -m tests.quick.docs.rule_pages`` writes docs/rules/ anew, a page a rule."""

from __future__ import annotations

from pathlib import Path

from skill.rulebook import as_markdown, rules

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "rules"


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    found = rules().values()
    lines = [f"- [{rule.id}]({rule.id}.md): {rule.summary}" for rule in found]
    index = "\n".join(["# The rules", "", *lines, ""])
    return {"README.md": index} | {f"{rule.id}.md": as_markdown(rule) for rule in found}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for file in FOLDER.glob("*.md"):
        if file.name not in pages():
            file.unlink()


if __name__ == "__main__":
    main()
