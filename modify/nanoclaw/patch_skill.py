"""A patch skill: how a change of what an update copies anew lasts in a NanoClaw fork.

NanoClaw's own model (``skills-model.md``, November 2026) is that every change of a fork is a
skill: it brings its code, says how it is applied and removed, and has a test for each place where
it reaches into the host. This one is registered as the skills of channels are, by an import in
their list, so that an update applies it after the skill that copies the channel anew; the test is
the one that lies beside the module. Where the engine of a host runs no ``effect:refresh``, or the
channel has become another one, that test is what goes red.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modify.nanoclaw.updates import payloads
from skill.host import Host
from skill.render.typescript import module_identity

IMPORT = re.compile(r"import (?P<quote>['\"])\./(?P<name>[a-z0-9-]+)\.js(?P=quote);?")
CALLED = re.compile(rb"['\"](\./[a-z0-9-]*reconnect)\.js['\"]")
PLAIN = re.compile(r"[\w./-]+")
PATCH, SCRIPT = "channel.patch", "apply.sh"

DESCRIPTION = (
    "Keeps this fork's WhatsApp reconnects paced, so that the number is not blocked. A patch "
    "skill, to apply after the WhatsApp adapter was copied anew or when {test} is red."
)
PAGE = """\
---
name: {name}
description: {description}
---

# Keep WhatsApp's reconnects paced

The adapter on the registry branch reconnects to WhatsApp as fast as it can, which gets the number
blocked. In this fork every connection attempt goes through `{module}`. An update copies
`{channel}` anew, and this skill patches it again. Every step is safe to re-run.

## Apply

### 1. Copy the module

Copy {copied} from this skill's folder, over what is there:

```nc:copy
{copies}
```

### 2. Register the skill

Append this line to `{barrel}` unless it is there. The module does nothing when it is
imported; the line is how an update knows that this skill is installed.

```nc:append to:{barrel}
{line}
```

### 3. Patch the adapter

{how}

```nc:run effect:refresh
sh {script}
```

### 4. Build and validate

{validation}## Remove

See [REMOVE.md](REMOVE.md).
"""
BY_PATCH = """\
Run `sh {script}`.
It applies `{patch}` with git, unless the adapter is patched already.
Where the patch does not fit because the adapter has changed, skillgen patches the adapter anew and
brings this skill along (`{launcher} apply .`, then `install .`)."""
BY_COMMAND = """\
Run `sh {script}`.
With it skillgen patches the adapter, unless it is patched already, and brings this skill along
(`{launcher} apply .`, then `install .`)."""
APPLY = """\
#!/bin/sh
# Patches {channel} after it was copied anew; a second time it changes nothing.
# Run it in the root of the fork.
{with_git}skillgen={launcher}
# Status 1 says that something is left for a person; what is wrong is 2 or more.
"$skillgen" apply .
[ $? -le 1 ] || exit 1
"$skillgen" install .
[ $? -le 1 ]
"""
WITH_GIT = """\
patch={patch}
git apply --reverse --check "$patch" 2>/dev/null && exit 0
git apply "$patch" && exit 0
"""
BUILD = """\
The build checks the types of adapter and module:

```nc:run effect:build
{build}
```

"""
TEST = """\
The test goes red where a call of the adapter does not go through the module:

```nc:run effect:test
{test}
```

"""
REMOVE = """\
# Remove the pacing of WhatsApp's reconnects

Safe to re-run even if some pieces are already gone. `{launcher} revert .` does it, too, where the
patch was applied on this machine.

1. Put `{channel}` back as the registry branch has it{reverse}
2. Delete the line `{line}` from `{barrel}`.
3. Delete the copied files and this folder:

   ```bash
   rm -rf {gone}
   ```
"""
REVERSE = """:

   ```bash
   git apply --reverse {patch}
   ```
"""


@dataclass(frozen=True, slots=True)
class Patched:
    """A channel that an update copies anew, and that calls an added module.

    channel, module: their paths. barrel: the file whose imports say which skills are installed;
    line: the import that says so of this one.
    """

    channel: str
    module: str
    barrel: str
    line: str

    @property
    def name(self) -> str:
        """The skill's name: an update takes it from the import."""
        return f"add-{posixpath.splitext(posixpath.basename(self.module))[0]}"

    @property
    def folder(self) -> str:
        return f".claude/skills/{self.name}"


@dataclass(frozen=True, slots=True)
class Commands:
    """How this host is built and tested. launcher: how skillgen is started in its root."""

    launcher: str
    build: str | None
    test: str


def patched_channel(host: Host) -> Patched | None:
    """The patched channel of a host whose updates apply patch skills; None without one."""
    for payload in payloads(host):
        for channel in payload.files if payload.by_update else ():
            module = module_of(host, channel) if PLAIN.fullmatch(channel) else ""
            for barrel, line in payload.imports if module else ():
                own = import_of(channel, module, barrel, line)
                if own is not None and host.exists(barrel) and PLAIN.fullmatch(barrel):
                    return Patched(channel, module, barrel, own)
    return None


def module_of(host: Host, channel: str) -> str:
    """The added module beside a channel that imports it; "" without one."""
    found = CALLED.search(host.read(channel)) if host.exists(channel) else None
    if found is None:
        return ""
    folder = posixpath.dirname(channel)
    module = posixpath.normpath(posixpath.join(folder, f"{found[1].decode()}.ts"))
    is_own = host.exists(module) and module_identity(host.read(module).decode("utf-8", "replace"))
    return module if is_own else ""


def import_of(channel: str, module: str, barrel: str, line: str) -> str | None:
    """The import of the module, like the one of the channel that lies beside it."""
    found = IMPORT.fullmatch(line)
    folders = {posixpath.dirname(path) for path in (channel, module, barrel)}
    name = posixpath.splitext(posixpath.basename(channel))[0]
    if found is None or found["name"] != name or len(folders) > 1:
        return None
    stem = posixpath.splitext(posixpath.basename(module))[0]
    return line.replace(f"./{name}.js", f"./{stem}.js")


def files_of(
    host: Host, patched: Patched, patch: bytes | None, commands: Commands
) -> Mapping[str, bytes]:
    """The files of the skill, by path. patch: what git applies to the channel as it is copied."""
    folder = patched.folder
    copied = [path for path in (patched.module, test_of(patched)) if host.exists(path)]
    files = {f"{folder}/add/{path}": host.read(path) for path in copied}
    if patch is not None:
        files[f"{folder}/{PATCH}"] = patch
    files[f"{folder}/{SCRIPT}"] = script(patched, patch is not None, commands).encode()
    files[f"{folder}/REMOVE.md"] = removal(patched, patch is not None, copied, commands).encode()
    files[f"{folder}/SKILL.md"] = page(patched, patch is not None, copied, commands).encode()
    return files


def test_of(patched: Patched) -> str:
    return patched.module.removesuffix(".ts") + ".test.ts"


def page(patched: Patched, has_patch: bool, copied: list[str], commands: Commands) -> str:
    own = {"script": f"{patched.folder}/{SCRIPT}", "patch": f"{patched.folder}/{PATCH}"}
    how = BY_PATCH if has_patch else BY_COMMAND
    return PAGE.format(
        name=patched.name,
        description=DESCRIPTION.format(test=posixpath.basename(test_of(patched))),
        module=patched.module,
        channel=patched.channel,
        barrel=patched.barrel,
        line=patched.line,
        copied=" and ".join(f"`{posixpath.basename(path)}`" for path in copied),
        copies="\n".join(f"add/{path} -> {path}" for path in copied),
        how=how.format(launcher=commands.launcher, **own),
        script=own["script"],
        validation="".join(checks(patched, copied, commands)),
    )


def script(patched: Patched, has_patch: bool, commands: Commands) -> str:
    with_git = WITH_GIT.format(patch=f"{patched.folder}/{PATCH}") if has_patch else ""
    return APPLY.format(channel=patched.channel, with_git=with_git, launcher=commands.launcher)


def checks(patched: Patched, copied: list[str], commands: Commands) -> Iterator[str]:
    if commands.build:
        yield BUILD.format(build=commands.build)
    if test_of(patched) in copied:
        yield TEST.format(test=f"{commands.test} {test_of(patched)}")


def removal(patched: Patched, has_patch: bool, copied: list[str], commands: Commands) -> str:
    reverse = REVERSE.format(patch=f"{patched.folder}/{PATCH}") if has_patch else ".\n"
    return REMOVE.format(
        launcher=commands.launcher,
        channel=patched.channel,
        reverse=reverse.rstrip("\n"),
        line=patched.line,
        barrel=patched.barrel,
        gone=" ".join([*copied, patched.folder]),
    )
