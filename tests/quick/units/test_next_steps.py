"""The commands after an apply: they name the host's own service, or how to find its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill import cli
from skill.host import Host
from skill.options import Options
from skill.plan import make_plan
from skill.report.next_steps import NextStep, after_revert, next_steps
from tests.quick.rewrite.harness import IMPORTS, host_text
from tests.quick.rules.service_cases.harness import UNIT, make_host, plist, unit

ALWAYS = unit("Restart=always\n")
START = "ExecStart=${node} ${root}/dist/index.js"
TEXT = "`" + unit("Restart=always\n", "", START) + "`"
TRUE = "    <key>KeepAlive</key>\n    <true/>\n"
SYSTEMD = [
    "systemctl --user daemon-reload",
    "systemctl --user reset-failed bot || true",
    "systemctl --user restart bot",
    "systemctl --user show bot -p Restart -p StartLimitBurst",
]
LIST = "systemctl --user list-units --type=service"


def steps(folder: Path, files: dict[str, str], platform: str = "linux") -> list[NextStep]:
    host = make_host(folder, files)
    return next_steps(host, make_plan(host, Options()), platform)


def commands(folder: Path, files: dict[str, str], platform: str = "linux") -> list[str | None]:
    return [step.command for step in steps(folder, files, platform)]


def generator(body: str) -> str:
    return (
        "/** Asks the daemon (user@UID.service); see also other.service and user@1000.service. */\n"
        f"{body}\nfs.writeFileSync(file, {TEXT});\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "const file = path.join(home, '.config', 'systemd', 'user', 'bot.service');",
        "const file = '.config/systemd/user/bot.service'; // not beta.service\n"
        "log.error('systemctl start failed');",
        "const NAME = 'bot';\nconst file = `${home}/.config/systemd/user/${NAME}.service`;",
        "const file = at();\nexecSync('systemctl --user enable --now bot');",
    ],
)
def test_a_name_that_code_gives(tmp_path: Path, body: str) -> None:
    found = commands(tmp_path, {"setup/service.ts": generator(body)})
    assert found == [None, *SYSTEMD] or found == [None, None, *SYSTEMD]


@pytest.mark.parametrize(
    "body",
    [
        "const unit = unitName(root);\nconst file = `${dir}/${unit}.service`;",
        "const file = dir + slug() + '.service';",
        "const file = one ? 'a.service' : 'b.service';",
        "const file = `${dir}/bot@.service`;",
    ],
    ids=["a template", "a sum", "two", "an instance"],
)
def test_a_name_that_nobody_can_tell(tmp_path: Path, body: str) -> None:
    found = steps(tmp_path, {"setup/service.ts": generator(body + "\nconst dir = 'systemd/user';")})
    assert not any("user@" in (step.command or "") for step in found)
    assert not any(" restart " in (step.command or "") for step in found)
    assert found[-1].command == LIST
    assert "systemctl --user restart NAME" in found[-1].why


def test_who_installed_it(tmp_path: Path) -> None:
    body = (
        "const file = isRoot() ? '/etc/systemd/system/bot.service'\n"
        "  : path.join(home, '.config/systemd/user', 'bot.service');"
    )
    *_, last, _ = steps(tmp_path, {"setup/service.ts": generator(body)})
    assert last.command == "systemctl --user restart bot"
    assert "sudo systemctl if root installed it" in last.why


@pytest.mark.parametrize(
    "script",
    [
        "# writes beta.service\ncat > /etc/systemd/system/bot.service <<EOF\n{}EOF\n",
        "UNIT=bot\ncat > /etc/systemd/system/$UNIT.service <<EOF\n{}EOF\n",
        'NAME="bot"\ncat > "$1" <<EOF\n{}EOF\nsudo systemctl enable "${{NAME}}" # or beta\n'
        "sudo systemctl enable --now ${{NAME}}\n",
    ],
)
def test_a_name_that_a_script_gives(tmp_path: Path, script: str) -> None:
    text = ALWAYS.replace("default.target", "multi-user.target\nAfter=docker.service")
    found = commands(tmp_path, {"install.sh": script.format(text)})
    of_root = [command.replace("systemctl --user", "sudo systemctl") for command in SYSTEMD]
    assert found[-4:] == of_root


def test_a_page_writes_no_service(tmp_path: Path) -> None:
    page = f"# Set up\n\n```ini\n{ALWAYS}```\n\nThen `systemctl --user restart beta.service`.\n"
    found = steps(tmp_path, {"docs/SPEC.md": page, UNIT: ALWAYS})
    assert [step.why for step in found if "docs/SPEC.md" in step.why] == []
    assert [step.command for step in found][-4:] == SYSTEMD
    alone = steps(tmp_path / "alone", {"docs/SPEC.md": page})
    assert "change the installed unit in the same way (docs/SPEC.md shows it)" in alone[0].why
    assert [step.command for step in alone] == [None, None]


def test_labels(tmp_path: Path) -> None:
    known = {"deploy/com.bot.plist": plist("<!-- <key>Label</key><string>x</string> -->" + TRUE)}
    assert commands(tmp_path / "a", known, "darwin")[-1] == (
        "launchctl kickstart -k gui/$(id -u)/com.bot"
    )
    text = plist(TRUE, "${root}/dist/index.js").replace("com.bot", "${label}")
    code = f"const label = labelOf(root);\nconst file = `${{label}}.plist`;\nwrite(`{text}`);\n"
    package = '{"name": "@x/bot; rm -rf ~", "main": "dist/index.js"}'
    files = {**known, "setup/service.ts": code, "package.json": package}
    assert commands(tmp_path / "b", files, "darwin")[-1] == (
        "launchctl list | grep -i -- 'bot; rm -rf ~'"
    )


def test_a_path_with_a_line_break_is_one_line(tmp_path: Path) -> None:
    files = {"deploy/x\nrm -rf home\n.service": ALWAYS}
    for step in steps(tmp_path, files):
        assert "\n" not in f"{step.command} {step.why}"


def test_printed_commands_are_quoted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "my; bot"
    make_host(root, {UNIT: ALWAYS})
    assert cli.run(["inspect", str(root)]) == 1
    assert f"skillgen apply '{Host(root).root}'" in capfd.readouterr().out


@pytest.mark.parametrize("runner", ["vitest", "mocha"])
@pytest.mark.parametrize("kind", ["held", "rewritten"])
def test_the_added_test_is_named_where_one_is_added(tmp_path: Path, kind: str, runner: str) -> None:
    held = f"{IMPORTS}export const start = (auth) => keep(makeWASocket({{ auth }}));\n"
    package = (
        f'{{ "type": "module", "scripts": {{ "test": "{runner}" }},'
        f' "devDependencies": {{ "{runner}": "4" }} }}'
    )
    code = held if kind == "held" else host_text("      connect();")
    found = steps(tmp_path, {"package.json": package, "bot.js": code})
    why = next(step.why for step in found if step.command == "npm run test")
    assert why == "the host's own tests" + (", and the added one" if runner == "vitest" else "")


SETUP = """\
const STEPS = {
  environment: () => import('./environment.js'),
  'whatsapp-auth': () => import('./auth.js'),
  service: () => import('./service.js'),
};
const step = process.argv[process.argv.indexOf('--step') + 1];
(await STEPS[step]()).run();
"""
WRITER = generator("const file = '.config/systemd/user/bot.service';")
STARTING = WRITER + "execSync(`${systemctlPrefix} start bot`);\n"


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({"setup/index.ts": SETUP}, "npx tsx setup/index.ts --step service"),
        (
            {"setup/index.ts": SETUP, "pnpm-lock.yaml": ""},
            "pnpm exec tsx setup/index.ts --step service",
        ),
        (
            {"package.json": '{"scripts": {"unit": "tsx setup/service.ts"}}'},
            "npm run unit",
        ),
    ],
    ids=["a step", "a step by pnpm", "a script"],
)
def test_the_command_that_writes_the_unit(
    tmp_path: Path, more: dict[str, str], command: str
) -> None:
    found = commands(tmp_path, {"setup/service.ts": WRITER, **more})
    assert found == [command, *SYSTEMD]


@pytest.mark.parametrize(
    ("more", "how"),
    [
        ({"setup/index.ts": SETUP}, ": npx tsx setup/index.ts --step whatsapp-auth"),
        ({"package.json": '{"scripts": {"auth": "tsx auth.ts"}}'}, ": npm run auth"),
        ({}, ""),
    ],
    ids=["a step", "a script", "not known"],
)
def test_a_bot_that_its_set_up_starts_is_linked_before(
    tmp_path: Path, more: dict[str, str], how: str
) -> None:
    found = steps(tmp_path, {"setup/service.ts": STARTING, **more})
    whys = [step.why for step in found]
    link = whys.index(f"if WhatsApp has logged the bot out, link it before it starts{how}")
    assert "starts the bot" in whys[link + 1]
    assert found[link].command is None


def test_what_a_revert_leaves_is_installed_anew(tmp_path: Path) -> None:
    host = make_host(tmp_path, {"setup/service.ts": WRITER, "setup/index.ts": SETUP})
    found = after_revert(host, {"setup/service.ts": ("systemd-restart-always",)}, "linux")
    assert found[0].command == "npx tsx setup/index.ts --step service"
    assert found[-1].why == "reads it back"
