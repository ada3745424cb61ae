"""Bridge links: what is found, what becomes of it, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.edit import Patch
from tests.quick.rules.python.harness import additions, after, hand_offs, look, loop, rules

PATH = "bot.py"
MODULE = "whatsapp_reconnect.py"


def added(patch: Patch) -> str:
    return patch.additions[MODULE].content.decode()


def test_flat_and_silent_are_found_and_settled(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: loop()})
    assert rules(patch) == {"flat-retry", "silent-redial"}
    text = after(tmp_path, patch, PATH)
    assert "while self._running and await link.turn():" in text
    assert "link.closed()" in text and "asyncio.sleep" not in text
    assert "import asyncio" not in text, "an import that nothing uses any more"
    assert "link_of(self).stop()" in text
    (tmp_path / PATH).write_text(text)
    again = look(tmp_path, additions(patch))
    assert not again.edits and not again.findings


def test_the_added_module_holds_what_the_host_calls(tmp_path: Path) -> None:
    text = added(look(tmp_path, {PATH: loop()}))
    assert "    async def turn(" in text and "    def stop(" in text
    assert "turn_sync" not in text and "on_open" not in text and "def delay(" not in text


def test_what_a_later_patch_calls_is_added_to_it(tmp_path: Path) -> None:
    first = look(tmp_path, {PATH: loop()})
    (tmp_path / PATH).write_text(after(tmp_path, first, PATH))
    (tmp_path / MODULE).write_text(added(first))
    threads = loop().replace("async ", "").replace("await ", "").replace("asyncio.", "time.")
    text = added(look(tmp_path, {"whatsapp_two.py": threads.replace("asyncio", "time")}))
    assert "    def turn_sync(" in text and "    async def turn(" in text
    (tmp_path / MODULE).write_text(text)
    assert MODULE not in look(tmp_path, {"whatsapp_three.py": loop()}).additions


def test_what_an_earlier_patch_calls_stays_in_it(tmp_path: Path) -> None:
    unstopped = loop().partition("    async def stop")[0]
    first = look(tmp_path, {PATH: unstopped})
    text = after(tmp_path, first, PATH)
    assert "turn(going=lambda: self._running)" in text
    assert "def stop(" not in added(first) and "going:" in added(first)
    (tmp_path / PATH).write_text(text)
    (tmp_path / MODULE).write_text(added(first))
    text = added(look(tmp_path, {"whatsapp_two.py": loop()}))
    assert "    def stop(" in text and "going:" in text


def test_while_true_becomes_the_turn(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: loop(test="True")})
    assert "while await link.turn():" in after(tmp_path, patch, PATH)
    assert "reconnect-after-stop" in rules(patch)


def test_an_or_in_the_test_keeps_its_meaning(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: loop(test="self._running or self.forced")})
    text = after(tmp_path, patch, PATH)
    assert "while (self._running or self.forced) and await link.turn():" in text


@pytest.mark.parametrize("wait", ["raise", "break", "await asyncio.sleep(2 ** self.n)"])
def test_only_the_clean_close_is_wrong(tmp_path: Path, wait: str) -> None:
    assert rules(look(tmp_path, {PATH: loop(wait=wait)})) == {"silent-redial"}


def test_a_wait_that_every_end_passes_is_only_flat(tmp_path: Path) -> None:
    text = loop(wait="pass", after="            await asyncio.sleep(5)\n")
    assert rules(look(tmp_path, {PATH: text})) == {"flat-retry"}


def test_a_wait_that_grows_after_every_end_is_right(tmp_path: Path) -> None:
    text = loop(
        wait="pass",
        after="            await asyncio.sleep(delay)\n            delay = min(delay * 2, 60)\n",
    )
    patch = look(tmp_path, {PATH: text})
    assert not patch.edits and [note.kind for note in patch.notes] == ["right"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("log('in 5 s')", "log(f'in {link.delay():.0f} s')"),
        ("log('in 5 s, try {}', n)", "log('in {} s, try {}', round(link.delay()), n)"),
        ("log('try {}: in 5 s', n)", "log('try {}: in {} s', n, round(link.delay()))"),
        ("log('try %d: in 5 s', n)", "log(f'try %d: in {link.delay():.0f} s', n)"),
        ("log('try {n}: in 5 s', n=n)", "log('try {n}: in a while', n=n)"),
        ("log('try {}: in 5 s'.format(n))", "log('try {}: in a while'.format(n))"),
    ],
)
def test_a_line_that_tells_the_pause_tells_the_one_that_grows(
    tmp_path: Path, line: str, told: str
) -> None:
    text = loop(wait=f"{line}\n                await asyncio.sleep(5)")
    assert f"                {told}\n" in after(tmp_path, look(tmp_path, {PATH: text}), PATH)


def test_another_channel_s_loop_is_left(tmp_path: Path) -> None:
    text = loop().replace("WhatsApp", "Discord") + "\n# as in whatsapp.py\n"
    patch = look(tmp_path, {"discord.py": text})
    assert not patch.edits and not patch.findings


def test_a_dial_in_a_method_of_its_own(tmp_path: Path) -> None:
    text = (
        "import asyncio\nimport websockets\n\n\nclass WhatsApp:\n"
        "    async def run(self):\n        while self.running:\n            try:\n"
        "                await self.once()\n            except OSError:\n"
        "                await asyncio.sleep(5)\n\n"
        "    async def once(self):\n        async with websockets.connect('ws://x') as ws:\n"
        "            async for message in ws:\n                print(message)\n"
    )
    patch = look(tmp_path, {PATH: text})
    assert rules(patch) == {"flat-retry", "silent-redial"}
    assert "link_of(self).opened()" in after(tmp_path, patch, PATH)


def test_a_one_line_body_is_handed_off(tmp_path: Path) -> None:
    text = (
        "import websockets\n\n\nasync def whatsapp():\n    while True:\n"
        "        async with websockets.connect('ws://x') as ws: print(await ws.recv())\n"
    )
    patch = look(tmp_path, {PATH: text})
    assert hand_offs(patch) == {"silent-redial"} and not patch.edits


@pytest.mark.parametrize(
    ("end", "kinds"),
    [
        ("if tries >= 60:\n                    break", ["gives-up"]),
        ("if tries > self.most:\n                    raise", ["gives-up"]),
        ("if tries >= 60:\n                    print('still trying')", []),
        ("if self.age >= 60:\n                    break", []),
    ],
)
def test_a_host_that_gives_up_by_its_own_count_is_named(
    tmp_path: Path, end: str, kinds: list[str]
) -> None:
    wait = f"tries += 1\n                {end}\n                await asyncio.sleep(5)"
    patch = look(tmp_path, {PATH: loop(wait=wait)})
    assert rules(patch) == {"flat-retry", "silent-redial"}
    assert [note.kind for note in patch.notes] == kinds


@pytest.mark.parametrize("now", ["time.time()", "time.monotonic()", "loop.time()"])
def test_a_wait_for_a_bridge_to_come_up_is_left(tmp_path: Path, now: str) -> None:
    text = loop(test=f"{now} < deadline", wait="await asyncio.sleep(0.2)")
    patch = look(tmp_path, {PATH: text})
    assert not patch.edits and not patch.findings
    assert [note.kind for note in patch.notes] == ["bounded"]


@pytest.mark.parametrize(
    ("files", "imported"),
    [
        ({"channels/base.py": "", "channels/__init__.py": ""}, "heron.channels.whatsapp_reconnect"),
        ({"channels/__init__.py": ""}, "channels.whatsapp_reconnect"),
    ],
)
def test_a_checkout_that_is_the_package_itself(
    tmp_path: Path, files: dict[str, str], imported: str
) -> None:
    text = loop().replace(
        "import websockets", "import websockets\nfrom heron.channels.base import x"
    )
    patch = look(tmp_path, {"channels/whatsapp.py": text, **files})
    assert f"from {imported} import link_of" in after(tmp_path, patch, "channels/whatsapp.py")


def test_the_library_s_own_loop_is_handed_off(tmp_path: Path) -> None:
    text = (
        "import websockets\n\n\nasync def whatsapp():\n"
        "    async for ws in websockets.connect('ws://x'):\n        print(await ws.recv())\n"
    )
    assert hand_offs(look(tmp_path, {PATH: text})) == {"silent-redial"}


def test_a_host_s_tests_that_replace_sleep_keep_their_call(tmp_path: Path) -> None:
    test = "# whatsapp\ndef test(monkeypatch):\n    monkeypatch.setattr('asyncio.sleep', None)\n"
    patch = look(tmp_path, {PATH: loop(), "tests/test_bot.py": test})
    assert "await asyncio.sleep(link.delay())" in after(tmp_path, patch, PATH)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_mark_stay(tmp_path: Path, end: str, mark: bytes) -> None:
    content = mark + loop().replace("\n", end).encode()
    patch = look(tmp_path, {PATH: content})
    text = after(tmp_path, patch, PATH).encode()
    assert text.startswith(mark) and text.count(mark or b"import websockets") == 1
    assert text.count(b"\r\n") == (text.count(b"\n") if end == "\r\n" else 0)
    assert b"await link.turn()" in text


def test_tabs_stay(tmp_path: Path) -> None:
    text = after(tmp_path, look(tmp_path, {PATH: loop().replace("    ", "\t")}), PATH)
    assert "\t\t\t\tasync with websockets" in text and "    " not in text


@pytest.mark.parametrize("test", ["not self._stop.is_set()", "self._on.is_set()"])
def test_a_thread_s_wait_ends_with_its_stop_event(tmp_path: Path, test: str) -> None:
    text = (
        loop(test=test, wait="time.sleep(5)")
        .replace("async with", "with")
        .replace("async for", "for")
        .replace("async def", "def")
        .replace("import asyncio\nimport websockets", "import time\nimport websocket")
        .replace("websockets.connect", "websocket.create_connection")
    )
    said = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    given = "self._stop" if test.startswith("not") else "going=self._on.is_set"
    assert f"while {test} and link.turn_sync({given}):" in said


@pytest.mark.parametrize(
    ("test", "gate"),
    [
        ("on.is_set()", "on.is_set() and await link.turn(going=on.is_set)"),
        ("on", "on and await link.turn(going=lambda: on)"),
        (
            "not off.is_set()",
            "not off.is_set() and await link.turn(going=lambda: not off.is_set())",
        ),
        ("on and not off", "on and not off and await link.turn(going=lambda: on and not off)"),
        ("True", "await link.turn()"),
        ("poll()", "poll() and await link.turn()"),
    ],
)
def test_a_flag_that_falls_ends_the_wait(tmp_path: Path, test: str, gate: str) -> None:
    text = (
        "import asyncio\nimport websockets\n\n\nasync def whatsapp():\n"
        f"    while {test}:\n        try:\n"
        "            async with websockets.connect('ws://x') as ws:\n"
        "                async for message in ws:\n                    print(message)\n"
        "        except OSError:\n            await asyncio.sleep(5)\n"
    )
    said = after(tmp_path, look(tmp_path, {"whatsapp.py": text}), "whatsapp.py")
    assert f"    while {gate}:\n" in said


@pytest.mark.parametrize(
    ("test", "made"),
    [("not stop.is_set()", "BridgeLink()"), ("self._running", "link_of(self)")],
)
def test_a_run_that_is_stopped_by_what_it_was_given_has_a_link_of_its_own(
    tmp_path: Path, test: str, made: str
) -> None:
    """Else the next run would find the link taken by one that has yet to notice its stop."""
    text = loop(test=test).replace("run(self):", "run(self, stop):")
    said = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert f"link = {made}\n" in said


def test_both_halves_of_a_bridge_change_together(tmp_path: Path) -> None:
    from modify.bridge.bridge_logout import report_logout
    from modify.effects import AsksTerminal
    from skill.edit import Edit, Patch
    from skill.finding import Finding
    from skill.host import Host

    bridge = b"makeWASocket(); ev.on('connection.update', () => this.report('disconnected'))"
    (tmp_path / "bridge.ts").write_bytes(bridge)
    asks = (AsksTerminal("this.reconnect"),)
    planned = Edit(0, 0, b"const stop = this.reconnect.terminal;", "x", asks)
    patch = Patch(edits={"bridge.ts": [planned]})
    seen = Finding("bot.py", 1, 1, "logout-hidden-by-bridge", "…", "…")
    half = report_logout(Host(tmp_path), seen, patch)
    assert half.finding is None and patch.edits == {"bridge.ts": [planned]}
    patch.merge(half.patch)
    text = after(tmp_path, patch, "bridge.ts")
    assert "this.report(this.reconnect.terminal ? 'logged_out' : 'disconnected')" in text
