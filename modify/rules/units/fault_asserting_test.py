"""A test of the host that expects the fault: ``expect(unit).toContain('Restart=always')``.

What it finds
    Finds assertions in the host's own tests (``*.test.*``, ``*.spec.*``, ``__tests__``) that
    hold for a unit as it was, and no longer hold for it as the other rules leave it.

Why it is bad
    A patch that breaks the host's tests is taken back, and the storm with it: both copies of
    the unit and two assertions stand in NanoClaw's ``setup/service.test.ts``, so a change of
    ``setup/service.ts`` alone either leaves the test wrong or makes it fail.

What is done
    The expected value becomes the new one in the same patch (``Restart=on-failure``,
    ``RestartSec=10``, ``KeepAlive`` with ``SuccessfulExit`` false), in strings, regular
    expressions and the title of the test. An assertion is touched only when its subject
    leads to a changed unit, and only when the new one holds for the new text.

When it is handed off
    When the assertion is of another form (``toContain('always')``), its subject may be
    another unit, or the text is in a snapshot file, which the test runner writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from modify.host_tests import unit_assertions
from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.host_tests.unit_assertions import Unit
    from skill.host import Host

rule = Rule(
    __name__,
    fix="expects what the unit now says",
    accept="an assertion that holds for the unit as it is written now",
    examples=(
        Example(
            "unit-assertions",
            "it('contains restart policy', () => {\n  const unit = generateSystemdUnit();\n"
            "  expect(unit).toContain('Restart=always');\n"
            "  expect(unit).toMatch(/^RestartSec=5$/m);\n});\n",
            "it('contains restart policy', () => {\n  const unit = generateSystemdUnit();\n"
            "  expect(unit).toContain('Restart=on-failure');\n"
            "  expect(unit).toMatch(/^RestartSec=10$/m);\n});\n",
        ),
    ),
)


@rule.detects("unit-assertions")
def in_tests(
    host: Host, examined: Sequence[tuple[Unit, list[Sight]]], others: Iterable[Unit]
) -> Iterator[Sight]:
    """examined: each changed unit with its faults; others: units that are left as they are."""
    yield from unit_assertions.sights(rule, host, examined, others)
