"""The findings of ``inspect`` and ``check`` as SARIF 2.1.0, for code scanning (``--format sarif``).

One run a host. Paths are relative to the current folder, as a code-scanning service reads them from
the root of a checkout, or to the host where it lies elsewhere. What a comment accepts is a result
with a suppression. The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from skill import __version__
from skill.rulebook import rules

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"

Data = dict[str, Any]


def document(rows: Iterable[Data]) -> str:
    """rows: of the hosts, as ``skill.report.data`` describes them."""
    runs = [_run(row) for row in rows]
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}
    return json.dumps(log, indent=2, ensure_ascii=True) + "\n"


def place(host: str, path: str) -> str:
    """A file's path from the current folder; from the host's where that lies elsewhere."""
    root, here = Path(host).resolve(), Path.cwd().resolve()
    if not root.is_relative_to(here):
        return path
    return posixpath.normpath((root.relative_to(here) / path).as_posix())


def advice(finding: Data) -> str:
    """The message, with what becomes of it: the fix, or what a person has to do."""
    if finding["fix"] is not None:
        return f"{finding['message']}. Fix (skillgen apply): {finding['fix']}."
    text = f"{finding['message']}. By hand: {finding['reason'] or 'no safe change is known'}."
    return f"{text} skillgen check accepts: {finding['accept']}." if finding["accept"] else text


def _run(row: Data) -> Data:
    ids = list(rules())
    found = row.get("findings", [])
    accepted = [note for note in row.get("notes", []) if note["kind"] == "accepted"]
    results = [_result(row["host"], each, ids) for each in found]
    results += [_accepted(row["host"], each, ids) for each in accepted]
    invocation: Data = {"executionSuccessful": row["error"] is None}
    if row["error"] is not None:
        notice = {"level": "error", "message": {"text": row["error"]}}
        invocation["toolExecutionNotifications"] = [notice]
    return {
        "tool": {"driver": _driver()},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "the root of the checkout"}}},
        "results": results,
    }


def _driver() -> Data:
    described = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": rule.summary},
            "help": {"text": rule.page},
            "defaultConfiguration": {"level": "error"},
        }
        for rule in rules().values()
    ]
    return {"name": "skillgen", "version": __version__, "rules": described}


def _result(host: str, finding: Data, ids: Sequence[str]) -> Data:
    return {
        **_placed(host, finding["path"], finding["line"], finding["column"]),
        **_named(finding["rule"], ids),
        "level": "error",
        "message": {"text": advice(finding)},
        "partialFingerprints": {"skillgen/v1": _fingerprint(finding)},
    }


def _accepted(host: str, note: Data, ids: Sequence[str]) -> Data:
    rule, _, reason = note["message"].partition(": ")
    return {
        **_placed(host, note["path"], note["line"], 1),
        **_named(rule, ids),
        "level": "note",
        "message": {"text": f"Accepted by a comment: {reason}"},
        "suppressions": [{"kind": "inSource", "justification": reason}],
    }


def _named(rule: str, ids: Sequence[str]) -> Data:
    return {"ruleId": rule, "ruleIndex": ids.index(rule)}


def _placed(host: str, path: str, line: int, column: int) -> Data:
    file = {"uri": quote(place(host, path), errors="surrogateescape"), "uriBaseId": ROOT}
    region = {"startLine": line, "startColumn": column}
    return {"locations": [{"physicalLocation": {"artifactLocation": file, "region": region}}]}


def _fingerprint(finding: Data) -> str:
    """The same for a finding whose line has moved."""
    parts = (finding["rule"], finding["path"], finding["message"])
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
