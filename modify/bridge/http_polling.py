"""Loops that ask a bridge on the same machine for messages, over HTTP.

They do not connect to WhatsApp, and their interval is how fast the bot answers: noted, and left as
they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from modify.kit.python.source import Source, all_of, called
from modify.kit.python.waits import SLEEPS
from modify.python.about_whatsapp import is_whatsapp

ASKS = re.compile(r"\.(?:get|post|request|urlopen)$|^urlopen$")
LOCAL = re.compile(r"127\.0\.0\.1|localhost|bridge", re.I)


def poll_loops(source: Source) -> Iterator[cst.While]:
    for loop in all_of(source.module, cst.While, functions=True):
        function = source.nearest(loop, cst.FunctionDef)
        if function is None or not is_whatsapp(source, function):
            continue
        calls = list(all_of(loop, cst.Call))
        waits = any(called(call) in SLEEPS for call in calls)
        if waits and any(asks_local_bridge(source, call) for call in calls):
            yield loop


def asks_local_bridge(source: Source, call: cst.Call) -> bool:
    if not ASKS.search(called(call)) or not call.args:
        return False
    text = source.module.code_for_node(call.args[0].value)
    return LOCAL.search(text) is not None and ("http" in text or "url" in text.lower())
