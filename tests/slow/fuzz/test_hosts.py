"""Channels of any shape, whole or broken: patched or handed off, and taken back to the byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.slow.faults.cases import CHANNEL
from tests.slow.fuzz import seeds
from tests.slow.fuzz.harness import examples, host, whole_life
from tests.slow.fuzz.mutations import mutated


@examples(35)
@given(
    mutated(seeds.TYPESCRIPT),
    st.sampled_from(
        ["bot.mjs", "src/line.ts", "src/line.js", "bot.cjs", "src/line.tsx", "a b.mts"]
    ),
)
def test_a_typescript_channel(content: bytes, path: str) -> None:
    with host({path: content}) as root:
        whole_life(root)


@examples(35)
@given(mutated(seeds.PYTHON), st.sampled_from(["bot.py", "bot/line.py"]))
def test_a_python_channel(content: bytes, path: str) -> None:
    with host({path: content, "pyproject.toml": seeds.PYPROJECT[0]}) as root:
        whole_life(root)


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12
).filter(lambda name: name.strip(". ") != "")


@examples(15)
@given(NAMES, NAMES, st.sampled_from([*seeds.TYPESCRIPT]))
def test_names_of_any_kind(folder: str, name: str, content: str) -> None:
    with host({f"{folder}/{name}.ts": content}) as root:
        whole_life(root)


@examples(12)
@given(
    st.lists(
        st.tuples(st.sampled_from(["bot.mjs", "line.ts", "lib/wa.js", "x.test.ts"]),
                  mutated([*seeds.TYPESCRIPT, "export { makeWASocket } from 'baileys';\n"])),
        max_size=4,
    ),
    st.sampled_from([*seeds.SYSTEMD]),
)  # fmt: skip
def test_hosts_of_several_files(files: list[tuple[str, bytes]], unit: str) -> None:
    with host({**dict(files), "bot.service": unit, "start.mjs": CHANNEL}) as root:
        whole_life(root)
