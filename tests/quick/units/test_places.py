"""Where units are found: template literals, strings, heredocs, documents; and where not."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from modify.units.codemod import examine
from skill.options import Options
from tests.quick.rules.service_cases.harness import (
    KEEP_ALIVE_RIGHT,
    RESTARTS_WELL,
    SOUND,
    check_noop,
    check_transformed,
    grown,
    look,
    make_host,
    plist,
    unit,
    verify_with_systemd,
)

START = "ExecStart=${node} ${root}/dist/index.js"
BEFORE = unit("Restart=always\nRestartSec=5\n", "", START)
AFTER = grown(unit(RESTARTS_WELL, SOUND, START))
TRUE = "    <key>KeepAlive</key>\n    <true/>\n"


def literal(text: str) -> str:
    return f"// caf\u00e9 \U0001f916\nexport const text = `{text}`;\n"


LITERALS = {
    "a template literal": (literal(BEFORE), literal(AFTER)),
    "code in a hole": (
        literal(BEFORE.replace("default.target", "${x ? `${y}.target` : '[Service]'}")),
        literal(AFTER.replace("default.target", "${x ? `${y}.target` : '[Service]'}")),
    ),
    "an escape in the text": (
        literal(BEFORE.replace("=Bot", "=\\`Bot\\` \\${x} \\\\ ok")),
        literal(AFTER.replace("=Bot", "=\\`Bot\\` \\${x} \\\\ ok")),
    ),
    "a string of one line": (
        "const text = '" + BEFORE.replace("\n", "\\n") + "';\n",
        "const text = '" + AFTER.replace("\n", "\\n") + "';\n",
    ),
    "a string of one line, windows line ends": (
        "const text = '" + BEFORE.replace("\n", "\\r\\n") + "';\n",
        "const text = '" + AFTER.replace("\n", "\\r\\n") + "';\n",
    ),
    "indented and dedented": (
        literal("\n" + BEFORE).replace("\n", "\n    "),
        literal("\n" + AFTER).replace("\n", "\n    "),
    ),
    "windows line ends": (
        literal(BEFORE).replace("\n", "\r\n"),
        literal(AFTER).replace("\n", "\r\n"),
    ),
    "a byte-order mark": ("\ufeff" + literal(BEFORE), "\ufeff" + literal(AFTER)),
    "a command in a constant": (
        "const start = `${node} ${root}/dist/index.js`;\n"
        + literal(unit("Restart=always\nRestartSec=10\n", start="ExecStart=${start}")),
        "const start = `${node} ${root}/dist/index.js`;\n"
        + literal(unit(grown(RESTARTS_WELL), start="ExecStart=${start}")),
    ),
    "a command of two forms": (
        'const start = stale\n  ? `sg docker -c "${node} ${root}/dist/index.js"`\n'
        "  : `${node} ${root}/dist/index.js`;\n"
        + literal(unit("Restart=always\nRestartSec=10\n", start="ExecStart=${start}")),
        'const start = stale\n  ? `sg docker -c "${node} ${root}/dist/index.js"`\n'
        "  : `${node} ${root}/dist/index.js`;\n"
        + literal(unit(grown(RESTARTS_WELL), start="ExecStart=${start}")),
    ),
    "a joined path": (
        literal(plist(TRUE, "${path.join(root, 'dist', 'index.js')}")),
        literal(plist(KEEP_ALIVE_RIGHT, "${path.join(root, 'dist', 'index.js')}")),
    ),
    "a property list": (
        literal(plist(TRUE, "${root}/dist/index.js")),
        literal(plist(KEEP_ALIVE_RIGHT, "${root}/dist/index.js")),
    ),
    "a property list with a computed value": (
        literal(plist("    <key>RunAtLoad</key>\n    ${atLoad ? '<true/>' : '<false/>'}\n" + TRUE)),
        literal(
            plist(
                "    <key>RunAtLoad</key>\n    ${atLoad ? '<true/>' : '<false/>'}\n"
                + KEEP_ALIVE_RIGHT
            )
        ),
    ),
}


@pytest.mark.parametrize(("before", "after"), LITERALS.values(), ids=LITERALS.keys())
@pytest.mark.parametrize("path", ["setup/service.ts", "setup/service.mjs"])
def test_literals(tmp_path: Path, path: str, before: str, after: str) -> None:
    check_transformed(tmp_path, path, before, after)


@pytest.mark.system
def test_systemd_accepts_the_literal(tmp_path: Path) -> None:
    verify_with_systemd(tmp_path, AFTER)


def test_two_units_in_one_file(tmp_path: Path) -> None:
    check_transformed(
        tmp_path,
        "setup/service.ts",
        literal(BEFORE) + literal(plist(TRUE)),
        literal(AFTER) + literal(plist(KEEP_ALIVE_RIGHT)),
    )


NOT_UNITS = {
    "a comment": "/*\n" + BEFORE + "*/\nexport {};\n",
    "a sentence": "export const help = `Restart=always in [Unit] or [Service] is bad`;\n",
    "lines of a list": "const lines = ['[Unit]', '[Service]'];\n",
}


@pytest.mark.parametrize("text", NOT_UNITS.values(), ids=NOT_UNITS.keys())
def test_not_a_unit(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {"setup/service.ts": text})
    assert not hand_offs


def test_computed_parts_are_handed_off(tmp_path: Path) -> None:
    text = literal(unit("Restart=${policy}\n", SOUND, START))
    hand_offs, _ = check_noop(tmp_path, {"setup/service.ts": text})
    assert [finding.rule for finding in hand_offs] == ["systemd-restart-always"]
    text = literal(plist("    <key>KeepAlive</key>\n    ${keepAliveXml()}\n"))
    hand_offs, _ = check_noop(tmp_path, {"setup/service.ts": text})
    assert [finding.rule for finding in hand_offs] == ["launchd-keep-alive"]


PIECES = (
    "const lines = ['[Unit]', 'Description=Bot', '[Service]'];\n"
    "lines.push(`ExecStart=${node} ${root}/dist/index.js`);\nlines.push('Restart=always');\n"
)


def test_lines_put_together_are_handed_off(tmp_path: Path) -> None:
    hand_offs, _ = check_noop(tmp_path, {"setup/service.ts": PIECES})
    assert [(finding.rule, finding.line) for finding in hand_offs] == [
        ("systemd-restart-always", 3)
    ]


def test_lines_of_a_side_service_are_left(tmp_path: Path) -> None:
    text = PIECES.replace("${node} ${root}/dist/index.js", "/usr/sbin/logrotate")
    hand_offs, patch = check_noop(tmp_path, {"setup/service.ts": text})
    assert not hand_offs
    assert [note.kind for note in patch.notes] == ["side-service"]


SHELL = "#!/bin/sh\nNODE=$(command -v node)\ncat > /etc/systemd/system/bot.service <<{}\n{}EOF\n"
SHELL_START = "ExecStart=$NODE $(pwd)/dist/index.js"


@pytest.mark.parametrize("opening", ["EOF", "'EOF'", '"EOF"'])
def test_heredocs(tmp_path: Path, opening: str) -> None:
    before = SHELL.format(opening, unit("Restart=always\n", "", SHELL_START))
    after = SHELL.format(opening, unit(grown(RESTARTS_WELL), SOUND, SHELL_START))
    check_transformed(tmp_path, "install.sh", before, after)


def test_quoted_text_of_a_script(tmp_path: Path) -> None:
    before = '#!/bin/sh\nUNIT="' + unit("Restart=always\n", "", SHELL_START) + '"\n'
    after = '#!/bin/sh\nUNIT="' + unit(grown(RESTARTS_WELL), SOUND, SHELL_START) + '"\n'
    check_transformed(tmp_path, "install.sh", before, after)


def fenced(text: str) -> str:
    return f"# Run it\n\n```ini\n{text}```\n\nRestart=always is explained below.\n"


def test_documents_that_repeat_the_unit(tmp_path: Path) -> None:
    check_transformed(tmp_path, "docs/SPEC.md", fenced(BEFORE), fenced(AFTER))


def test_documents_with_a_script(tmp_path: Path) -> None:
    before = fenced(SHELL.format("EOF", unit("Restart=always\n", "", SHELL_START)))
    after = fenced(SHELL.format("EOF", unit(grown(RESTARTS_WELL), SOUND, SHELL_START)))
    check_transformed(tmp_path, ".claude/skills/setup/SKILL.md", before, after)


DOCUMENTS = {
    "an excerpt": fenced("Restart=always\nRestartSec=5\n"),
    "prose": "# Run it\n\n[Unit]\n[Service]\nRestart=always\n",
    "code that makes a unit": fenced("# python\ndef unit():\n    return f'''" + BEFORE + "'''\n"),
    "two units in one block": fenced(BEFORE + BEFORE),
    "a side service": fenced(
        unit("Restart=always\n", "", "ExecStart=/usr/local/bin/signal-cli -a")
    ),
    "a program that is not known": fenced(unit("Restart=always\n", "", "ExecStart=$BIN daemon")),
}


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_documents_left_alone(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {"docs/SPEC.md": text})
    assert not hand_offs


@pytest.mark.parametrize("suffix", ["", ".j2", ".in", ".tmpl", ".template", ".example"])
def test_plain_files_and_templates(tmp_path: Path, suffix: str) -> None:
    start = "ExecStart={{ node_path }} {{ project_root }}/dist/index.js"
    check_transformed(
        tmp_path,
        f"deploy/bot.service{suffix}",
        unit("Restart=always\n", "", start),
        grown(unit(RESTARTS_WELL, SOUND, start)),
    )


def test_copies_in_skill_assets(tmp_path: Path) -> None:
    path = ".claude/skills/add-whatsapp/modify/setup/service.ts"
    check_transformed(tmp_path, path, literal(BEFORE), literal(AFTER))


def test_channel_only_in_skill_assets(tmp_path: Path) -> None:
    """A core tree whose WhatsApp comes as a skill still has its units mended."""
    channel = "makeWASocket({});\nsock.ev.on('connection.update', on);\n"
    others: dict[str, str | bytes] = {
        "src/whatsapp.ts": "export {};\n",
        ".claude/skills/add-whatsapp/add/src/channels/whatsapp.ts": channel,
    }
    check_transformed(tmp_path, "deploy/bot.service", BEFORE, AFTER, others=others)


def test_unreadable_source_does_not_stop_the_rest(tmp_path: Path) -> None:
    broken = b"export const a = `[Unit]\n[Service]\n\xff\xfe ${ `\n"
    patch = look(tmp_path, {"setup/broken.ts": broken, "deploy/bot.service": BEFORE})
    assert set(patch.edits) == {"deploy/bot.service"}


HOSTILE = {
    "a.sh": ("[Service]\n", "cat <<EOF\n", ""),
    "b.md": ("[Service]\n", "```\n", "```\n"),
    "d.ts": ("const a = '[Unit][Service]", "\\\\n", "';\n"),
}


def seconds(folder: Path, path: str, text: str) -> float:
    """The processor time that it takes to look at a host with this file."""
    host = make_host(folder, {path: text})
    started = process_time()
    assert not examine(host, Options()).edits
    return process_time() - started


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_texts_are_read_in_time(tmp_path: Path, path: str) -> None:
    """Patterns stay linear on texts made to make them slow: four times the text, no square."""
    first, part, last = HOSTILE[path]
    seconds(tmp_path / "warm", path, first + part + last)
    short, long = (
        seconds(tmp_path / f"{times}", path, first + times * part + last)
        for times in (2_000, 8_000)
    )
    assert long < 8 * short + 0.1


def test_a_command_of_nothing_but_open_parentheses_is_read(tmp_path: Path) -> None:
    """What a shell or a template fills in ends soon, or is taken for plain text."""
    text = "[Unit]\n[Service]\nExecStart=" + "$(" * 8_000 + "\nRestart=always\n"
    assert seconds(tmp_path, "c.service", text) < 1
