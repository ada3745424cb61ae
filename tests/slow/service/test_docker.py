"""Compose files as YAML reads them, and a stand-in for ``docker`` that keeps two containers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.slow.service.rig import Said

Skillgen = Callable[..., Said]
StandIn = Callable[[str, str], Path]
COMPOSE = """\
services:
  line: # the owner's own
    build: .
    restart: always
    environment:
      - NODE_OPTIONS=--max-old-space-size=512
  db:
    image: postgres
    restart: always
"""
# Its containers are in a file, and an update changes the policy of all.
DOCKER = """\
case "$1" in
  ps) echo one; echo two;;
  inspect) cat {state};;
  update) sed -i 's/"Name": "always"/"Name": "unless-stopped"/' {state};;
  compose) exit {up};;
esac
"""


@pytest.fixture
def file(bot: Path) -> Path:
    (bot / "Dockerfile").write_text('FROM node:22\nCMD ["node", "dist/index.js"]\n')
    path = bot / "compose.yaml"
    path.write_text(COMPOSE)
    return path


def container(name: str, policy: str, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "Id": name,
        "Name": f"/{name}",
        "RestartCount": 4321,
        "State": {"Status": "running"},
        "HostConfig": {"RestartPolicy": {"Name": policy, "MaximumRetryCount": 0}},
        "Config": {"Labels": labels, "WorkingDir": "/app"},
        "Path": "docker-entrypoint.sh",
        "Args": ["node", "dist/index.js"],
        "Mounts": [],
        **more,
    }


@pytest.fixture
def docker(tools: StandIn, tmp_path: Path) -> Callable[..., Path]:
    """Returns the file of its calls."""

    def containers(*found: dict[str, Any], up: int = 0) -> Path:
        state = tmp_path / "containers.json"
        state.write_text(json.dumps(found))
        return tools("docker", DOCKER.format(state=state, up=up))

    return containers


def of_compose(file: Path, service: str, policy: str = "always") -> dict[str, Any]:
    names = {"service": service, "project.config_files": str(file)}
    return container(
        f"bot-{service}-1",
        policy,
        {f"com.docker.compose.{key}": name for key, name in names.items()},
    )


def merged(file: Path) -> Any:
    """The services as compose joins them: what the second file says wins."""
    found = yaml.safe_load(file.read_text())["services"]
    added = file.with_name("compose.override.yaml")
    more = yaml.safe_load(added.read_text())["services"] if added.exists() else {}
    return {name: {**node, **more.get(name, {})} for name, node in found.items()}


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".skillgen" not in path.parts
    }


def test_what_runs_is_changed_in_place_and_the_file_beside_it(
    skillgen: Skillgen, file: Path, docker: Callable[..., Path], bot: Path
) -> None:
    foreign = of_compose(Path("/opt/bot/compose.yaml"), "line")
    calls = docker(of_compose(file, "line"), foreign)
    before = tree(bot)
    said = skillgen("--format", "json")
    assert said.code == 1
    service = said.service
    assert (service["name"], service["manager"], service["kind"]) == ("line", "docker", "compose")
    assert service["state"] == "active (running), container bot-line-1"
    assert service["policy"]["restart"] == "always"
    assert service["started"]["restarts"] == 4321
    [found] = service["findings"]
    assert (found["rule"], found["path"], found["line"]) == (
        "compose-restart-always",
        str(file),
        4,
    )
    assert skillgen("--apply", "--dry-run").code == 0 and tree(bot) == before
    assert "update" not in calls.read_text()
    applied = skillgen("--apply")
    assert applied.code == 0, applied
    assert {path for path in tree(bot) if path not in before} == {"compose.override.yaml"}
    assert file.read_text() == COMPOSE
    assert [(name, node["restart"]) for name, node in merged(file).items()] == [
        ("line", "unless-stopped"),
        ("db", "always"),
    ]
    made = [
        call for call in calls.read_text().splitlines() if call.split()[0] not in ("ps", "inspect")
    ]
    assert made == ["update --restart=unless-stopped bot-line-1"], "and no container is made anew"
    assert skillgen().code == 0
    assert "nothing to do" in skillgen("--apply").out
    assert skillgen("--revert").code == 0
    assert tree(bot) == before
    assert "update --restart=always bot-line-1" in calls.read_text()


def test_the_guard_comes_along_and_goes_with_it(
    skillgen: Skillgen, file: Path, docker: Callable[..., Path], bot: Path
) -> None:
    calls = docker(of_compose(file, "line"))
    before = tree(bot)
    said = skillgen("--apply", "--guard")
    assert said.code == 0, said
    node = merged(file)["line"]
    assert node["restart"] == "unless-stopped"
    assert node["environment"]["NODE_OPTIONS"].endswith("--require=/skillgen-guard/guard.cjs")
    assert "./.skillgen-guard/guard.cjs:/skillgen-guard/guard.cjs:ro" in node["volumes"]
    assert (bot / ".skillgen-guard" / "guard.cjs").exists()
    assert f"cd {bot} && docker compose up -d line" in said.out
    assert skillgen("--format", "json").service["guarded"] is True
    assert skillgen("--apply", "--restart").code == 0
    assert calls.read_text().splitlines().count("compose up -d line") == 1
    assert merged(file)["line"] == node, "the guard stays"
    assert skillgen("--revert").code == 0
    assert tree(bot) == before


def test_the_projects_own_override_is_left_and_told_what_to_add(
    skillgen: Skillgen, file: Path, docker: Callable[..., Path]
) -> None:
    docker()
    own = file.with_name("compose.override.yaml")
    own.write_text("services:\n  line:\n    ports: ['1:1']\n")
    said = skillgen("--apply")
    assert said.code == 1 and f"{own}: is the project's own override" in said.out
    assert "restart: unless-stopped" in said.out
    assert own.read_text() == "services:\n  line:\n    ports: ['1:1']\n"


def test_an_override_that_mends_it_counts(
    skillgen: Skillgen, file: Path, docker: Callable[..., Path]
) -> None:
    docker()
    own = file.with_name("compose.override.yaml")
    own.write_text("services:\n  line:\n    restart: unless-stopped\n")
    said = skillgen("--format", "json")
    assert said.code == 0 and said.service["policy"]["restart"] == "unless-stopped"
    # A container that was made before is still under the old one.
    docker(of_compose(file, "line"))
    [found] = skillgen("--format", "json").service["findings"]
    assert "was made before" in found["message"]


def test_a_container_of_no_compose_is_found_by_what_it_executes(
    skillgen: Skillgen, bot: Path, docker: Callable[..., Path]
) -> None:
    mounts = [{"Type": "bind", "Source": str(bot), "Destination": "/app"}]
    words = {"Args": ["node", "dist/index.js"]}
    other = [{"Type": "bind", "Source": "/opt/bot", "Destination": "/app"}]
    docker(
        container("anything", "always", {}, Mounts=mounts, **words),
        container("bot", "always", {}, Mounts=other, **words),
    )
    service = skillgen("--format", "json").service
    assert (service["name"], service["kind"]) == ("anything", "docker")
    said = skillgen("--apply")
    assert said.code == 1
    assert "docker update --restart=unless-stopped anything" in said.out


def test_a_compose_file_that_nobody_uses_is_no_service_beside_one_that_runs(
    skillgen: Skillgen, file: Path, docker: Callable[..., Path], home: Path, bot: Path
) -> None:
    docker()
    assert skillgen("--format", "json").service["state"] == "no container"
    unit = home / ".config" / "systemd" / "user" / "wa.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(f"[Service]\nExecStart=/usr/bin/node {bot}/dist/index.js\nRestart=always\n")
    assert skillgen("--format", "json").service["name"] == "wa.service"


def test_a_daemon_that_does_not_answer(skillgen: Skillgen, file: Path, tools: StandIn) -> None:
    tools("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    said = skillgen("--format", "json")
    assert said.code == 1 and "Cannot connect" in said.service["state"]
    assert [each["rule"] for each in said.service["findings"]] == ["compose-restart-always"]
    assert skillgen("--apply").code == 0
    assert merged(file)["line"]["restart"] == "unless-stopped"
