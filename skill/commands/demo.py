"""A host to try skillgen on: a copy of the bundled one in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from skill.errors import SkillgenError

# An installed skillgen carries the host as package data; a checkout has it as a fixture.
PLACES = (
    Path(__file__).parents[1] / "demo_host",
    Path(__file__).parents[2] / "tests" / "hosts" / "v1-class",
)
LEFT_OUT = shutil.ignore_patterns("fixture.toml", "node_modules", "dist", ".skillgen")


def copy_host() -> Path:
    """The new folder. Raises SkillgenError when it cannot be made."""
    source = next((place for place in PLACES if place.is_dir()), None)
    if source is None:
        raise SkillgenError("the demo host is not part of this installation; install skillgen anew")
    try:
        target = Path(tempfile.mkdtemp(prefix="skillgen-demo-")).resolve() / "host"
        shutil.copytree(source, target, ignore=LEFT_OUT)
        for path in [target, *target.rglob("*")]:
            # An installation may be read-only; its copy is not.
            path.chmod(path.stat().st_mode | 0o200)
    except OSError as error:
        raise SkillgenError(f"the demo host cannot be copied ({error.strerror})") from error
    return target
