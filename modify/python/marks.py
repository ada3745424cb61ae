"""Which Python files may hold a channel: cheap byte marks, before anything is parsed.

So a host without a Python channel never imports libcst (0.4 to 0.8 s).
"""

from __future__ import annotations

import re

from modify.kit.python.tree import parse
from skill.finding import Note
from skill.host import Host, fact
from skill.options import Options
from skill.source_paths import is_among_tests

WHATSAPP = re.compile(rb"whats_?app|baileys", re.IGNORECASE)
# The words of code that is about WhatsApp, whatever stands in its comments.
ABOUT_WHATSAPP = re.compile(
    r"whats_?app|baileys|(?<![a-z])wa(?=[_-]?(?:bridge|bot|client|link|channel))", re.I
)
COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)
NEONIZE = re.compile(rb"^[ \t]*(?:from|import)[ \t]+neonize\b", re.MULTILINE)
SOCKET = re.compile(
    rb"websockets?(?:\.\w+)*\.connect\(|create_connection\(|ws_connect\("
    rb"|from websockets?[\w.]* import[^\n]*\bconnect\b"
)
CHILD = re.compile(rb"\b(?:retryable|can_retry)=(?:True|\w+ != \d+)")
SPAWN = re.compile(rb"\b(?:Popen|create_subprocess_(?:exec|shell))\(")
# Plain bytes first, many times as fast as an expression: most files hold none of them.
SOCKET_WORDS = (b"websocket", b"ws_connect(", b"create_connection(")
CHILD_WORDS = (b"retryable=", b"can_retry=")
SPAWN_WORDS = (b"Popen(", b"create_subprocess_")
# A bridge on this machine that is polled over HTTP: noted, and left as it is.
POLL = re.compile(rb"\.(?:get|post)\(\s*f?['\"]http://(?:127\.0\.0\.1|localhost)[:{]")
TOP_LEVEL = re.compile(rb"^(?:class|def|async[ \t]+def)\b", re.MULTILINE)
# libcst takes a minute for a megabyte; the largest real channel file has 0.2.
LARGEST = 1_000_000
ADDED = b"# Added by skillgen "


def has_marks(path: str, content: bytes) -> bool:
    """Whether a file may hold a channel: cheap, and before anything is parsed."""
    if ADDED in content[:4000]:
        return False
    if b"neonize" in content and NEONIZE.search(content):
        return True
    may_dial = any(word in content for word in SOCKET_WORDS)
    may_run_child = b"poll()" in content and any(word in content for word in CHILD_WORDS)
    may_spawn = any(word in content for word in SPAWN_WORDS)
    if not (may_dial or may_run_child or may_spawn) or not speaks_of_whatsapp(path, content):
        return False
    if may_spawn and starts_bridge(path, content):
        return True
    if b"WebSocketApp(" in content:
        return True  # its handlers, which show what it is about, are functions of their own
    marks = [*SOCKET.finditer(content)] if may_dial else []
    marks += CHILD.finditer(content) if may_run_child else ()
    return any(about_whatsapp(path, content, mark.start()) for mark in marks)


def speaks_of_whatsapp(path: str, content: bytes) -> bool:
    lower = content.lower()
    known = b"whatsapp" in lower or b"whats_app" in lower or b"baileys" in lower
    return known or WHATSAPP.search(path.encode()) is not None


def starts_bridge(path: str, content: bytes) -> bool:
    """Whether a file that is named for WhatsApp may start a bridge in a loop.

    By name, not content: a main module mentions everything and is the slowest to parse.
    """
    words = (b"while ", b"sleep(", b"ridge")
    named = WHATSAPP.search(path.encode()) is not None
    return named and all(word in content for word in words) and bool(SPAWN.search(content))


@fact
def is_marked(host: Host, path: str) -> bool:
    """``has_marks`` of a host's file; units ask for the same files again."""
    return has_marks(path, host.read(path))


def polls(path: str, content: bytes) -> bool:
    """Whether a file may ask a bridge of WhatsApp on this machine for messages, in a loop."""
    if b"http://" not in content or b"while " not in content or b"sleep(" not in content:
        return False
    found = POLL.search(content)
    return found is not None and about_whatsapp(path, content, found.start())


def about_whatsapp(path: str, content: bytes, position: int) -> bool:
    """Whether the top-level class or function around a mark mentions WhatsApp."""
    if WHATSAPP.search(path.encode()):
        return True
    starts = [found.start() for found in TOP_LEVEL.finditer(content)]
    begin = max((start for start in starts if start <= position), default=0)
    end = min((start for start in starts if start > position), default=len(content))
    return WHATSAPP.search(content, begin, end) is not None


def in_comments_only(path: str, content: bytes) -> bool:
    """Whether a file mentions WhatsApp only in comments: then no loop of it is a channel.

    False if it cannot be read: a person has to look at it.
    """
    if NEONIZE.search(content) or ABOUT_WHATSAPP.search(path):
        return False
    code = COMMENT.sub("", content.decode("utf-8", "replace"))
    return ABOUT_WHATSAPP.search(code) is None and parse(content) is not None


def marked(host: Host, options: Options) -> list[str]:
    return [
        file.path
        for file in host.with_suffix(".py")
        if not is_among_tests(file.path)
        and file.size <= LARGEST
        and options.covers(file.path)
        and (is_marked(host, file.path) or polls(file.path, host.read(file.path)))
        and not in_comments_only(file.path, host.read(file.path))
    ]


def too_large(host: Host, options: Options) -> list[Note]:
    """Generated modules with the marks of a channel: not parsed, a minute each."""
    return [
        Note(file.path, 1, "too-large", "no channel that people write is so large; not read")
        for file in host.files.values()
        if file.path.endswith(".py")
        and file.size > LARGEST
        and not is_among_tests(file.path)
        and options.covers(file.path)
        and has_marks(file.path, host.read(file.path))
    ]
