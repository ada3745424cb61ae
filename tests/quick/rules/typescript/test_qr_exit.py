"""qr-exit: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.qr_exit import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "exit 0",
        """    if (qr) process.exit(0);
    if (connection === 'close') connect();""",
    ),
    clean(
        "printed",
        """    if (qr) log.info(qr);
    if (connection === 'close') connect();""",
    ),
    clean(
        "when there is none",
        """    if (!qr) process.exit(1);
    if (connection === 'close') connect();""",
    ),
    clean(
        "an exit elsewhere",
        """    if (qr) log.info(qr);
    if (connection === 'close') process.exit(1);""",
    ),
]
FINDINGS = [
    marked(
        "at once",
        """    //! exit 1 on a QR code makes the supervisor try again forever
    if (qr) process.exit(1);
    if (connection === 'close') connect();""",
    ),
    marked(
        "a second later",
        """    if (qr) {
      //! exit 1 on a QR code makes the supervisor try again forever
      setTimeout(() => process.exit(1), 1000);
    }
    if (connection === 'close') connect();""",
    ),
    marked(
        "under a further condition",
        """    if (qr && !headless) {
      //! exit 2 on a QR code makes the supervisor try again forever
      process.exit(2);
    }
    if (connection === 'close') connect();""",
    ),
    marked(
        "of the update itself",
        """    //! exit 1 on a QR code makes the supervisor try again forever
    if (update.qr) process.exit(1);
    if (connection === 'close') connect();""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
