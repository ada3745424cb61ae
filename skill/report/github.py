"""The findings as annotations of a GitHub workflow (``--format github``).

Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from skill.report.printer import one_line
from skill.report.sarif import advice, place

DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def workflow_commands(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """rows: of the hosts, as ``skill.report.data`` describes them."""
    for row in rows:
        for finding in row.get("findings", []):
            file = place(row["host"], finding["path"]).translate(PROPERTY)
            where = f"file={file},line={finding['line']},col={finding['column']}"
            title = f"skillgen {finding['rule']}".translate(PROPERTY)
            yield one_line(f"::error {where},title={title}::{advice(finding).translate(DATA)}")
        for note in row.get("notes", []):
            if note["kind"] == "unused":
                file = place(row["host"], note["path"]).translate(PROPERTY)
                where = f"file={file},line={note['line']}"
                yield one_line(f"::warning {where}::{note['message'].translate(DATA)}")
        if row["error"] is not None:
            yield one_line(f"::error ::{row['error'].translate(DATA)}")
