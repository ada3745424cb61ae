"""The Baileys in one file that bots are started with is the one of the node tools."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.slow.baileys.harness import BAILEYS, one_file

EXPORTS = """
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
const file = join(process.argv[1], 'lib', 'index.js');
const found = await import(pathToFileURL(file));
const description = readFileSync(join(process.argv[1], 'package.json'));
const { name, version, type, main } = JSON.parse(description);
const kinds = Object.keys(found).sort().map((key) => [key, typeof found[key], found[key]?.name]);
console.log(JSON.stringify([{ name, version, type, main }, kinds]));
"""


def exports(package: Path) -> object:
    """What a package says of itself, and each export: its name, its kind, its own name."""
    command = ["node", "--input-type=module", "--eval", EXPORTS, str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("package", BAILEYS.values(), ids=BAILEYS)
def test_it_is_the_same_package(node_tools: Path, package: str) -> None:
    quick = exports(one_file(node_tools) / package)
    assert quick == exports(node_tools / "node_modules" / package)


@pytest.mark.parametrize("package", BAILEYS.values(), ids=BAILEYS)
def test_v8_takes_what_it_has_compiled(node_tools: Path, package: str) -> None:
    """Else each start compiles it once more."""
    load = one_file(node_tools) / package / "lib" / "load.mjs"
    code = f"const {{ script }} = await import({json.dumps(load.as_uri())});"
    code += "console.log(script.cachedDataRejected);"
    command = ["node", "--input-type=module", "--eval", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "false", done.stderr
