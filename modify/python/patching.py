"""Plan the change of each channel file and settle or hand off each finding."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import libcst as cst

from modify.bridge.bridge_logout import exit_with, report_logout
from modify.bridge.bridge_process import ChildBridge, children, free_code
from modify.bridge.bridge_status import hears_logout, status_branch
from modify.bridge.http_polling import poll_loops
from modify.bridge.link import LinkLoop, gives_up, link_loops, self_pacing
from modify.bridge.other_reconnects import Redial, redials
from modify.bridge.process_loop import Supervisor, supervisors
from modify.bridge.rewrite.bridge_process import child_edits
from modify.bridge.rewrite.link import LinkRewrite
from modify.bridge.uncaught_errors import escape
from modify.kit.python.errors import CannotPlace
from modify.kit.python.imports import import_edit
from modify.kit.python.source import Source, parses
from modify.kit.python.sources import Sources
from modify.kit.python.style import style_of
from modify.neonize.client import Client, clients, why_not_a_daemon, with_handlers
from modify.neonize.dial import Dialling, dialling
from modify.neonize.rewrite.client import ClientRewrite
from modify.neonize.rewrite.dial import DialRewrite
from modify.neonize.rewrite.session import SessionRewrite
from modify.neonize.session import Session, sessions
from modify.python.marks import ADDED
from modify.rules import findings_of, ids
from skill import __version__
from skill.edit import Addition, Edit, Patch, apply_edits, in_order
from skill.errors import SkillgenError, UnreadableSource
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options
from skill.render.python import Profile, callable_names, render_python_module, render_python_test
from skill.source_paths import is_among_tests

MODULE = "whatsapp_reconnect"
ACCEPT_LINK = "a loop that asks link.turn() before each dial, after a clean close, too"
ACCEPT_ESCAPE = "an except that catches the library's own errors as well, or Exception"
ACCEPT_CLIENT = "handlers of LoggedOutEv, StreamReplacedEv and TemporaryBanEv that stop the client"
ACCEPT_DIAL = (
    "dial_sync(client), or dial(client) and serve(client), instead of connect() and idle()"
)
ACCEPT_SUPERVISOR = "a loop that ends on the exit status of a logout, or a pause that grows"
ACCEPT_SESSION = "session_of(…).turn() before the client is made, and handlers that tell heard()"
PATCHED_SLEEP = re.compile(rb"(?:patch|setattr)\w*\([^\n]*\bsleep\b|\bsleep\s*=\s*\w*[Mm]ock")
# ``await channel.start()`` in a try whose except writes down why: not one that tries again.
RECORDS = re.compile(
    rb"await [\w.]+\.start\(\)\n(?:[^\n]*\n){0,8}?[ \t]+except Exception[^\n]*\n"
    rb"(?:[^\n]*\n){0,6}?[^\n]*(?:errors?\[[^\n]*=|_mark\w*error\(|\.error\s*=[^=])"
)
WORD = re.compile(rb"[A-Za-z]\w*")
# Functions, classes and parameters.
DEFINED = re.compile(rb"\b(?:def|class)[ \t]+(\w+)|[(\s](\w+):[ \t]")
# A class of each part of the module that a host may have already.
MARKS: dict[Profile, str] = {"bridge": "BridgeLink", "neonize": "Session"}
TEST_MARKS = (b"whatsapp", b"WhatsApp")


MOST = 64
"""Dials in one file that are told apart; the most seen is 3."""


@dataclass
class Files:
    """The Python files of one host, one after the other."""

    host: Host
    options: Options
    patch: Patch
    planned: Patch
    sources: Sources = field(init=False)
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    modules: dict[str, Source] = field(default_factory=dict)
    profiles: dict[str, set[Profile]] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sources = Sources(self.host)

    def examine(self, paths: list[str]) -> None:
        read = []
        for path in paths:
            try:
                read.append(self.sources.read(path))
            except UnreadableSource as error:
                self.unreadable(error)
        started = list(sessions(self.sources, [source.path for source in read]))
        for source in read:
            links = list(link_loops(source))
            if len(links) > MOST:
                self.crowded(source, len(links))
                continue
            for link in links:
                self.add(source, self.link(link))
                self.escape(link)
            for redial in redials(source, links):
                self.redial(source, redial)
            for dial in self_pacing(source):
                self.library_loop(source, dial)
            own = [session for session in started if session.source is source]
            for session in own:
                self.session(session)
            found = list(clients(source)) if not own else []
            if len(found) > MOST:
                self.crowded(source, len(found))
                continue
            for client in found:
                self.add(source, self.client(with_handlers(self.sources, client), len(found)))
            for loop in poll_loops(source):
                said = "asks a bridge on this machine and dials nothing; its interval stays"
                self.note(source, source.line(loop), "poll-loop", said)
            for child in children(source):
                self.add(source, self.child(child))
            for supervisor in supervisors(source):
                self.supervisor(supervisor)
        for path in list(self.edits):
            self.take(self.sources.read(path))
        self.add_modules()

    def add(self, source: Source, edits: list[Edit]) -> None:
        if edits:
            self.edits.setdefault(source.path, []).extend(edits)

    def need(self, source: Source, names: set[str], profile: Profile) -> None:
        """Record that a file imports these names of the added module."""
        self.needs.setdefault(source.path, set()).update(names)
        module = posixpath.join(posixpath.dirname(source.path), MODULE + ".py")
        self.modules.setdefault(module, source)
        self.profiles.setdefault(module, set()).add(profile)

    def take(self, source: Source) -> None:
        """Plan the edits of one file, with its import, and read the result again."""
        edits = self.edits[source.path]
        names = self.needs.get(source.path, set())
        if names:
            wanted = ", ".join(sorted(names))
            edit = import_edit(self.host, source, MODULE, wanted, ids.SILENT_REDIAL)
            if edit is not None:
                edits.append(edit)
        edits = in_order(edits)
        after = apply_edits(source.content, edits)
        if not parses(after):
            raise SkillgenError(
                f"{source.path}: the patched file would not parse; "
                "nothing was written, please report this host"
            )
        self.patch.add_edits(source.path, edits)

    def add_modules(self) -> None:
        for path, source in self.modules.items():
            found = self.profiles[path]
            calls = self.calls(posixpath.dirname(path))
            there = self.host.read(path) if self.host.exists(path) else b""
            if ADDED in there[:4000]:
                known = {(a or b).decode() for a, b in DEFINED.findall(there)}
                if calls & callable_names("both") <= known:
                    continue
                # An earlier patch added what was called then; its calls are still there.
                calls |= {name for name in known if not name.startswith("_")}
                found |= {root for root, mark in MARKS.items() if mark in known}
            profile = next(iter(found)) if len(found) == 1 else "both"
            text = render_python_module(
                __version__, profile, style_of(source), calls=calls & callable_names(profile)
            )
            rules = (ids.FLAT_RETRY, ids.SILENT_REDIAL)
            self.patch.additions[path] = Addition(path, text.encode(), rules)
            self.add_test(path, source, profile, calls & callable_names(profile), rules)

    @cached_property
    def needing(self) -> dict[str, list[str]]:
        """The files that call the added module, by folder; asked once all files were looked at."""
        found: dict[str, list[str]] = {}
        for path in self.needs:
            found.setdefault(posixpath.dirname(path), []).append(path)
        return found

    def calls(self, folder: str) -> set[str]:
        """The words that the edits put into the files of a folder: what the host will call."""
        return {
            word.decode()
            for path in self.needing.get(folder, ())
            for edit in self.edits.get(path, ())
            for word in WORD.findall(edit.text)
        }

    def add_test(
        self,
        module: str,
        source: Source,
        profile: Profile,
        calls: set[str],
        rules: tuple[str, ...],
    ) -> None:
        """The module's own test, where the host's tests import its package."""
        dotted_name = absolute_name(self.host, module)
        package = dotted_name.partition(".")[0]
        uses = re.compile(
            rb"^[ \t]*(?:from|import)[ \t]+" + package.encode() + rb"\b", re.MULTILINE
        )
        if "." not in dotted_name:
            return
        beside = [
            file.path
            for file in self.host.with_suffix(".py")
            if is_among_tests(file.path)
            and posixpath.basename(file.path).startswith("test_")
            and uses.search(self.host.read(file.path))
        ]
        about = [path for path in beside if b"hats" in self.host.read(path)] or beside
        if about:
            path = posixpath.join(posixpath.dirname(about[0]), f"test_{MODULE}.py")
            style = style_of(source)
            text = render_python_test(__version__, profile, style, dotted_name, calls)
            there = self.host.read(path) if self.host.exists(path) else ADDED
            if text and ADDED in there[:4000]:
                self.patch.additions[path] = Addition(path, text.encode(), rules)

    # --- what is found ---

    def wanted(self, findings: list[Finding]) -> bool:
        return any(self.options.wants(finding.rule) for finding in findings)

    def hand_off(self, findings: list[Finding], reason: str, accept: str) -> None:
        """Findings that nothing is rewritten for."""
        self.patch.findings += [
            replace(finding, fix=None, reason=reason, accept=accept) for finding in findings
        ]

    def note(self, source: Source, line: int, kind: str, message: str) -> None:
        self.patch.notes.append(Note(source.path, line, kind, message))

    def crowded(self, source: Source, number: int) -> None:
        """Report a file with too many dials: each would be examined with the whole file."""
        self.patch.findings.append(
            Finding(
                source.path,
                1,
                1,
                ids.UNGATED_CONNECT,
                f"dials in {number} places",
                reason=f"a file with more than {MOST} of them is not rewritten",
                accept="--ignore ungated-connect, once its attempts are bounded by other means",
            )
        )

    def unreadable(self, error: UnreadableSource) -> None:
        reason = str(error).partition(": ")[2].partition(";")[0]
        self.patch.findings.append(
            Finding(
                error.path,
                max(error.line, 1),
                1,
                ids.UNGATED_CONNECT,
                "may hold a WhatsApp channel, and cannot be read",
                reason=reason,
                accept="a file that parses as Python 3",
            )
        )

    def rewritten(
        self, findings: list[Finding], rewrite: Callable[[], list[Edit]], accept: str
    ) -> list[Edit]:
        try:
            edits = rewrite()
        except CannotPlace as error:
            self.hand_off(findings, str(error), accept)
            return []
        self.patch.findings += findings
        return edits

    # --- bridge links ---

    def link(self, link: LinkLoop) -> list[Edit]:
        source, line = link.source, link.source.line(link.loop)
        if link.is_gated:
            self.gated(link)
            return []
        if link.is_bounded:
            self.note(
                source, line, "bounded", "asks whether the bridge is up until its time is over"
            )
            return []
        end = gives_up(link)
        if end is not None:
            said = "gives up by the host's own count of attempts, and nothing dials after it"
            self.note(source, source.line(end), "gives-up", said)
        findings = findings_of("bridge-link", link)
        if not findings:
            message = "waits longer each time, after a clean close, too"
            if link.ends_cleanly:
                message = "leaves the loop when the bridge closes the connection"
            self.note(source, line, "right", message)
            return []
        if not self.wanted(findings):
            return []
        status = status_branch(link)
        hidden = status is not None and not hears_logout(link)
        rewrite = LinkRewrite(link, status if hidden else None, self.sleep_is_patched())
        rest = [f for f in findings if f.rule != ids.LOGOUT_HIDDEN_BY_BRIDGE]
        logouts = [f for f in findings if f.rule == ids.LOGOUT_HIDDEN_BY_BRIDGE]
        known = len(self.patch.findings)
        edits = self.rewritten(rest or logouts, rewrite.run, ACCEPT_LINK)
        if not edits:
            return []
        if not rest:
            del self.patch.findings[known:]
        also = {"link_of"} if link.stops or hidden else set()
        self.need(source, {rewrite.imported} | also, "bridge")
        for finding in logouts:
            half = report_logout(self.host, finding, self.planned)
            self.patch.merge(half.patch)
            self.patch.findings.append(half.finding or finding)
        return edits

    def gated(self, link: LinkLoop) -> None:
        source, line = link.source, link.source.line(link.loop)
        self.note(source, line, "right", "paced by skillgen's gate")
        branch = status_branch(link)
        if branch is None:
            return
        message = "the bridge does not say when WhatsApp ended the session"
        finding = place(source, ids.LOGOUT_HIDDEN_BY_BRIDGE, branch.branch, message, "")
        half = report_logout(self.host, finding, Patch())
        if half.finding is not None and self.options.wants(finding.rule):
            self.patch.findings.append(half.finding)

    def escape(self, link: LinkLoop) -> None:
        """A lost connection that ends the loop although it is meant to go on."""
        handler = escape(link)
        if handler is None:
            return
        caught = link.source.text(handler).partition("\n")[0].rstrip(":")
        message = f"a connection that is lost ends the loop: {caught} does not catch it"
        finding = place(link.source, ids.CHANNEL_GIVES_UP, handler, message)
        if self.wanted([finding]):
            reason = "what else the loop should outlive is the host's to say"
            self.hand_off([replace(finding, contained=True)], reason, ACCEPT_ESCAPE)

    def library_loop(self, source: Source, loop: object) -> None:
        assert isinstance(loop, cst.For)
        message = "the library dials again by itself, at once after a clean close"
        finding = place(source, ids.SILENT_REDIAL, loop, message)
        reason = "async for … in websockets.connect() has no place for a gate"
        self.hand_off([finding], reason, ACCEPT_LINK)

    def redial(self, source: Source, redial: Redial) -> None:
        """Report a reconnect that we can detect but not rewrite."""
        if redial.right:
            self.note(source, source.line(redial.place), "right", redial.message)
            return
        finding = place(source, redial.rule, redial.place, redial.message)
        if self.wanted([finding]):
            self.hand_off([finding], redial.reason, ACCEPT_LINK)

    def sleep_is_patched(self) -> bool:
        """Whether the host's own tests of WhatsApp put something in the place of sleep()."""
        for file in self.host.with_suffix(".py"):
            if is_among_tests(file.path):
                content = self.host.read(file.path)
                about = any(mark in content for mark in TEST_MARKS)
                if about and PATCHED_SLEEP.search(content):
                    return True
        return False

    # --- neonize ---

    def client(self, client: Client, of: int) -> list[Edit]:
        """of: how many clients, or places that register handlers, its file has."""
        source = client.source
        line = source.line(client.place)
        reason = why_not_a_daemon(client)
        if reason is not None:
            self.note(source, line, "not-a-daemon", reason)
            return []
        dials = dialling(client)
        for function in dials.once:
            said = f"{function.name.value}() connects once, and stops the client when it is through"
            self.note(source, source.line(function), "not-a-daemon", said)
        heard = findings_of("neonize-client", client)
        dialled = findings_of("neonize-dialling", dials)
        if not heard and not dialled:
            self.note(source, line, "right", "stops the client when its session is over")
            return []
        if not self.wanted(heard + dialled):
            return []
        records = client.owner is not None and self.records()
        if dials.sites:
            reason = self.dial(dials, heard + dialled, records, of)
            if not reason:
                return []
            self.hand_off(dialled, reason, ACCEPT_DIAL)
        if not heard:
            return []
        rewrite = ClientRewrite(client, records)

        def run() -> list[Edit]:
            edits = rewrite.run()
            for path, others in rewrite.elsewhere.items():
                self.add(self.sources.read(path), others)
            return edits

        return self.rewritten(heard, run, ACCEPT_CLIENT)

    def dial(self, dials: Dialling, findings: list[Finding], records: bool, of: int) -> str:
        """Plan the gate of a client that its host connects: or why it cannot be."""
        if of > 1:
            return "handlers are registered in several places"
        rewrite = DialRewrite(dials, self.sources, records)
        try:
            rewrite.run()
        except CannotPlace as error:
            return str(error)
        self.patch.findings += findings
        for path, edits in rewrite.edits.items():
            source = self.sources.known[path]
            self.add(source, edits)
            self.need(source, rewrite.imports[path], "neonize")
        return ""

    def records(self) -> bool:
        """Whether the host writes down why a channel's ``start()`` failed."""
        for file in self.host.with_suffix(".py"):
            if is_among_tests(file.path):
                continue
            content = self.host.read(file.path)
            for found in RECORDS.finditer(content.replace(b"\r\n", b"\n")):
                above = content[max(0, found.start() - 400) : found.start()]
                body = above[above.rfind(b"def ") :]
                if b"while " not in body and b"for " not in body.replace(b"for all", b""):
                    return True
        return False

    # --- sessions ---

    def session(self, session: Session) -> None:
        """A client that is made anew; its handlers may stand in other files."""
        source = session.source
        if session.is_gated:
            self.note(source, source.line(session.creation), "right", "paced by skillgen's gate")
            return
        findings = findings_of("neonize-session", session)
        for client in clients(source):
            if why_not_a_daemon(client) is None:
                findings += findings_of("neonize-client", client)
        if not self.wanted(findings):
            return
        rewrite = SessionRewrite(session)

        def run() -> list[Edit]:
            rewrite.run()
            return rewrite.edits[source.path]

        if not self.rewritten(findings, run, ACCEPT_SESSION):
            return
        for path, edits in rewrite.edits.items():
            self.add(rewrite.sources[path], edits)
            self.need(rewrite.sources[path], rewrite.imports[path], "neonize")

    # --- children ---

    def supervisor(self, supervisor: Supervisor) -> None:
        reason = "which exit of the bridge means a logout is not known"
        found = findings_of("process-loop", supervisor)
        if self.wanted(found):
            self.hand_off(found, reason, ACCEPT_SUPERVISOR)

    def child(self, child: ChildBridge) -> list[Edit]:
        findings = findings_of("bridge-process", child)
        if not self.wanted(findings):
            return []
        tests = [
            self.host.read(file.path)
            for file in self.host.with_suffix(".py")
            if is_among_tests(file.path) and b"bridge" in self.host.read(file.path)
        ]
        if child.prepared:
            for finding in findings:
                half = exit_with(self.host, finding, child.prepared, Patch())
                if half.finding is not None:
                    self.patch.findings.append(half.finding)
                else:
                    line = child.source.line(child.retry)
                    message = f"takes the bridge's exit status {child.prepared} as final"
                    self.note(child.source, line, "right", message)
            return []
        code = free_code([child.source.content, *tests])
        for finding in findings:
            half = exit_with(self.host, finding, code, self.planned)
            self.patch.merge(half.patch)
            self.patch.findings.append(half.finding or finding)
        return child_edits(child, code)


def place(
    source: Source, rule: str, node: cst.CSTNode, message: str, fix: str | None = None
) -> Finding:
    line, column = source.place(node)
    return Finding(source.path, line, column, rule, message, fix)


def absolute_name(host: Host, path: str) -> str:
    """``bot.channels.whatsapp_reconnect`` of a file in a package; else its bare name."""
    parts = posixpath.splitext(path)[0].split("/")
    first = len(parts) - 1
    while first and host.exists("/".join([*parts[:first], "__init__.py"])):
        first -= 1
    return ".".join(parts[first:])
