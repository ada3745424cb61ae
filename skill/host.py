"""The host project: its files, read once, and where skillgen may look.

Nothing here runs or imports the host's code. Links are never followed, so nothing
outside the host can be read or written (promise 7).
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from skill.errors import SkillgenError
from skill.source_paths import SCRIPTS

P = ParamSpec("P")
T = TypeVar("T")

# Trees that are not the host's own source: installed, built or generated. A copy in
# there is overwritten by the next install or build, so a patch would not last.
FOREIGN_FOLDERS = frozenset(
    {
        "node_modules",
        "bower_components",
        "jspm_packages",
        "vendor",
        "third_party",
        "site-packages",
        ".git",
        ".hg",
        ".svn",
        ".skillgen",
        ".skillgen-guard",
        ".venv",
        "venv",
        "env",
        ".tox",
        ".nox",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "dist",
        "build",
        "out",
        "coverage",
        ".next",
        ".nuxt",
        ".turbo",
        ".cache",
        "target",
        ".yarn",
        ".pnpm-store",
        ".nanoclaw",  # NanoClaw's skills engine: its snapshot of the tree, backups, a lock
    }
)
# A project has at least one of these: a source, or a file that defines its build.
SOURCES = (*SCRIPTS, ".py")
PROJECT_FILES = frozenset(
    {"package.json", "pyproject.toml", "requirements.txt", "go.mod", "Cargo.toml"}
)
# A source file above this is generated; the largest real channel file is under 100 kB.
LARGEST_SOURCE = 1_500_000
# Far above any file that is read by its name; a larger one is never loaded.
LARGEST_FILE = 64_000_000
# Code points that HFS+ leaves out when it compares names, as git's own guard knows them.
IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A regular file of the host. path: relative, POSIX. mode: permission bits."""

    path: str
    absolute: Path
    mode: int
    size: int


@dataclass(eq=False)
class Host:
    """A host project on disk. Raises SkillgenError when ``root`` is no readable folder."""

    root: Path
    _contents: dict[str, bytes] = field(default_factory=dict, repr=False)
    _facts: dict[object, dict[object, object]] = field(default_factory=dict, repr=False)
    _links: list[str] = field(default_factory=list, repr=False)
    _by_suffix: dict[tuple[str, ...], list[SourceFile]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.root.exists():
            raise SkillgenError(f"{self.root}: no such folder; name the host project's folder")
        if not self.root.is_dir():
            raise SkillgenError(f"{self.root}: is a file; name the host project's folder")
        self.root = self.root.resolve()

    @cached_property
    def files(self) -> dict[str, SourceFile]:
        """Every regular file of the host's own, by relative path, in a stable order."""
        return {file.path: file for file in self._walk()}

    @property
    def links(self) -> list[str]:
        """The links that lead out of the host's own files. They are named, never followed."""
        _ = self.files
        return self._links

    def require_project(self) -> None:
        """Raise SkillgenError for a folder with nothing in it that could be a bot."""
        for path in (*self.files, *self.links):
            if path.endswith(SOURCES) or path.rpartition("/")[2] in PROJECT_FILES:
                return
        raise SkillgenError(
            f"{self.root}: no project here (no package.json, no source); name the bot's folder"
        )

    def _entries(self, folder: str, prefix: str) -> Iterator[os.DirEntry[str]]:
        try:
            return iter(sorted(os.scandir(folder), key=lambda entry: entry.name))
        except OSError as error:
            if not prefix:
                raise SkillgenError(f"{folder}: cannot be read ({error.strerror})") from error
            return iter(())

    def _walk(self) -> Iterator[SourceFile]:
        waiting = [("", self._entries(str(self.root), ""))]  # no recursion: folders may be deep
        while waiting:
            prefix, entries = waiting[-1]
            entry = next(entries, None)
            if entry is None:
                waiting.pop()
                continue
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not (is_foreign(entry.name) or is_other_checkout(entry.path)):
                    waiting.append((path + "/", self._entries(entry.path, path)))
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield SourceFile(path, Path(entry.path), status.st_mode & 0o7777, status.st_size)
            elif entry.is_symlink() and not is_foreign(entry.name) and self._leads_out(entry.path):
                self._links.append(path)

    def _leads_out(self, link: str) -> bool:
        """Whether a link has a target, and none that is looked at under its own name."""
        target = Path(os.path.realpath(link))
        inside = target.is_relative_to(self.root)
        own = inside and not any(map(is_foreign, target.relative_to(self.root).parts))
        return target.exists() and not own

    def read(self, path: str) -> bytes:
        """The file's bytes as they were at the first read. Raises SkillgenError."""
        if path not in self._contents:
            try:
                self._contents[path] = _content(self.files[path].absolute, path)
            except KeyError:
                raise SkillgenError(f"{path}: no such file in {self.root}") from None
            except OSError as error:
                raise SkillgenError(f"{path}: cannot be read ({error.strerror})") from error
        return self._contents[path]

    def aside(self, path: str) -> bytes | None:
        """A file in a foreign folder, to be looked at and never changed; None without one."""
        target = self.root / path
        if target.resolve() != target or not target.is_file():
            return None
        try:
            return _content(target, path)
        except OSError as error:
            raise SkillgenError(f"{path}: cannot be read ({error.strerror})") from error

    def exists(self, path: str) -> bool:
        return path in self.files

    def with_suffix(self, *suffixes: str) -> Iterator[SourceFile]:
        if suffixes not in self._by_suffix:
            self._by_suffix[suffixes] = [
                file
                for file in self.files.values()
                if file.path.endswith(suffixes) and file.size <= LARGEST_SOURCE
            ]
        return iter(self._by_suffix[suffixes])

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """The paths of the files of each name, in the order of ``files``."""
        found: dict[str, list[str]] = {}
        for path in self.files:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found


def fact(function: Callable[Concatenate[Host, P], T]) -> Callable[Concatenate[Host, P], T]:
    """Decorate a function of a host so that it is worked out once for the same arguments.

    The arguments after the host are hashable and given by position. The value lives as long as
    the host; a function that raises is asked again.
    """

    @wraps(function)
    def recall(host: Host, /, *arguments: P.args, **named: P.kwargs) -> T:
        if named:
            raise TypeError("the arguments of a fact are given by position")
        known = host._facts.setdefault(function, {})
        if arguments not in known:
            known[arguments] = function(host, *arguments, **named)
        return cast(T, known[arguments])

    return recall


def _content(file: Path, path: str) -> bytes:
    """The bytes of a regular file, whatever has taken its place since it was listed."""
    fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as stream:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise SkillgenError(f"{path}: is not a regular file any more; run the command again")
        if status.st_size > LARGEST_FILE:
            raise SkillgenError(f"{path}: is too large to be read; move it away")
        return stream.read(LARGEST_FILE)


def is_foreign(folder: str) -> bool:
    """Also ``dist-server``, ``dist-bot``: one built tree for each of a host's targets."""
    return folder in FOREIGN_FOLDERS or folder.startswith("dist-") or is_guarded(folder)


def is_guarded(name: str) -> bool:
    """Whether some file system takes the name for ``.git`` or ``.skillgen``.

    That is the most forgiving reading of macOS, NTFS and FAT: a host is moved between them.
    """
    bare = unicodedata.normalize("NFKC", IGNORED_BY_HFS.sub("", name)).casefold()
    return bare.partition(":")[0].rstrip(" .") in (".git", "git~1", ".skillgen")


def is_other_checkout(folder: str) -> bool:
    """A submodule or nested clone: its own project with its own history."""
    return os.path.lexists(os.path.join(folder, ".git"))
