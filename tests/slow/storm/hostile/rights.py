"""``python rights.py``, beside the folder ``skill``: what each fence that works lets be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from skill.storm import fence

LOOK = """
import json, os
with open("/proc/self/status") as file:
    rows = dict(line.split(":\\t", 1) for line in file.read().splitlines() if ":\\t" in line)
rights = [name for name in rows if name.startswith("Cap") and int(rows[name], 16)]
others = [name for name in os.listdir("/proc") if name.isdigit()]
secret = "TOKEN" in os.environ or os.path.exists(FILE)
said = {"rights": rights, "processes": len(others), "secret": secret}
os.write(3, json.dumps(said).encode())
"""


def look(one: fence.Fence) -> object:
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / "work").mkdir()
        reading, writing = os.pipe()
        code = LOOK.replace("FILE", repr(__file__))
        words = one.command(
            [sys.executable, "-I", "-S", "-c", code],
            reads=(),
            place=place,
            work=place / "work",
            limits=fence.Limits(memory=1 << 29, cpu_s=10, threads=64),
            answers=writing,
        )
        own = fence.environment(place / "work")
        subprocess.run(words, cwd="/", pass_fds=(writing,), env=own, check=True)
        os.close(writing)
        return json.loads(os.read(reading, 1 << 12))


found = {one.kind: look(one) for one in fence.candidates() if not fence.problem(one)}
print(json.dumps({"fences": found, "words": fence.find().words}))
