"""The program that a unit starts: the host itself, something else, or unknown.

A wrong guess either leaves a storm or stops the restarts of an unrelated database, so
everything that is not plainly one or the other is "unknown" and becomes a hand-off.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from modify.units.bot_project import BotProject
from modify.units.managers.launchd import LaunchdUnit
from modify.units.managers.systemd import SystemdUnit
from modify.units.model import Resolver, UnitText, resolves_nothing
from modify.units.shell_loops import loops
from modify.units.started import Started
from skill.source_paths import SCRIPTS

# As long as those of modify.kit.project.
HOLE = (
    r"\$\{[^}]{0,999}\}|\$\([^)]{0,999}\)|\{\{.{0,999}?\}\}|\{%.{0,999}?%\}|\$\w+"
    r"|\{[^{}\s]*\}|@\w+@|<[\w -]+>|__[A-Z_]+__"
)
ONLY_HOLE = re.compile(f"(?:{HOLE})$|[A-Z]+(?:_[A-Z]+)*_HERE$")
WORD = re.compile(rf"(?:{HOLE}|\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|[^\s'\"\\])+", re.DOTALL)
NODE = re.compile(r"node(js)?[\d.]*|nodemon|babel-node|tsx|ts-node|ts-node-dev|tsnd|bun|deno")
PYTHON = re.compile(r"python[\d.]*|pypy[\d.]*")
SHELLS = ("sh", "bash", "zsh", "dash", "ash")
# Wrappers that exec their arguments -> how many of these, options aside, are their own.
WRAPPERS = {
    **dict.fromkeys(("exec", "nice", "ionice", "nohup", "setsid", "env", "caffeinate"), 0),
    **dict.fromkeys(("cross-env", "cross-env-shell", "env-cmd"), 0),
    **dict.fromkeys(("dotenv", "xvfb-run", "systemd-inhibit", "uv", "poetry", "pipenv"), 0),
    **dict.fromkeys(("timeout", "sudo", "npx", "bunx", "uvx", "stdbuf", "time", "tini"), 0),
}
MANAGERS = ("npm", "pnpm", "yarn", "bun")
# Options of node, python and the package managers that take a value behind a blank.
TAKES_VALUE = {"-r", "--require", "--import", "--loader", "--env-file", "-C", "--prefix"}
TAKES_VALUE |= {
    "--exec",
    "--dir",
    "--cwd",
    "-W",
    "-X",
    "-u",
    "-n",
    "--experimental-loader",
    "--tsconfig",
}
# Of uv and its like, which run a program in an environment that they keep.
RUN_OPTIONS = {"--directory", "--project", "--python", "--with", "--group", "--extra"}
WORKSPACE_OPTIONS = {"--filter", "-F", "--workspace"}
FOLDER_OPTIONS = {"-C", "--prefix", "--dir", "--cwd"}
PREPARATIONS = {"cd", "export", "source", ".", "set", "umask", "mkdir", "sleep", "ulimit", "echo"}
PREPARATIONS |= {"trap", "rm", "touch", "chmod", "true", ":", "exit", "wait", "if", "fi", "test"}
PREPARATIONS |= {"done", "break", "[", "[[", "}", ")", "printf"}
# Words of the shell that a command may follow.
BEFORE_COMMAND = {"do", "then", "else", "while", "until", "!", "{", "("}
SIDE_WORD = re.compile(r"dashboard|backup|web-?ui|metrics|exporter|tunnel|watchdog|migrat|prune")
RUNS = re.compile(
    r"(?:^|[-_])(?:gateway|run|start|serve|server|service|bot|daemon|up|agent|worker|main"
    r"|whatsapp|wa|listen|listener|channels?|launch|foreground|all|chat)(?:$|[-_])"
)
ENTRY_MODULES = re.compile(r"(?:__main__|main|app|cli|bot|run|server|gateway|daemon|cli\.\w+)$")
HOST_LIKE = re.compile(r"(?:(?:dist|build|out|lib|src)/)*(?:index|main|app|bot|server)\.\w+$")
ENTRY_SCRIPTS = ("main.py", "app.py", "bot.py", "run.py", "__main__.py")
# The package's own folder: node ., node ./
FOLDER = re.compile(r"\.(?:/\.?)*")
DEEPEST = 8
PIPE = "a pipe hides its exit status: the last command's counts"


def started_by(unit: SystemdUnit | LaunchdUnit, project: BotProject) -> Started:
    reader = Reader(project, unit.text.resolve, unit.folder)
    if isinstance(unit, LaunchdUnit):
        words = unit.arguments
        if not words:
            return Started("unknown", "", unit.problem or "it names no program")
        return reader.command(words)
    if unit.command is None:
        if unit.base is not None:
            return started_by(unit.base, project)
        return Started("unknown", "", "it names no program")
    return reader.command(split(unit.command.source.lstrip("-@:+!|")))


def split(text: str) -> list[str]:
    """Words of a command line; a hole stays whole, quotes around a word are taken off."""
    return [unquote(word) for word in WORD.findall(text)]


def unquote(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"":
        return word[1:-1].replace('\\"', '"')
    return word


def without_run_options(words: list[str]) -> list[str]:
    """What ``uv run --directory /opt/bot python -m bot`` runs; a module stays with its ``-m``."""
    left = list(words)
    while left and left[0].startswith("-") and left[0] != "-m":
        option = left.pop(0)
        if option in (TAKES_VALUE | RUN_OPTIONS) and left:
            left.pop(0)
    return left


def program_name(word: str) -> str:
    """``/usr/bin/node`` → node, ``${nodePath}`` and ``NODE_PATH_HERE`` → node, too."""
    if not ONLY_HOLE.match(word):
        return posixpath.basename(word).lower()
    inner = word.strip("${}()<>@_% ").lower()
    for name in ("tsx", "bun", "node", "python", "npm", "pnpm", "yarn", "uv", "poetry"):
        if re.search(rf"(^|[^a-z]){name}($|[^a-z]|path|bin|exe|cmd)", inner):
            return name
    if inner in ("process.execpath", "execpath"):
        return "node"
    return "python" if inner in ("sys.executable", "venv_python", "py") else ""


@dataclass(frozen=True)
class Reader:
    """Reads command lines of one unit."""

    project: BotProject
    resolve: Resolver = resolves_nothing
    folder: str = ""
    depth: int = 0
    known: dict[tuple[str, ...], Started] = field(default_factory=dict, repr=False)
    """Commands by folder and words: scripts that call one another are each read once."""

    def deeper(self, folder: str | None = None) -> Reader:
        where = self.folder if folder is None else folder
        return Reader(self.project, self.resolve, where, self.depth + 1, self.known)

    def command(self, words: list[str]) -> Started:
        key = (self.folder, *words)
        if key not in self.known:
            ring = "its scripts call one another in a circle"
            self.known[key] = Started("unknown", " ".join(words), ring)
            self.known[key] = self.read(words)
        return self.known[key]

    def read(self, words: list[str]) -> Started:
        what = " ".join(words)
        if self.depth > DEEPEST:
            return Started("unknown", what, "it goes through too many scripts")
        if not words:
            return Started("unknown", what, "it names no program")
        if "--" in words[1:] and program_name(words[0]) not in MANAGERS:
            return self.deeper().command(words[words.index("--", 1) + 1 :])
        name, rest = program_name(words[0]), words[1:]
        if name == "sg" and "-c" in rest[:-1]:
            return self.deeper().shell(rest[rest.index("-c") + 1])
        if name in SHELLS:
            return self.shell_program(rest, what)
        if name in MANAGERS and not (name == "bun" and names_script(rest)):
            return self.package_manager(name, rest, what)
        if name in WRAPPERS:
            return self.wrapped(rest)
        if NODE.fullmatch(name):
            return self.node(rest, what)
        if PYTHON.fullmatch(name):
            return self.python(rest, what)
        return self.other(words, name, what)

    def wrapped(self, rest: list[str]) -> Started:
        words = list(rest)
        while words and (words[0].startswith("-") or re.match(r"\w+=|[\d.]+[smh]?$", words[0])):
            option = words.pop(0)
            if option in (TAKES_VALUE | RUN_OPTIONS) and words:
                words.pop(0)
        if words and words[0] in ("run", "exec"):
            words = without_run_options(words[1:])
        if words[:1] == ["-m"]:
            return self.deeper().python(words, " ".join(words))
        return self.deeper().command(words)

    def node(self, rest: list[str], what: str) -> Started:
        words = list(rest)
        while words and (words[0].startswith("-") or words[0] in ("watch", "run")):
            option = words.pop(0)
            if option in TAKES_VALUE and words:
                words.pop(0)
        if not words:
            return Started("unknown", what, "no script is named")
        return self.script(words[0], what)

    def script(self, path: str, what: str) -> Started:
        """A file that an interpreter runs."""
        if ONLY_HOLE.match(path):
            meant = self.resolve(path)
            if len(meant) == 1 and not ONLY_HOLE.match(meant[0]):
                return self.deeper().script(meant[0], what)
            if not meant:
                return Started("unknown", what, f"{path} is computed")
            return Started("unknown", what, f"{path} may be one of {len(meant)} files")
        joined = re.match(r"\$\{(.*\(.*\))\}$", path, re.DOTALL)
        if joined and (meant := self.resolve(path)):
            return self.deeper().script(meant[0], what)
        if FOLDER.fullmatch(path):
            return self.folder_program(path, what)
        own = self.project.own_file(path, self.folder)
        if own is None:
            if re.match(HOLE, path) and not SIDE_WORD.search(path):
                return Started("unknown", what, f"{path} is not a file of this project")
            return Started("side", what)
        if self.project.is_entry(own) or own in ENTRY_SCRIPTS:
            return Started("host", what)
        if HOST_LIKE.match(own):
            why = f"package.json does not name {own}, and it imports no WhatsApp channel"
            return Started("unknown", what, why)
        return Started("side", what)

    def folder_program(self, path: str, what: str) -> Started:
        """``node .``: the program of the package in the working directory."""
        end = self.folder.rstrip("/").rpartition("/")[2]
        inside = (folder for folder in (self.folder, end) if self.project.package_in(folder))
        main = self.project.main_of(next(inside, ""))
        if main is None:
            return Started("unknown", what, f"{path} names no program: package.json has no main")
        if self.project.is_entry(main):
            return Started("host", what)
        return Started("unknown", what, f"{main} imports no WhatsApp channel")

    def python(self, rest: list[str], what: str) -> Started:
        words = list(rest)
        while words and words[0].startswith("-") and words[0] != "-m":
            option = words.pop(0)
            if option in ("-W", "-X") and words:
                words.pop(0)
        if not words:
            return Started("unknown", what, "no script is named")
        if words[0] != "-m":
            return self.script(words[0], what)
        module, arguments = words[1] if len(words) > 1 else "", words[2:]
        if self.project.module_file(module) is None:
            known = not ONLY_HOLE.match(module)
            return Started("side" if known else "unknown", what, "the module is computed")
        if any(SIDE_WORD.search(word) for word in [module, *arguments[:1]]):
            return Started("side", what)
        if other_command(arguments):
            why = f"{module} {arguments[0]} may or may not be the bot"
            return Started("unknown", what, why)
        below = module.partition(".")[2]
        targets = self.project.python_commands.values()
        if not below or module in targets or ENTRY_MODULES.match(below):
            return Started("host", what)
        return Started("unknown", what, f"{module} may or may not be the bot")

    def package_manager(self, name: str, rest: list[str], what: str) -> Started:
        words, package = workspace_of(name, list(rest))
        if package is not None and (inside := self.workspace(package)) is None:
            return Started("unknown", what, f"{package} is not a package of this workspace")
        own = self.folder if self.project.package_in(self.folder) else ""
        folder = inside if package is not None and inside else own
        while words and words[0].startswith("-"):
            option = words.pop(0)
            if option in TAKES_VALUE and words:
                value = words.pop(0)
                if option in FOLDER_OPTIONS:
                    end = value.rstrip("/").rpartition("/")[2]
                    folder = end if self.project.package_in(end) else ""
        if words[:1] in (["exec"], ["dlx"], ["x"]):
            return self.deeper().command([word for word in words[1:] if word != "--"])
        if words[:1] in (["run"], ["run-script"]):
            words.pop(0)
        script = words[0] if words else ""
        text = self.project.scripts_in(folder).get(script)
        if text is not None:
            found = self.deeper(folder or None).shell(text)
            return Started(found.kind, what, found.why)
        if script == "start" and self.project.host.exists(posixpath.join(folder, "server.js")):
            return self.script(posixpath.join(folder, "server.js"), what)
        return Started("unknown", what, f"package.json has no script {script!r}")

    def workspace(self, package: str) -> str | None:
        """The folder of a package of the workspace, by its name or its path (npm, pnpm)."""
        found = self.project.packages.get(package)
        path = posixpath.normpath(package.rstrip("/."))
        if found is None and self.project.package_in(path):
            return path
        return found

    def shell_program(self, rest: list[str], what: str) -> Started:
        for position, word in enumerate(rest):
            if re.match(r"-\w*c$", word):
                text = rest[position + 1] if position + 1 < len(rest) else ""
                return self.deeper().shell(text)
            if not word.startswith("-"):
                return self.shell_script(word, what)
        return Started("unknown", what, "no script is named")

    def shell_script(self, path: str, what: str) -> Started:
        own = self.project.own_file(path, self.folder)
        if own is None or not self.project.host.exists(own):
            if SIDE_WORD.search(path) or not re.search(HOLE + r"|start|run", path):
                return Started("side", what)
            return Started("unknown", what, f"{path} is not a file of this project")
        text = self.project.host.read(own).decode("utf-8", "replace")
        text = re.sub(r"^\s*#.*$", "", text.replace("\\\n", " "), flags=re.MULTILINE)
        found = self.deeper().shell(text)
        if found.is_host and (re.search(r"[^&>]&\s*$", text, re.MULTILINE) or self.loops(own)):
            why = f"{own} runs it in a loop or in the background: mend that script first"
            return Started("unknown", what, why)
        return Started(found.kind, what, found.why)

    def loops(self, path: str) -> bool:
        """Whether a script runs the host in a loop that its own rule cannot mend."""
        content = self.project.host.read(path)
        if not re.search(rb"\b(while|until|for)\b", content):
            return False
        text = UnitText(path, content, 0, len(content), "shell")
        return any(loop.problem and not loop.ends for loop in loops(text, self.deeper().shell))

    def shell(self, text: str) -> Started:
        """A shell command line: the host if one of its commands is the host."""
        found = []
        for part in re.split(r"&&|\|\||[;\n]", text):
            piped = re.split(r"(?<!\|)\|(?!\|)", part)
            words = split(piped[0].strip())
            while words and (re.match(r"\w+=", words[0]) or words[0] in BEFORE_COMMAND):
                words.pop(0)
            if not words or words[0] in PREPARATIONS:
                continue
            started = self.deeper().command(words)
            if started.is_host and len(piped) > 1:
                return Started("unknown", text, PIPE)
            found.append(started)
        if any(started.is_host for started in found):
            return Started("host", text)
        unknown = next((started for started in found if started.kind == "unknown"), None)
        if unknown is not None or not found:
            return Started("unknown", text, unknown.why if unknown else "it names no program")
        return Started("side", text)

    def other(self, words: list[str], name: str, what: str) -> Started:
        """A program that is no interpreter: a command of the project, or somebody else's."""
        first = words[0]
        if ONLY_HOLE.match(first):
            texts = self.resolve(first)
            meant = [self.deeper().command(split(text) + words[1:]) for text in texts]
            if meant and all(started.is_host for started in meant):
                return Started("host", what)
            if meant and all(started.kind == "side" for started in meant):
                return Started("side", what)
            return Started("unknown", what, f"{first} is computed")
        if name in self.project.node_commands:
            own = self.project.node_commands[name]
            if not self.project.is_entry(own):
                return Started("side", what)
            if other_command(words[1:]):
                return Started("unknown", what, f"{' '.join(words[:2])} may or may not be the bot")
            return Started("host", what)
        if name in self.project.python_commands:
            if any(SIDE_WORD.search(word) for word in words[:2]):
                return Started("side", what)
            if other_command(words[1:]):
                return Started("unknown", what, f"{' '.join(words[:2])} may or may not be the bot")
            alone = len(set(self.project.python_commands.values())) == 1
            if alone or name == self.project.name.lower():
                return Started("host", what)
            return Started("unknown", what, f"{name} is one of several commands of this project")
        if name in self.project.compiled or is_built_and_run(words, self.project):
            return Started("host", what)
        if name.endswith(".sh"):
            return self.shell_script(first, what)
        file = self.project.own_file(first, self.folder)
        if file is not None and file.endswith((*SCRIPTS, ".py")):
            return self.script(first, what)
        return Started("side", what)


def workspace_of(manager: str, words: list[str]) -> tuple[list[str], str | None]:
    """(the other words, the package) of ``pnpm --filter bot start``, ``npm run start -w bot``.

    ``yarn workspace bot start`` and ``bun --filter bot start`` mean the same.
    """
    options = WORKSPACE_OPTIONS | ({"-w"} if manager == "npm" else set())  # pnpm's is the root
    for position, word in enumerate(words):
        option, _, value = word.partition("=")
        if option in options and value:
            return [*words[:position], *words[position + 1 :]], value
        follows = words[position + 1] if position + 1 < len(words) else ""
        if follows and (word in options or (word, position) == ("workspace", 0)):
            return [*words[:position], *words[position + 2 :]], follows
    return words, None


def is_built_and_run(words: list[str], project: BotProject) -> bool:
    """``go run .`` or ``cargo run`` of a project that is such a program."""
    name = program_name(words[0])
    return bool(project.compiled) and name in ("go", "cargo") and words[1:2] == ["run"]


def other_command(arguments: list[str]) -> bool:
    """``bridge`` of ``python -m bot bridge``: a command of the program that may be no bot."""
    first = arguments[0] if arguments else ""
    return bool(re.fullmatch(r"[a-z][\w-]*", first)) and not RUNS.search(first)


def names_script(words: list[str]) -> bool:
    """``bun index.ts``, ``bun run index.ts``: a file, not a script of package.json."""
    given = words[1:] if words[:1] == ["run"] else words
    return bool(given) and is_script(given[0])


def is_script(word: str) -> bool:
    return word.endswith(SCRIPTS) or bool(ONLY_HOLE.match(word))
