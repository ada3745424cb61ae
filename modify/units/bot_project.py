"""A host seen as the program that its units start: which of its files open a WhatsApp link."""

from __future__ import annotations

from modify.channel_files import channel_files
from modify.compiled_programs import compiled_programs, program_names
from modify.kit.project import Project


class BotProject(Project):
    """A project with files that open a WhatsApp link. Paths are relative to the host, POSIX."""

    def is_entry(self, path: str) -> bool:
        return path in self.entries or self.reaches_channel(path)

    def reaches_channel(self, path: str) -> bool:
        """Whether a file imports, step by step, one that opens a WhatsApp link."""
        source = self.source_of(path)
        seen: set[str] = set()
        waiting = [source] if source else []
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            if current in self.channels:
                return True
            waiting += self.imports_of(current)
        return False

    @property
    def compiled(self) -> frozenset[str]:
        """The names of programs in Go or Rust that are the bot."""
        return program_names(self.host)

    @property
    def dialling(self) -> frozenset[str]:
        """Its channel files, and the manifests of such programs."""
        return self.channels | {each.manifest for each in compiled_programs(self.host)}

    @property
    def channels(self) -> frozenset[str]:
        return channel_files(self.host)
