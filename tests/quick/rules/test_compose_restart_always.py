"""compose-restart-always: no-op cases first."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.units.compose_restart_always import rule
from tests.quick.rules.service_cases.harness import check_noop, check_transformed, look

FILE = "docker-compose.yml"
DOCKERFILE = 'FROM node:20\nWORKDIR /app\nCOPY . .\nCMD ["node", "dist/index.js"]\n'
REDIS = "  redis:\n    image: redis:7\n    restart: always\n"


def compose(bot: str, rest: str = REDIS, head: str = "") -> str:
    """A compose file: the keys of the service ``bot``, and what stands around it."""
    lines = "".join(f"    {line}\n" for line in bot.splitlines())
    return f"{head}services:\n  bot:\n{lines}{rest}"


NOOP = {
    "unless-stopped is right": compose("build: .\nrestart: unless-stopped"),
    "on-failure stays": compose("build: .\nrestart: on-failure:5"),
    "no stays": compose('build: .\nrestart: "no"'),
    "no policy": compose("build: ."),
    "a comment": compose("build: .\n# restart: always"),
    "Swarm's policy": compose("build: .\ndeploy:\n  restart_policy:\n    condition: any"),
    "a side service alone": "services:\n" + REDIS,
    "another image": compose("image: ollama/ollama:latest\nrestart: always"),
    "another folder": compose("build: ./web\nrestart: always"),
    "another program of the host": compose(
        "build: .\ncommand: node dist/dashboard.js\nrestart: always"
    ),
    "another program, as a list": compose(
        "build: .\ncommand: ['sh', '-c', 'scripts/backup.sh']\nrestart: always"
    ),
    "built elsewhere": compose("build: https://github.com/x/y.git\nrestart: always"),
    "no services": "restart: always\nx: {build: .}\n",
    "a key of another kind": compose("build: .\nrestart:\n  always: true"),
    "not in services": "x-bot:\n  build: .\n  restart: always\nservices:\n" + REDIS,
}


@pytest.mark.parametrize("text", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {FILE: text, "Dockerfile": DOCKERFILE})
    assert not hand_offs


def test_what_is_left_is_said(tmp_path: Path) -> None:
    files = {FILE: NOOP["Swarm's policy"], "Dockerfile": DOCKERFILE}
    _, patch = check_noop(tmp_path, files)
    assert [(note.kind, note.line) for note in patch.notes] == [("left", 2), ("side-service", 7)]
    assert "reboot" in patch.notes[0].message


CHANGED = {
    "plain": "build: .\nrestart: always",
    "double quotes": 'build: .\nrestart: "always"',
    "single quotes": "build: .\nrestart: 'always'",
    "a comment behind": "build: .\nrestart: always  # forever",
    "a variable's default": "build: .\nrestart: ${RESTART:-always}",
    "a long build": "build:\n  context: .\n  dockerfile: Dockerfile\nrestart: always",
    "a command": "image: node:20\ncommand: node dist/index.js\nrestart: always",
    "a command as a list": 'image: node:20\ncommand: ["npm", "start"]\nrestart: always',
    "a command through a shell": "image: node:20\n"
    'command: sh -c "npm ci && npm run start"\nrestart: always',
    "its own image": "image: ghcr.io/me/bot:1.2\nrestart: always",
    "its own image by a variable": "image: ${IMAGE:-me/bot:latest}\nrestart: always",
    "on one line": "{build: ., restart: always}",
    "foreign letters before": "labels: {name: 'Böt 🤖'}\nbuild: .\nrestart: always",
}


@pytest.mark.parametrize("bot", CHANGED.values(), ids=CHANGED.keys())
@pytest.mark.parametrize("path", [FILE, "compose.yaml", "deploy/docker-compose.prod.yml"])
def test_changed(tmp_path: Path, bot: str, path: str) -> None:
    if path.startswith("deploy/"):
        bot = bot.replace("build: .", "build: ..").replace("context: .", "context: ..")
    before = compose(bot)
    patch = check_transformed(
        tmp_path,
        path,
        before,
        before.replace("always", "unless-stopped", 1),
        others={"Dockerfile": DOCKERFILE},
    )
    assert [finding.rule for finding in patch.findings] == [rule.id]


def test_crlf_and_missing_final_newline(tmp_path: Path) -> None:
    before = "services:\r\n  bot:\r\n    image: bot\r\n    restart: always"
    check_transformed(tmp_path, FILE, before, before.replace("always", "unless-stopped"))


DOCKERFILES = {
    "a shell form": "FROM node\nCMD npm start\n",
    "an init": 'FROM node\nENTRYPOINT ["tini", "--"]\nCMD ["node", "dist/index.js"]\n',
    "a stage": "FROM node AS base\nCMD node dist/index.js\nFROM base\nRUN true\n",
    "continued": 'FROM node\nCMD ["node", \\\n  # the bot\n  "dist/index.js"]\n',
    "a script": 'FROM node\nCOPY docker/run.sh /usr/bin/run.sh\nENTRYPOINT ["/usr/bin/run.sh"]\n',
    "an entrypoint that runs its arguments": 'FROM node\nENTRYPOINT ["docker-entrypoint.sh"]\n'
    'CMD ["node", "dist/index.js"]\n',
    "nothing that is known, and no other service": 'FROM node\nCMD ["pm2-runtime", "app.json"]\n',
}


@pytest.mark.parametrize("text", DOCKERFILES.values(), ids=DOCKERFILES.keys())
def test_what_the_image_runs(tmp_path: Path, text: str) -> None:
    before = compose("build: .\nrestart: always")
    others: dict[str, str | bytes] = {
        "Dockerfile": text,
        "docker/run.sh": "#!/bin/sh\nexec node dist/index.js\n",
    }
    after = before.replace("always", "unless-stopped", 1)
    check_transformed(tmp_path, FILE, before, after, others=others)


def test_an_image_of_another_program(tmp_path: Path) -> None:
    files = {
        FILE: compose("build: .\nrestart: always"),
        "Dockerfile": 'FROM node\nCMD ["node", "dist/dashboard.js"]\n',
    }
    hand_offs, _ = check_noop(tmp_path, files)
    assert not hand_offs


def test_override_files_know_what_they_add_to(tmp_path: Path) -> None:
    before = "services:\n  bot:\n    restart: always\n" + REDIS
    after = before.replace("always", "unless-stopped", 1)
    others: dict[str, str | bytes] = {
        FILE: compose("build: .", "  redis:\n    image: redis:7\n"),
        "Dockerfile": DOCKERFILE,
    }
    check_transformed(tmp_path, "docker-compose.prod.yml", before, after, others=others)


HEAD = "x-defaults: &defaults\n  restart: always\n  logging: {driver: local}\n"
MERGED = "<<: *defaults\nbuild: ."


def test_anchor_of_the_bot_alone(tmp_path: Path) -> None:
    before = compose(MERGED, head=HEAD)
    after = before.replace("always", "unless-stopped", 1)
    check_transformed(tmp_path, FILE, before, after, others={"Dockerfile": DOCKERFILE})


def test_anchor_shared_with_others(tmp_path: Path) -> None:
    rest = "  redis:\n    <<: *defaults\n    image: redis:7\n"
    before = compose(MERGED, rest, HEAD)
    after = before.replace(
        "    <<: *defaults\n    build", "    <<: *defaults\n    restart: unless-stopped\n    build"
    )
    check_transformed(tmp_path, FILE, before, after, others={"Dockerfile": DOCKERFILE})


def test_value_by_an_alias(tmp_path: Path) -> None:
    rest = "  redis:\n    image: redis:7\n    restart: *policy\n"
    before = compose("build: .\nrestart: *policy", rest, "x-policy: &policy always\n")
    after = before.replace("*policy", "unless-stopped", 1)
    check_transformed(tmp_path, FILE, before, after, others={"Dockerfile": DOCKERFILE})


HAND_OFFS = {
    "an anchor that others use": (
        compose("build: .\nrestart: &policy always", REDIS.replace("always", "*policy")),
        "redis shares this value",
    ),
    "a computed image": (compose("image: ${IMAGE}\nrestart: always", ""), "computed"),
    "a program that is not known": (
        compose("build: .\ncommand: ${START}\nrestart: always", ""),
        "cannot tell",
    ),
    "two services of one image": (
        compose("build: .\nrestart: always", "  job:\n    build: .\n    command: node x.js\n"),
        "names no command",
    ),
    "no YAML": (compose("build: .\nrestart: always", "  redis: {{ redis }}: x\n"), "as YAML"),
}


@pytest.mark.parametrize(("text", "reason"), HAND_OFFS.values(), ids=HAND_OFFS.keys())
def test_handed_off(tmp_path: Path, text: str, reason: str) -> None:
    dockerfile = "" if "job" in text else DOCKERFILE
    hand_offs, _ = check_noop(tmp_path, {FILE: text, "Dockerfile": dockerfile})
    assert [finding.rule for finding in hand_offs] == [rule.id]
    assert reason in hand_offs[0].reason
    assert hand_offs[0].line == text[: text.index("restart:")].count("\n") + 1


@pytest.mark.parametrize("path", ["install.sh", "README.md"])
def test_scripts_and_documents_that_repeat_it(tmp_path: Path, path: str) -> None:
    body = compose("build: .\nrestart: always")
    before = (
        f"#!/bin/sh\ncat > docker-compose.yml <<EOF\n{body}EOF\n"
        if path.endswith(".sh")
        else f"# Run it\n\n```yaml\n{body}```\n\nrestart: always is a bad idea.\n"
    )
    after = before.replace("always", "unless-stopped", 1)
    check_transformed(tmp_path, path, before, after, others={"Dockerfile": DOCKERFILE})


def test_folder_without_a_channel_is_left(tmp_path: Path) -> None:
    files = {FILE: compose("build: .\nrestart: always"), "src/whatsapp.ts": "export {};\n"}
    _, patch = check_noop(tmp_path, {**files, "Dockerfile": DOCKERFILE})
    assert not patch.notes and not patch.findings


def test_only_skill_assets(tmp_path: Path) -> None:
    text = compose("image: bot\nrestart: always")
    asset = ".claude/skills/add-docker/add/docker-compose.yml"
    patch = look(tmp_path, {FILE: text, asset: text}, only_skill_assets=True)
    assert set(patch.edits) == {asset}


def test_hostile_text(tmp_path: Path) -> None:
    bomb = "".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" for n in range(1, 60))
    text = "x0: &x0 restart\n" + bomb + "loop: &loop\n  - *loop\nservices:\n" + REDIS
    check_noop(tmp_path, {FILE: text})


BUILD = "docker build -t me/wa-bot:1 .\n"
RUNS = {
    "plain": "docker run -d --restart=always --name x me/wa-bot:1\n",
    "in two words, over lines": "docker run -d \\\n  --restart always \\\n  -v a:/b me/wa-bot:1\n",
    "the project's name": "docker run -d --restart always bot\n",
}


@pytest.mark.parametrize("text", RUNS.values(), ids=RUNS.keys())
def test_docker_run_is_handed_off(tmp_path: Path, text: str) -> None:
    files = {"deploy.sh": "#!/bin/sh\n" + BUILD + text, "Dockerfile": DOCKERFILE}
    hand_offs, _ = check_noop(tmp_path, files)
    assert [(f.rule, f.path) for f in hand_offs] == [(rule.id, "deploy.sh")]
    assert "docker update" in hand_offs[0].accept


def test_docker_run_in_a_document_is_noted(tmp_path: Path) -> None:
    files = {"README.md": f"```\n{BUILD}{RUNS['plain']}```\n", "Dockerfile": DOCKERFILE}
    hand_offs, patch = check_noop(tmp_path, files)
    assert not hand_offs
    assert [(note.path, note.line, note.kind) for note in patch.notes] == [("README.md", 3, "left")]


@pytest.mark.parametrize(
    "text",
    [
        "docker run -d --restart=always redis:7\n",
        "# docker run -d --restart=always me/wa-bot:1\n",
        "docker run -d --restart=unless-stopped me/wa-bot:1\n",
        "docker run --rm me/wa-bot:1; other --restart=always\n",
    ],
)
def test_other_docker_runs_are_left(tmp_path: Path, text: str) -> None:
    files = {"deploy.sh": "#!/bin/sh\n" + BUILD + text, "Dockerfile": DOCKERFILE}
    hand_offs, patch = check_noop(tmp_path, files)
    assert not hand_offs
    assert not patch.notes
