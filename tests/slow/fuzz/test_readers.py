"""Every file that skillgen reads may hold anything: no crash, no hang, one line, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill.commands.reset import SUFFIX
from skill.guard.unit import KINDS
from skill.transaction import key as keys
from tests.quick.transaction.conftest import tree_of, without_state
from tests.slow.faults.cases import CHANNEL, UNIT
from tests.slow.fuzz import seeds
from tests.slow.fuzz.harness import examples, host, skillgen, sound, whole_life
from tests.slow.fuzz.mutations import as_json, deep_json, mutated, odd_json, odd_values

SKILL = ".claude/skills/add-whatsapp"
# Where each kind of file lies, and what it holds when it is well.
HOST_FILES = {
    "systemd": ("deploy/bot.service", seeds.SYSTEMD),
    "launchd": ("launchd/org.example.bot.plist", seeds.LAUNCHD),
    "compose": ("docker-compose.yml", seeds.COMPOSES),
    "supervisord": ("supervisord.conf", seeds.SUPERVISORD),
    "pm2": ("ecosystem.config.cjs", seeds.PM2),
    "pm2 as JSON": ("pm2.config.json", seeds.PM2),
    "shell": ("start.sh", seeds.SHELL),
    "dockerfile": ("Dockerfile", seeds.DOCKERFILE),
    "package.json": ("package.json", seeds.PACKAGES),
    "pyproject.toml": ("pyproject.toml", seeds.PYPROJECT),
    "prettier": (".prettierrc", seeds.PRETTIER),
    "tsconfig": ("tsconfig.json", seeds.TSCONFIG),
    "manifest": (f"{SKILL}/manifest.yaml", seeds.MANIFEST),
    "intent": (f"{SKILL}/modify/src/channels/index.ts.intent.md", seeds.INTENT),
    "engine's state": (".nanoclaw/state.yaml", seeds.ENGINE_STATE),
}


def bot(path: str, content: bytes) -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {"bot.mjs": CHANNEL}
    if path.startswith((SKILL, ".nanoclaw")):
        files[f"{SKILL}/add/src/channels/whatsapp.ts"] = seeds.CLASS
        files[f"{SKILL}/manifest.yaml"] = seeds.MANIFEST[0]
        files[f"{SKILL}/modify/src/channels/index.ts"] = "import './whatsapp.js';\n"
    if path == "pyproject.toml":
        files["bot/line.py"] = seeds.LINK
    return {**files, path: content}


@pytest.mark.parametrize("kind", HOST_FILES)
def test_a_file_of_the_host(kind: str) -> None:
    path, texts = HOST_FILES[kind]

    @examples(8)
    @given(mutated(texts))
    def check(content: bytes) -> None:
        with host(bot(path, content)) as root:
            whole_life(root)

    check()


UNITS = {kind: HOST_FILES[kind] for kind in KINDS}


@pytest.mark.parametrize("kind", UNITS)
def test_a_unit_that_is_guarded(kind: str, tmp_path: Path) -> None:
    """``guard --unit`` reads what another wrote, and changes some of it in place."""
    path, texts = UNITS[kind]
    guard = tmp_path / "guard.cjs"

    @examples(10)
    @given(mutated(texts), st.sampled_from(["", "bot"]))
    def check(content: bytes, service: str) -> None:
        with host(bot(path, content)) as root:
            before = tree_of(root)
            words = ["guard", root, "--unit", root / path, "--guard-file", guard]
            words += ["--service", service] if service else []
            if sound(*words, "--dry-run").code == 2:
                assert tree_of(root) == before
            ran = sound(*words)
            if ran.code == 2:
                assert without_state(tree_of(root)) == before, ran
                return
            written = without_state(tree_of(root))
            again = sound(*words)
            assert (again.code, without_state(tree_of(root))) == (ran.code, written), again
            sound("status", root)
            assert sound(*words, "--remove").code == 0
            assert without_state(tree_of(root)) == before

    with pytest.MonkeyPatch.context() as patch:
        # No Node is started for each example; tests/slow/guard proves that the guard loads.
        patch.setattr("skill.guard.node.find_program", lambda *_arguments: None)
        check()


@examples(30)
@given(
    st.one_of(
        odd_json(seeds.MEMORY).map(as_json),
        mutated([json.dumps(seeds.MEMORY)]),
        st.sampled_from([deep_json(100), deep_json(900), deep_json(100_000)]),
    )
)
def test_a_memory_file(content: bytes) -> None:
    name = f"auth{SUFFIX}"
    with host({"bot.mjs": CHANNEL, name: content}) as root:
        sound("status", root)
        sound("status", root, "--format", "json")
        before = tree_of(root)
        ran = sound("reset", root)
        if "cleared" not in ran.out:
            assert tree_of(root) == before, ran
        else:
            assert tree_of(root).keys() == before.keys()
            assert "stopped" not in sound("status", root).out
            assert "nothing to clear" in sound("reset", root).out


@pytest.fixture(scope="module")
def saved_plan(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The plan for the bot that the tests of plans have."""
    plan = tmp_path_factory.mktemp("plan") / "plan.json"
    with host({"bot.mjs": CHANNEL}) as root:
        assert skillgen("apply", root, "--dry-run", "--save-plan", plan).code == 0
    return json.loads(plan.read_text())


def test_a_plan(saved_plan: Any, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"

    @examples(30)
    @given(
        st.one_of(
            odd_json(saved_plan).map(as_json),
            mutated([json.dumps(saved_plan)]),
            odd_values.map(as_json),
            st.sampled_from([deep_json(900), deep_json(100_000)]),
        )
    )
    def check(content: bytes) -> None:
        plan.write_bytes(content)
        with host({"bot.mjs": CHANNEL}) as root:
            before = tree_of(root)
            ran = sound("apply", root, "--plan", plan)
            now = without_state(tree_of(root))
            if ran.code == 2:
                assert now == before, ran
            else:
                assert {path for path in now if now[path] != before.get(path)} <= {
                    "bot.mjs",
                    "whatsapp-reconnect.mjs",
                }
                assert sound("revert", root).code == 0
                assert tree_of(root) == before

    check()


@examples(10)
@given(st.data())
def test_a_record_that_was_changed(data: st.DataObject) -> None:
    """The seal is broken: nothing is done by it, and nothing of the host is lost."""
    with host({"bot.mjs": CHANNEL}) as root:
        assert sound("apply", root).code == 0
        file = root / ".skillgen/state.json"
        genuine = file.read_bytes()
        content = data.draw(mutated([genuine.decode()]))
        name = data.draw(st.sampled_from(["state.json", "journal.json", "state.next"]))
        (root / ".skillgen" / name).write_bytes(content)
        before = tree_of(root)
        for command in ("status", "revert", "apply", "check", "install"):
            ran = sound(command, root)
            if name == "state.json" and content != genuine:
                assert command == "status" or ran.code != 0 or command in ("apply", "check"), ran
                assert {p: f for p, f in tree_of(root).items() if p in before} == before, ran


@pytest.mark.parametrize("kind", ["state", "journal"])
def test_a_record_that_is_sealed_and_odd(kind: str) -> None:
    """What another version of skillgen, or a defect of one, may have sealed."""

    @examples(15)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        with host({"bot.mjs": CHANNEL}) as root:
            assert sound("apply", root).code == 0
            key = keys.load(root)
            assert key is not None
            file = root / ".skillgen/state.json"
            state = keys.unseal(key, "state", file.read_bytes())
            assert state is not None
            state.pop("mac", None)
            step = {
                "path": "bot.mjs", "before": None, "after": "0" * 64, "mode": 420, "owner": [0, 0],
                "staged": ".skillgen-0123abcd-0",
            }  # fmt: skip
            journal = {
                "format": state["format"], "skillgen": "0.1.0", "verb": "apply",
                "phase": data.draw(st.sampled_from(["staging", "committing", "undoing"])),
                "token": "0123abcd", "steps": [step], "made": ["a"], "emptied": ["b"],
            }  # fmt: skip
            odd = data.draw(odd_json(journal if kind == "journal" else state))
            if not isinstance(odd, dict):
                odd = {"format": odd}
            (root / f".skillgen/{kind}.json").write_bytes(keys.seal(key, kind, odd))
            before = (root / "bot.mjs").read_bytes()
            for command in ("status", "revert", "apply"):
                sound(command, root)
            if kind == "journal":
                assert (root / "bot.mjs").read_bytes() in (before, CHANNEL.encode())

    check()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """git's index of a small repository."""
    root = tmp_path_factory.mktemp("repository")
    (root / "bot.mjs").write_text(CHANNEL)
    environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=root, env=environment, check=True)
    return (root / ".git/index").read_bytes()


def test_an_index_of_git(index: bytes) -> None:
    @examples(15)
    @given(
        st.lists(
            st.tuples(st.integers(0, len(index) - 1), st.binary(max_size=6), st.integers(0, 6)),
            min_size=1,
            max_size=4,
        )
    )
    def check(changes: list[tuple[int, bytes, int]]) -> None:
        content = index
        for at, new, gone in changes:
            content = content[:at] + new + content[at + gone :]
        with host({"bot.mjs": CHANNEL, ".git/index": content, ".git/HEAD": "ref: x\n"}) as root:
            assert sound("apply", root).code in (0, 2)
            sound("status", root)
            sound("revert", root)

    check()


@examples(12)
@given(mutated(["NODE_OPTIONS=--enable-source-maps\nA='b c'\n# x\nexport B=\"d\\\ne\"\n"]))
def test_an_environment_file_of_a_unit(content: bytes) -> None:
    unit = UNIT.format(root="/opt/bot").replace("[Service]\n", "[Service]\nEnvironmentFile={env}\n")
    with host({"bot.mjs": CHANNEL, ".env": content}) as root:
        (root / "bot.service").write_text(unit.replace("{env}", str(root / ".env")))
        sound("guard", root, "--unit", root / "bot.service", "--dry-run")
        sound("inspect", root)
