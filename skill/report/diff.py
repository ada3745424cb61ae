"""Diffs that ``git apply`` takes: new and removed files, modes, any path, any line end.

Hunks come from difflib; what surrounds them (git's extended headers, quoted paths, the
mark for a missing final newline) is ours, because difflib knows none of it.
Format: https://git-scm.com/docs/diff-format
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import Match, SequenceMatcher
from itertools import takewhile

from skill.plan import Change

CONTEXT = 3
MOST_PAIRS = 50_000
DEEPEST = 8
ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


def diff_of(changes: Iterable[Change]) -> bytes:
    return b"".join(diff(change) for change in changes)


def diff(change: Change, context: int = CONTEXT) -> bytes:
    """One file's part of a patch; its bytes are the file's own, of whatever encoding.

    context: how many lines stand around each hunk, at most CONTEXT.
    """
    old, new = _quoted("a/" + change.path), _quoted("b/" + change.path)
    lines = [f"diff --git {old} {new}"]
    if change.before is None:
        lines.append(f"new file mode {_git_mode(change.mode)}")
    elif change.after is None:
        lines.append(f"deleted file mode {_git_mode(change.mode)}")
    if change.before or change.after:
        lines.append("--- " + ("/dev/null" if change.before is None else _named(old)))
        lines.append("+++ " + ("/dev/null" if change.after is None else _named(new)))
    header = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    return header + b"".join(_hunks(_lines(change.before), _lines(change.after), context))


def _git_mode(mode: int) -> str:
    return "100755" if mode & 0o100 else "100644"


def _quoted(name: str) -> str:
    """As git writes a name: quoted like C where a plain one would be misread."""
    if not any(ord(letter) < 32 or ord(letter) == 127 or letter in '"\\' for letter in name):
        return name
    parts = []
    for letter in name:
        code = ord(letter)
        if code in ESCAPES:
            parts.append("\\" + ESCAPES[code])
        elif code < 32 or code == 127:
            parts.append(f"\\{code:03o}")
        else:
            parts.append(letter)
    return '"' + "".join(parts) + '"'


def _named(name: str) -> str:
    """A name with spaces ends with a tab, so that nothing after it is taken for a date."""
    return f"{name}\t" if " " in name and not name.startswith('"') else name


def _lines(content: bytes | None) -> list[bytes]:
    """Lines end at a line feed and nowhere else, unlike ``splitlines``."""
    lines = (content or b"").split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _hunks(old: list[bytes], new: list[bytes], context: int) -> Iterator[bytes]:
    cut = _far(old, new)
    old, new = old[cut : len(old) - cut], new[cut : len(new) - cut]
    few = pairs(old, new) <= MOST_PAIRS
    matcher = SequenceMatcher(None, old, new, autojunk=False) if few else Anchored(old, new)
    for group in matcher.get_grouped_opcodes(context):
        first, last = group[0], group[-1]
        ranges = (first[1] + cut, last[2] + cut), (first[3] + cut, last[4] + cut)
        yield f"@@ -{_range(*ranges[0])} +{_range(*ranges[1])} @@\n".encode()
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from (_line(b" ", line) for line in old[old_start:old_end])
            else:
                yield from (_line(b"-", line) for line in old[old_start:old_end])
                yield from (_line(b"+", line) for line in new[new_start:new_end])


def pairs(old: list[bytes], new: list[bytes]) -> int:
    """How many pairs of equal lines there are: so much work is one search of difflib's."""
    counted = Counter(new)
    return sum(number * counted[line] for line, number in Counter(old).items())


class Anchored(SequenceMatcher[bytes]):
    """For long files of equal lines: the lines that are unique on both sides are matched first.

    Between them difflib compares short runs; longer ones count as replaced.
    """

    def __init__(self, old: list[bytes], new: list[bytes]) -> None:
        super().__init__(None, old, new, autojunk=False)
        self.old, self.new = old, new

    def get_matching_blocks(self) -> list[Match]:
        found: list[tuple[int, int, int]] = []
        waiting = [(0, len(self.old), 0, len(self.new), DEEPEST)]
        while waiting:
            begin, end, start, stop, depth = waiting.pop()
            head = _same(zip(self.old[begin:end], self.new[start:stop], strict=False))
            found.append((begin, start, head))
            begin, start = begin + head, start + head
            tail = _same(
                zip(reversed(self.old[begin:end]), reversed(self.new[start:stop]), strict=False)
            )
            end, stop = end - tail, stop - tail
            found.append((end, stop, tail))
            old, new = self.old[begin:end], self.new[start:stop]
            if pairs(old, new) <= MOST_PAIRS:
                matcher = SequenceMatcher(None, old, new, autojunk=False)
                found += [
                    (begin + a, start + b, size) for a, b, size in matcher.get_matching_blocks()
                ]
                continue
            places = [*_anchors(old, new)] if depth else []
            found += [(begin + a, start + b, 1) for a, b in places]
            lower = [(-1, -1), *places]
            upper = [*places, (len(old), len(new))]
            for (a, b), (c, d) in zip(lower, upper, strict=True) if places else ():
                waiting.append((begin + a + 1, begin + c, start + b + 1, start + d, depth - 1))
        joined: list[Match] = []
        for a, b, size in sorted(block for block in found if block[2]):
            last = joined[-1] if joined else None
            if last is not None and (last.a + last.size, last.b + last.size) == (a, b):
                joined[-1] = Match(last.a, last.b, last.size + size)
            else:
                joined.append(Match(a, b, size))
        return [*joined, Match(len(self.old), len(self.new), 0)]


def _anchors(old: list[bytes], new: list[bytes]) -> list[tuple[int, int]]:
    """The most lines that are unique on both sides and come in the same order there."""
    once, there = Counter(old), Counter(new)
    where = {line: place for place, line in enumerate(new) if there[line] == 1}
    common = [(a, where[line]) for a, line in enumerate(old) if once[line] == 1 and line in where]
    ends: list[int] = []  # of the best chain of each length: its last place in new
    last: list[int] = []
    before: list[int] = []
    for index, (_, b) in enumerate(common):
        length = bisect_left(ends, b)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [b]
        last[length : length + 1] = [index]
    chain: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(common[index])
        index = before[index]
    return chain[::-1]


def _far(old: list[bytes], new: list[bytes]) -> int:
    """How many lines at both ends are the same and too far from a change to matter.

    difflib takes quadratic time, and begins with the longest stretch that is the same. So as
    much is left of either end that it is longer than what lies in between, wherever a change
    may slide to among equal lines, and the longer end stays the longer one.
    """
    head = _same(zip(old, new, strict=False))
    tail = _same(zip(reversed(old), reversed(new), strict=False))
    between = abs(max(len(old), len(new)) - head - tail)
    kept = 2 * (between + abs(len(old) - len(new))) + CONTEXT + 1
    return max(0, min(head, tail) - kept)


def _same(pairs: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _range(start: int, end: int) -> str:
    length = end - start
    # An empty range names the line before it.
    begin = start + 1 if length else start
    return str(begin) if length == 1 else f"{begin},{length}"


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line + (b"" if line.endswith(b"\n") else b"\n\\ No newline at end of file\n")
