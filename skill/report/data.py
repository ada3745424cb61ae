"""The JSON of ``--format json``.

    {"version": 1, "skillgen": "0.1.0", "command": "apply", "exit": 0, "hosts": [HOST, …]}

HOST of inspect, check, apply:
    {"host": as given, "exit": 0|1|2, "error": null or one line,
     "recovered": null or {"command", "outcome": "before"|"after", "kept": [path]},
     "settings": null or {"path", "text"}, options that the project keeps,
     "findings": [{"path", "line", "column", "rule", "message", "fix": text or null,
                   "hand_off": bool, "reason", "accept", "contained": bool}],
     "notes": [{"path", "line", "kind", "message"}],
     "changes": [{"path", "mode": "0644", "rules": [id], "before": sha256 or null,
                  "after": sha256 or null, "diff": text}],        apply only
     "written": bool,                                              apply only
     "proof": {"fence": name or null, "holds": bool, "remembered": bool,
               "channels": [PROOF], "failed": [PROOF]},            apply --prove only
     "next": [{"command": text or null, "why": text}],             apply only
     "warnings": [text],
     "verified": VERIFIED, or null where nothing changes}          apply --verify only
PROOF: {"path", "line", "change": "rewritten"|"held"|"unchanged",
    "verdict": "proven"|"failed"|"not run", "way": how it was started, "scenarios": count,
    "why", "stood_in": [text], "scenario": id, "trace": [text],
    "dials": [{"scenario", "before", "after"}]}.
    With check --installed also what doctor has: answers, unseen.
HOST of doctor: host, exit, error, recovered, settings, answers: [{"question",
    "state": "ok"|"warning"|"wrong", "text", "next": [command]}], unseen: [{"what", "why"}].
HOST of revert: host, exit, error, recovered, restored, merged, removed, kept: [path],
    away: [path], conflicts: [{"path", "reason", "merge": path or null}], message, next, warnings.
HOST of status: host, exit, error, recovered, versions: [text], files, changed, missing:
    [path], modules, skill: [{"path", "version", "intact"}], memories: [MEMORY],
    guarded: [{"path", "version", "undo": command}], lost: [{"path", "line", "message"}],
    warnings: [text].
HOST of guard: host, exit, error, recovered, guard: path or null, proof: text or null,
    changes: [path], written, next, todo, notes: [text].
HOST of service: host, exit, error, recovered, services: [SERVICE],
    looked: [{"manager", "state": "looked"|"absent"|"failed", "why"}], proof: text or null,
    changes: [path], written, restarted: [name], next, todo, notes: [text].
SERVICE: {"manager", "name",
    "kind": "systemd"|"launchd"|"supervisord"|"pm2"|"compose"|"docker"|"script"|"process",
    "starts": "bot"|"other"|"unknown", "command", "why", "path": path or null,
    "more": [path of each file that adds to it], "state": text,
    "policy": null, or {"restart", "pause_s", "longest_pause_s", "limit_interval_s",
    "limit_burst", "is_limited": bool or null, "starts_per_hour": count or null},
    "started": {"hour", "day", "restarts": count or null, "why": why one is null},
    "guarded": bool, "findings": as of inspect, with absolute paths,
    "obstacles": why nothing is written for it: [text], "notes": [text]}.
HOST of install: host, exit, error, recovered, added, changed, removed, kept: [path],
    warnings: [text].
HOST of reset: host, exit, error, recovered, memories: [MEMORY].
MEMORY: {"path", "state": "clear"|"waiting"|"stopped", "text", "resettable": bool,
    "cleared": bool}.
VERIFIED: {"summary": text, "broken": bool, "fence": kind or null, "limit": seconds,
    "checks": [{"name", "folder", "command", "verdict": "green"|"same"|"mended"|"red"|"unknown"|
    "not run", "before": RAN, "after": RAN, "turned_red": [text], "red_before": [text], "note"}],
    "not_run": [{"name", "why"}]}.
RAN: null, or {"status": null where it did not end, "seconds", "tests", "red": count or null}.
rule: {"version", "skillgen", "command", "exit", "rules": [{"id", "summary", "page"}]}.
simulate --list: the same with "scenarios": [{"id", "title", "headline": bool}] for the rules,
    --install-esbuild with "esbuild": folder.

Every HOST also has "foreign_record": null, or one line when what lies in .skillgen is not
this user's own and was left alone.

Keys are only ever added under one ``version``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from skill import __version__
from skill.plan import Change, Plan, sha256
from skill.report.diff import diff

VERSION = 1

Data = dict[str, Any]


def document(command: str, code: int, **content: object) -> str:
    head = {"version": VERSION, "skillgen": __version__, "command": command, "exit": code}
    return json.dumps({**head, **content}, indent=2, ensure_ascii=True) + "\n"


def seen(plan: Plan) -> Data:
    return {
        "findings": [
            {**asdict(finding), "hand_off": finding.is_hand_off} for finding in plan.findings
        ],
        "notes": [asdict(note) for note in plan.notes],
    }


def change(item: Change) -> Data:
    return {
        "path": item.path,
        "mode": f"{item.mode:04o}",
        "rules": list(item.rules),
        "before": sha256(item.before),
        "after": sha256(item.after),
        "diff": diff(item).decode("utf-8", "replace"),
    }
