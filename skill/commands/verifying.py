"""``apply --verify``: the host's own checks, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skill import transaction
from skill.host import Host
from skill.options import VerifyOptions
from skill.plan import Plan
from skill.report.printer import Printer

if TYPE_CHECKING:
    from skill.verify.show import Verified


def verified_row(
    host: Host,
    plan: Plan,
    row: dict[str, Any],
    wanted: VerifyOptions | None,
    printer: Printer,
    as_text: bool,
) -> Verified | None:
    """Run the checks where they are asked for and something changes, and fill the row with them.

    Raises SkillgenError where one turns red.
    """
    if wanted is None:
        return None
    row["verified"] = None
    if not plan.changes:
        return None
    # Lazy: what runs code takes 0.1 s to import, and most runs of apply run none.
    from skill.verify.command import TurnedRed, verify
    from skill.verify.show import as_data

    transaction.preflight(plan)
    try:
        verified = verify(host, plan, wanted.limit_s, printer.say)
    except TurnedRed as error:
        row["verified"] = as_data(error.verified)
        if as_text:
            show_verified(error.verified, printer)
        raise
    row["verified"] = as_data(verified)
    return verified


def show_verified(verified: Verified | None, printer: Printer) -> None:
    """Print the table, and one line in any case."""
    if verified is None:
        return
    # Lazy: as above.
    from skill.verify.show import lines

    if not printer.quiet:
        printer.lines(map(printer.safe, lines(verified)))
    printer.out(printer.safe(verified.summary))
