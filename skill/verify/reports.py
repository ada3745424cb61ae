"""What a test runner, or a compiler, says about each test, or each fault, in a form to compare.

It is written by the host's own programs: any text at all, or none.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

LARGEST = 64 << 20
_TSC = re.compile(r"^(?:(?P<path>\S.*?)\(\d+,\d+\): )?error (?P<code>TS\d+): (?P<text>.*)$", re.M)
_TSC_PRETTY = re.compile(r"^(?P<path>\S.*?):\d+:\d+ - error (?P<code>TS\d+): (?P<text>.*)$", re.M)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True, slots=True)
class Report:
    """faults: how often each is there, by a name that does not change with its line.

    tests: how many were run, None of a compiler.
    """

    faults: Counter[str] = field(default_factory=Counter)
    tests: int | None = None


def options_for(runner: str, report: Path) -> list[str]:
    """The options by which a runner writes the file; none for one without such options."""
    match runner:
        case "vitest":
            return ["--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
        case "jest":
            return ["--json", f"--outputFile={report}"]
        case "mocha":
            return ["--reporter", "json", "--reporter-option", f"output={report}"]
        case "node --test":
            return ["--test-reporter=tap", f"--test-reporter-destination={report}"]
        case "pytest":
            return ["--continue-on-collection-errors", f"--junitxml={report}"]
        case "tsc":
            return ["--pretty", "false"]
    return []


def read(runner: str, report: Path, output: str, root: Path) -> Report | None:
    """The report of one run, or None where no readable one was written.

    output: what the command printed, for a compiler. root: the copy, whose name is no part of
    what is compared.
    """
    if runner == "tsc":
        return Report(_diagnostics(output, root))
    content = _content(report)
    try:
        match runner:
            case "vitest" | "jest":
                return _from_jest(json.loads(content), root)
            case "mocha":
                return _from_mocha(json.loads(content), root)
            case "node --test":
                return _from_tap(content.decode("utf-8", "replace"), root)
            case "pytest":
                return _from_junit(ElementTree.fromstring(content))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    except ElementTree.ParseError:
        return None
    return None


def _content(file: Path) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:
            return stream.read(LARGEST)
    except OSError:
        return b""


def _diagnostics(output: str, root: Path) -> Counter[str]:
    text = _COLOUR.sub("", output)
    found: Counter[str] = Counter()
    for form in (_TSC, _TSC_PRETTY):
        for match in form.finditer(text):
            where = f"{match['path']}: " if match["path"] else ""
            found[_without(f"{where}{match['code']}: {match['text'].strip()}", root)] += 1
    return found


def _without(text: str, root: Path) -> str:
    return text.replace(f"{root}{os.sep}", "").replace(str(root), ".")


def _from_jest(data: Any, root: Path) -> Report:
    faults: Counter[str] = Counter()
    for file in data["testResults"]:
        path = _without(str(file["name"]), root)
        tests = file.get("assertionResults") or []
        failed = [test for test in tests if test["status"] == "failed"]
        for test in failed:
            faults[f"{path}: {_name(test)}"] += 1
        if file.get("status") == "failed" and not failed:
            faults[f"{path}: cannot be run"] += 1
    return Report(faults, int(data["numTotalTests"]))


def _name(test: Any) -> str:
    titles = [*(test.get("ancestorTitles") or []), test.get("title") or test.get("fullName")]
    return " > ".join(str(title) for title in titles if title)


def _from_mocha(data: Any, root: Path) -> Report:
    failed = (
        _without(f"{test.get('file') or ''}: {test['fullTitle']}", root)
        for test in data["failures"]
    )
    return Report(Counter(failed), int(data["stats"]["tests"]))


def _from_tap(text: str, root: Path) -> Report:
    """Each ``not ok`` of TAP by the names above it; those come after what they hold."""
    faults: Counter[str] = Counter()
    ran = 0
    above: list[str] = []
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip(" "))) // 4
        subtest = re.match(r" *# Subtest: (.*)", line)
        if subtest:
            above[depth:] = [subtest[1]]
            continue
        point = re.match(r" *(not )?ok \d+ - (.*?)(?: # .*)?$", line)
        if point and depth < len(above):
            holds_others = len(above) > depth + 1
            del above[depth + 1 :]
            if not holds_others:
                ran += 1
                if point[1] and not re.search(r" # (TODO|SKIP)\b", line):
                    faults[_without(" > ".join(above[: depth + 1]), root)] += 1
    return Report(faults, ran)


def _from_junit(top: ElementTree.Element) -> Report:
    faults: Counter[str] = Counter()
    ran = 0
    for case in top.iter("testcase"):
        ran += 1
        if case.find("failure") is not None or case.find("error") is not None:
            faults[f"{case.get('classname') or ''}: {case.get('name') or ''}"] += 1
    return Report(faults, ran)
