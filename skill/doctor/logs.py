"""What the bot has written of late: log files, from their ends, and the journal.

What stands in a log is of anybody who writes to the bot: lines are counted and searched, no more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modify.units.managers.systemd import SystemdUnit
from skill.doctor.files import leads_out, tail
from skill.doctor.running import Running
from skill.doctor.stamps import plain, timed
from skill.host import Host
from skill.service import compose, pm2
from skill.service.journal import DAY, is_hidden
from skill.service.model import Service
from skill.service.tools import Tools

TAIL = 8_000_000
"""Bytes of a log that are read."""
MOST_FILES = 12
MOST_LINES = 100_000
ENDINGS = (".log", ".log.txt")
TO_FILE = ("append:", "file:", "truncate:")


@dataclass(frozen=True)
class Log:
    """A log, or a journal. lines: with their times, first to last; why: what kept one from it.

    is_partial: whether there is more before its first line that may be of the last day.
    text: all of it, in one piece.
    """

    name: str
    lines: tuple[tuple[float, str], ...] = ()
    is_partial: bool = False
    why: str = ""
    text: str = ""


def logs_of(
    host: Host, tools: Tools, services: Sequence[Service], running: Sequence[Running], now: float
) -> list[Log]:
    """Those of its processes and services, and the log files in its folder of the last day."""
    named = [path for each in running for path in each.streams]
    named += [path for each in services for path in files_of(each)]
    own = [file.absolute for file in host.files.values() if file.path.endswith(ENDINGS)]
    recent = sorted(own, key=written, reverse=True)
    paths = list(dict.fromkeys([*named, *(path for path in recent if written(path) > now - DAY)]))
    found = [of_file(host, path, now) for path in paths[:MOST_FILES]]
    for each in services:
        if each.kind == "systemd" and not list(files_of(each)):
            found.append(of_journal(tools, each, now))
        elif each.kind in ("compose", "docker"):
            found.append(of_container(tools, each, now))
    return [log for log in found if log is not None]


def written(path: Path) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def of_file(host: Host, path: Path, now: float) -> Log | None:
    inside = path.is_relative_to(host.root)
    name = path.relative_to(host.root).as_posix() if inside else str(path)
    if leads_out(path, host.root):
        return Log(name, why="is a link that leads out of the bot's folder")
    try:
        read = tail(path, TAIL)
    except OSError as error:
        return Log(name, why=error.strerror or str(error))
    if read is None:
        return None
    text, at, is_partial = read
    text = plain(text.partition("\n")[2] if is_partial else text)
    lines = timed(text.splitlines(), at)
    is_cut = is_partial and (not lines or lines[0][0] > now - DAY)
    return Log(name, tuple(lines), is_cut, "", text)


def files_of(service: Service) -> Iterator[Path]:
    """The files that a manager writes the bot's output to."""
    own = service.own
    if service.kind == "systemd" and own is not None:
        yield from in_unit(own.files.merged)
    elif service.kind == "launchd":
        for key in ("StandardOutPath", "StandardErrorPath"):
            yield from absolute(own.unit.data.get(key))
    elif service.kind == "pm2":
        for stream in ("out", "error"):
            yield from absolute(f"{pm2.home()}/logs/{service.name}-{stream}.log")
    elif service.kind == "supervisord":
        for key in ("stdout_logfile", "stderr_logfile"):
            yield from absolute(own.section.lines.get(key, ("", 0, ""))[2])


def in_unit(unit: SystemdUnit) -> Iterator[Path]:
    for key in ("StandardOutput", "StandardError"):
        found = unit.last("Service", key)
        for prefix in TO_FILE:
            if found is not None and found.value.startswith(prefix):
                yield from absolute(found.value.removeprefix(prefix))


def absolute(value: object) -> Iterator[Path]:
    if isinstance(value, str) and os.path.isabs(value) and "\0" not in value:
        yield Path(value)


def of_journal(tools: Tools, service: Service, now: float) -> Log | None:
    """The output of a unit. Its stamps are since 1970: nobody's zone plays a part."""
    if not service.own.shown:
        return None  # its manager was not looked at, which has a line of its own
    name = f"the journal of {service.name}"
    field = "_SYSTEMD_USER_UNIT" if service.own.manager.is_user else "_SYSTEMD_UNIT"
    answer = tools.ask(
        "journalctl",
        "--no-pager",
        "--output=json",
        "--output-fields=MESSAGE",
        f"--since=@{int(now - DAY)}",
        f"--lines={MOST_LINES}",
        f"{field}={service.name}",
    )
    hidden = next((line for line in answer.err.splitlines() if is_hidden(line)), "")
    if not answer.is_good or (hidden and not answer.out.strip()):
        return Log(name, why=hidden.strip() or answer.reason)
    lines = list(messages(answer.out))
    text = "\n".join(line for _, line in lines)
    return Log(name, tuple(lines), len(lines) == MOST_LINES, "", text)


def of_container(tools: Tools, service: Service, now: float) -> Log | None:
    """The output of a container, which Docker stamps in UTC."""
    if service.own is None or service.own.container is None:
        return None
    container = compose.name_of(service.own.container)
    name = f"docker logs {container}"
    answer = tools.ask(
        *("docker", "logs", "--timestamps", f"--since={int(now - DAY)}"),
        *(f"--tail={MOST_LINES}", "--", container),
    )
    if not answer.is_good:
        return Log(name, why=answer.reason)
    text = plain(f"{answer.out}{answer.err}")
    lines = sorted(timed(text.splitlines(), now))
    return Log(name, tuple(lines), len(lines) >= MOST_LINES, "", text)


def messages(text: str) -> Iterator[tuple[float, str]]:
    for line in text.splitlines():
        try:
            data = json.loads(line)
            at, message = int(data["__REALTIME_TIMESTAMP"]) / 1e6, data["MESSAGE"]
            if isinstance(message, list):  # bytes that are no text
                message = bytes(message).decode("utf-8", "replace")
        except (ValueError, TypeError, LookupError, RecursionError):
            continue
        if isinstance(message, str):
            yield at, plain(message)
