"""Plans the change of each bridge link and bridge process, and reports what is left."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

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
from modify.kit.python.source import Source
from modify.python.planning import MOST, Planning, place
from modify.rules import findings_of, ids
from skill.edit import Edit, Patch
from skill.host import Host, fact
from skill.source_paths import is_among_tests

ACCEPT_LINK = "a loop that asks link.turn() before each attempt, after a clean close, too"
ACCEPT_ESCAPE = "an except that catches the library's own errors as well, or Exception"
ACCEPT_SUPERVISOR = "a loop that ends on the exit status of a logout, or a pause that grows"
PATCHED_SLEEP = re.compile(rb"(?:patch|setattr)\w*\([^\n]*\bsleep\b|\bsleep\s*=\s*\w*[Mm]ock")
TEST_MARKS = (b"whatsapp", b"WhatsApp")


@dataclass
class Bridges:
    """The bridges of one host, file by file."""

    plan: Planning

    def links(self, source: Source) -> bool:
        """Plan the links of a file; False if it has more than can be told apart."""
        links = list(link_loops(source))
        if len(links) > MOST:
            self.plan.crowded(source, len(links))
            return False
        for link in links:
            self.plan.add(source, self.link(link))
            self.escape(link)
        for redial in redials(source, links):
            self.redial(source, redial)
        for dial in self_pacing(source):
            self.library_loop(source, dial)
        return True

    def processes(self, source: Source) -> None:
        """Plan the bridges that a file starts as child processes, and name the loops that poll."""
        for loop in poll_loops(source):
            said = "asks a bridge on this machine, not WhatsApp; its interval stays"
            self.plan.note(source, source.line(loop), "poll-loop", said)
        for child in children(source):
            self.plan.add(source, self.child(child))
        for supervisor in supervisors(source):
            self.supervisor(supervisor)

    def link(self, link: LinkLoop) -> list[Edit]:
        source, line = link.source, link.source.line(link.loop)
        if link.is_gated:
            self.gated(link)
            return []
        if link.is_bounded:
            self.plan.note(
                source, line, "bounded", "asks whether the bridge is up, until a deadline"
            )
            return []
        end = gives_up(link)
        if end is not None:
            said = "gives up by the host's own count of attempts, and does not connect after that"
            self.plan.note(source, source.line(end), "gives-up", said)
        findings = findings_of("bridge-link", link)
        if not findings:
            message = "waits longer each time, after a clean close, too"
            if link.ends_cleanly:
                message = "leaves the loop when the bridge closes the connection"
            self.plan.note(source, line, "right", message)
            return []
        if not self.plan.wanted(findings):
            return []
        status = status_branch(link)
        hidden = status is not None and not hears_logout(link)
        rewrite = LinkRewrite(link, status if hidden else None, sleep_is_patched(self.plan.host))
        rest = [f for f in findings if f.rule != ids.LOGOUT_HIDDEN_BY_BRIDGE]
        logouts = [f for f in findings if f.rule == ids.LOGOUT_HIDDEN_BY_BRIDGE]
        known = len(self.plan.patch.findings)
        edits = self.plan.rewritten(rest or logouts, rewrite.run, ACCEPT_LINK)
        if not edits:
            return []
        if not rest:
            del self.plan.patch.findings[known:]
        also = {"link_of"} if link.stops or hidden else set()
        self.plan.need(source, {rewrite.imported} | also, "bridge")
        for finding in logouts:
            half = report_logout(self.plan.host, finding, self.plan.planned)
            self.plan.patch.merge(half.patch)
            self.plan.patch.findings.append(half.finding or finding)
        return edits

    def gated(self, link: LinkLoop) -> None:
        source, line = link.source, link.source.line(link.loop)
        self.plan.note(source, line, "right", "paced by skillgen's gate")
        branch = status_branch(link)
        if branch is None:
            return
        message = "the bridge does not say when WhatsApp ended the session"
        finding = place(source, ids.LOGOUT_HIDDEN_BY_BRIDGE, branch.branch, message, "")
        half = report_logout(self.plan.host, finding, Patch())
        if half.finding is not None and self.plan.options.wants(finding.rule):
            self.plan.patch.findings.append(half.finding)

    def escape(self, link: LinkLoop) -> None:
        """A lost connection that ends the loop although it is meant to go on."""
        handler = escape(link)
        if handler is None:
            return
        caught = link.source.text(handler).partition("\n")[0].rstrip(":")
        message = f"a connection that is lost ends the loop: {caught} does not catch it"
        finding = place(link.source, ids.CHANNEL_GIVES_UP, handler, message)
        if self.plan.wanted([finding]):
            reason = "what else the loop should outlive is the host's to say"
            self.plan.hand_off([replace(finding, contained=True)], reason, ACCEPT_ESCAPE)

    def library_loop(self, source: Source, loop: cst.For) -> None:
        message = "the library reconnects by itself, at once after a clean close"
        finding = place(source, ids.SILENT_REDIAL, loop, message)
        reason = "async for … in websockets.connect() has no place for a gate"
        self.plan.hand_off([finding], reason, ACCEPT_LINK)

    def redial(self, source: Source, redial: Redial) -> None:
        """Report a reconnect that we can detect but not rewrite."""
        if redial.right:
            self.plan.note(source, source.line(redial.place), "right", redial.message)
            return
        finding = place(source, redial.rule, redial.place, redial.message)
        if self.plan.wanted([finding]):
            self.plan.hand_off([finding], redial.reason, ACCEPT_LINK)

    def supervisor(self, supervisor: Supervisor) -> None:
        reason = "which exit of the bridge means a logout is not known"
        found = findings_of("process-loop", supervisor)
        if self.plan.wanted(found):
            self.plan.hand_off(found, reason, ACCEPT_SUPERVISOR)

    def child(self, child: ChildBridge) -> list[Edit]:
        findings = findings_of("bridge-process", child)
        if not self.plan.wanted(findings):
            return []
        tests = [
            self.plan.host.read(file.path)
            for file in self.plan.host.with_suffix(".py")
            if is_among_tests(file.path) and b"bridge" in self.plan.host.read(file.path)
        ]
        if child.prepared:
            for finding in findings:
                half = exit_with(self.plan.host, finding, child.prepared, Patch())
                if half.finding is not None:
                    self.plan.patch.findings.append(half.finding)
                else:
                    line = child.source.line(child.retry)
                    message = f"takes the bridge's exit status {child.prepared} as final"
                    self.plan.note(child.source, line, "right", message)
            return []
        code = free_code([child.source.content, *tests])
        for finding in findings:
            half = exit_with(self.plan.host, finding, code, self.plan.planned)
            self.plan.patch.merge(half.patch)
            self.plan.patch.findings.append(half.finding or finding)
        return child_edits(child, code)


@fact
def sleep_is_patched(host: Host) -> bool:
    """Whether the host's own tests of WhatsApp put something in the place of sleep()."""
    for file in host.with_suffix(".py"):
        if is_among_tests(file.path):
            content = host.read(file.path)
            about = any(mark in content for mark in TEST_MARKS)
            if about and PATCHED_SLEEP.search(content):
                return True
    return False
