"""Errors that stop a command: one clear line with the next step, never a traceback."""


class SkillgenError(Exception):
    """A reason to stop with exit status 2 and nothing written.

    ``str(error)`` is the one line a user reads; it names the file and line where
    there is one, and what to do next.
    """


class UnreadableSource(SkillgenError):
    """A channel or unit file that cannot be decoded or parsed.

    path: relative to the host, POSIX; line: 1-based, 0 when unknown.
    """

    def __init__(self, path: str, line: int, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {reason}; mend it, then run the command again")
