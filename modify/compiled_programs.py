"""Programs in Go and Rust that connect through a library: known by their manifests, not read.

Their units are patched as any bot's are; the loop that reconnects lies in the library, where the
finding says what to set.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from dataclasses import dataclass

from skill.host import LARGEST_SOURCE, Host, fact

GO, RUST = "go.mod", "Cargo.toml"
WHATSMEOW = re.compile(
    rb"^(?:require)?[ \t]*(go\.mau\.fi/whatsmeow)[ \t]+v(?![^\n]*// indirect)", re.M
)
MODULE = re.compile(rb"^module[ \t]+\"?([^\s\"]+)", re.M)
CRATE = re.compile(rb"^[ \t]*(?:\[[\w.-]*dependencies\.)?[\"']?(whatsapp-rust)\b", re.M)
CLEAN_EXIT = {
    ".go": re.compile(rb"\bos\.Exit\(\s*0\s*\)"),
    ".rs": re.compile(rb"\bprocess::exit\(\s*0\s*\)"),
}
TEST = re.compile(r"_test\.go$|(^|/)(tests?|benches|examples?|vendor|target)/")


@dataclass(frozen=True, slots=True)
class Compiled:
    """manifest: its path. line: of the library in it. names: of the programs built from it."""

    manifest: str
    line: int
    library: str
    language: str
    names: frozenset[str]


@fact
def compiled_programs(host: Host) -> tuple[Compiled, ...]:
    found = []
    for path, file in host.files.items():
        name = posixpath.basename(path)
        if name not in (GO, RUST) or file.size > LARGEST_SOURCE or TEST.search(path):
            continue
        content = host.read(path)
        mark = (WHATSMEOW if name == GO else CRATE).search(content)
        if mark is not None:
            line = content.count(b"\n", 0, mark.start(1)) + 1
            folder = posixpath.dirname(path)
            if name == GO:
                found.append(Compiled(path, line, "whatsmeow", "Go", _of_go(host, folder, content)))
            else:
                names = _of_rust(host, folder, content)
                found.append(Compiled(path, line, "whatsapp-rust", "Rust", names))
    return tuple(found)


@fact
def program_names(host: Host) -> frozenset[str]:
    """The names of the programs that they are built to."""
    return frozenset(name for each in compiled_programs(host) for name in each.names)


def clean_exits(host: Host) -> list[tuple[str, int]]:
    """(path, line) where such a program ends itself with status 0."""
    if not compiled_programs(host):
        return []
    found = []
    for suffix, pattern in CLEAN_EXIT.items():
        for file in host.with_suffix(suffix):
            if file.size <= LARGEST_SOURCE and not TEST.search(file.path):
                content = host.read(file.path)
                found += [
                    (file.path, content.count(b"\n", 0, mark.start()) + 1)
                    for mark in pattern.finditer(content)
                ]
    return found


def _of_go(host: Host, folder: str, manifest: bytes) -> frozenset[str]:
    """``go build`` takes the last part of the module's path, or the folder's name below ``cmd``."""
    names = set()
    module = MODULE.search(manifest)
    if module is not None:
        parts = module[1].decode("utf-8", "replace").split("/")
        versioned = len(parts) > 1 and re.fullmatch(r"v\d+", parts[-1])
        names.add(parts[-2] if versioned else parts[-1])
    commands = posixpath.join(folder, "cmd") + "/"
    for file in host.with_suffix(".go"):
        if file.path.startswith(commands):
            names.add(file.path.removeprefix(commands).partition("/")[0].removesuffix(".go"))
    return frozenset(names)


def _of_rust(host: Host, folder: str, manifest: bytes) -> frozenset[str]:
    try:
        read = tomllib.loads(manifest.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return frozenset()
    package, binaries = read.get("package"), read.get("bin")
    tables = [package, *(binaries if isinstance(binaries, list) else [])]
    names = {each.get("name") for each in tables if isinstance(each, dict)}
    binaries_folder = posixpath.join(folder, "src", "bin") + "/"
    for file in host.with_suffix(".rs"):
        if file.path.startswith(binaries_folder):
            names.add(file.path.removeprefix(binaries_folder).partition("/")[0].removesuffix(".rs"))
    return frozenset(name for name in names if isinstance(name, str))
