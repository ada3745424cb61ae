"""What the commands show alike: warnings, and the steps that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from skill.host import Host
from skill.report.next_steps import NextStep, stale_build
from skill.report.printer import Printer

Row = dict[str, Any]


class View:
    """as_text: whether text is printed as it comes; rows are filled in any case."""

    def __init__(self, printer: Printer, as_text: bool) -> None:
        self.printer, self.as_text = printer, as_text

    def warnings(self, host: Host) -> list[str]:
        warning = stale_build(host)
        return [warning] if warning else []

    def installed(self, host: Host) -> list[str]:
        """Installed units that are not what the source says, as warnings."""
        # Lazy: what reads units takes 0.05 s to import.
        from skill.doctor.installed import differing

        return differing(host)

    def show_warnings(self, row: Row) -> None:
        if not self.printer.quiet:
            for warning in row["warnings"]:
                self.printer.say(f"warning: {warning}")

    def show_steps(self, host: Host, steps: Sequence[NextStep], row: Row) -> None:
        row["next"] = [asdict(step) for step in steps]
        if self.as_text and not self.printer.quiet:
            self.printer.out(f"\nNext, in {self.printer.safe(str(host.root))}:")
            for step in steps:
                line = f"{step.command}  # {step.why}" if step.command else f"# {step.why}"
                self.printer.out(f"  {self.printer.safe(line)}")
            self.show_warnings(row)
