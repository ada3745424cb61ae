"""Plans the change of each neonize client and session, and reports what is left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from modify.kit.python.errors import CannotPlace
from modify.kit.python.source import Source
from modify.neonize.client import Client, clients, why_not_a_daemon, with_handlers
from modify.neonize.dial import Dialling, dialling
from modify.neonize.exits import failing_exits
from modify.neonize.rewrite.client import ClientRewrite
from modify.neonize.rewrite.dial import DialRewrite
from modify.neonize.rewrite.session import SessionRewrite
from modify.neonize.session import Session
from modify.python.planning import MOST, Planning
from modify.rules import findings_of, sights_of
from skill.edit import Edit
from skill.finding import Finding
from skill.host import Host, fact
from skill.source_paths import is_among_tests

ACCEPT_CLIENT = "handlers of LoggedOutEv, StreamReplacedEv and TemporaryBanEv that stop the client"
ACCEPT_DIAL = (
    "dial_sync(client), or dial(client) and serve(client), instead of connect() and idle()"
)
ACCEPT_SESSION = "session_of(…).turn() before the client is made, and handlers that tell heard()"
ACCEPT_EXIT = "exit 0 where the session is over"
# ``await channel.start()`` in a try whose except writes down why: not one that tries again.
RECORDS = re.compile(
    rb"await [\w.]+\.start\(\)\n(?:[^\n]*\n){0,8}?[ \t]+except Exception[^\n]*\n"
    rb"(?:[^\n]*\n){0,6}?[^\n]*(?:errors?\[[^\n]*=|_mark\w*error\(|\.error\s*=[^=])"
)


@dataclass
class Clients:
    """The neonize clients of one host, file by file."""

    plan: Planning

    def examine(self, source: Source, started: list[Session]) -> bool:
        """Plan the clients of a file; False if it has more than can be told apart.

        started: the sessions of the whole host that start themselves again.
        """
        own = [session for session in started if session.source is source]
        for session in own:
            self.session(session)
        found = list(clients(source))
        if len(found) > MOST:
            if not own:
                self.plan.crowded(source, len(found))
            return bool(own)
        for client in found:
            whole = with_handlers(self.plan.sources, client)
            if not own:
                self.plan.add(source, self.client(whole, len(found)))
            elif why_not_a_daemon(whole) is None:
                self.exits(whole)
        return True

    def client(self, client: Client, of: int) -> list[Edit]:
        """of: how many clients, or places that register handlers, its file has."""
        source = client.source
        line = source.line(client.place)
        reason = why_not_a_daemon(client)
        if reason is not None:
            self.plan.note(source, line, "not-a-daemon", reason)
            return []
        dials = dialling(client)
        for function in dials.once:
            said = f"{function.name.value}() connects once, and stops the client when it is through"
            self.plan.note(source, source.line(function), "not-a-daemon", said)
        exits = self.exits(client)
        heard = findings_of("neonize-client", client)
        dialled = findings_of("neonize-dialling", dials)
        if not heard and not dialled:
            if not exits:
                self.plan.note(source, line, "right", "stops the client when its session is over")
            return []
        if not self.plan.wanted(heard + dialled):
            return []
        records = client.owner is not None and records_failures(self.plan.host)
        if dials.sites:
            reason = self.dial(dials, heard + dialled, records, of)
            if not reason:
                return []
            self.plan.hand_off(dialled, reason, ACCEPT_DIAL)
        if not heard:
            return []
        rewrite = ClientRewrite(client, records)

        def run() -> list[Edit]:
            edits = rewrite.run()
            for path, others in rewrite.elsewhere.items():
                self.plan.add(self.plan.sources.read(path), others)
            return edits

        return self.plan.rewritten(heard, run, ACCEPT_CLIENT)

    def exits(self, client: Client) -> bool:
        """Plan exit 0 on a logout and a QR code; returns whether any exit there was another."""
        found = list(failing_exits(client))
        for each in found:
            for sight in sights_of("neonize-exit", each):
                if self.plan.wanted([sight.finding]):
                    edits = self.plan.rewritten(
                        [sight.finding], partial(list, sight.edits), ACCEPT_EXIT
                    )
                    self.plan.add(each.source, edits)
        return bool(found)

    def dial(self, dials: Dialling, findings: list[Finding], records: bool, of: int) -> str:
        """Plan the gate of a client that its host connects: or why it cannot be."""
        if of > 1:
            return "handlers are registered in several places"
        rewrite = DialRewrite(dials, self.plan.sources, records)
        try:
            rewrite.run()
        except CannotPlace as error:
            return str(error)
        self.plan.patch.findings += findings
        for path, edits in rewrite.edits.items():
            source = self.plan.sources.known[path]
            self.plan.add(source, edits)
            self.plan.need(source, rewrite.imports[path], "neonize")
        return ""

    def session(self, session: Session) -> None:
        """A client that is made anew; its handlers may stand in other files."""
        source = session.source
        if session.is_gated:
            self.plan.note(
                source, source.line(session.creation), "right", "paced by skillgen's gate"
            )
            return
        findings = findings_of("neonize-session", session)
        for client in clients(source):
            if why_not_a_daemon(client) is None:
                findings += findings_of("neonize-client", client)
        if not self.plan.wanted(findings):
            return
        rewrite = SessionRewrite(session)

        def run() -> list[Edit]:
            rewrite.run()
            return rewrite.edits[source.path]

        if not self.plan.rewritten(findings, run, ACCEPT_SESSION):
            return
        for path, edits in rewrite.edits.items():
            self.plan.add(rewrite.sources[path], edits)
            self.plan.need(rewrite.sources[path], rewrite.imports[path], "neonize")


@fact
def records_failures(host: Host) -> bool:
    """Whether the host writes down why a channel's ``start()`` failed."""
    for file in host.with_suffix(".py"):
        if is_among_tests(file.path):
            continue
        content = host.read(file.path)
        for found in RECORDS.finditer(content.replace(b"\r\n", b"\n")):
            above = content[max(0, found.start() - 400) : found.start()]
            body = above[above.rfind(b"def ") :]
            if b"while " not in body and b"for " not in body.replace(b"for all", b""):
                return True
    return False
