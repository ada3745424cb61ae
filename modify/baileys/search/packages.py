"""Dependencies of a host that connect to WhatsApp: Baileys under any name, other libraries.

Such a library has a loop of its own, in ``node_modules``: nothing is patched there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property

from modify.baileys.search.names import is_baileys
from skill.host import Host, fact
from skill.package_json import package_at, texts
from skill.source_paths import SCRIPTS

BAILEYS = "Baileys"
# Libraries that make the connection themselves → what with. Subpaths count, too.
LIBRARIES = {
    "wa-multi-session": BAILEYS,
    "@neoxr/wb": BAILEYS,
    "zaileys": BAILEYS,
    "@mengkodingan/ckptw": BAILEYS,
    "@itsreimau/gktw": BAILEYS,
    "@builderbot/provider-baileys": BAILEYS,
    "@builderbot/provider-sherpa": BAILEYS,
    "builderbot-provider-sherpa": BAILEYS,
    "@bot-whatsapp/provider/baileys": BAILEYS,
    "@bot-whatsapp/provider": "a library of your choice",
    "whatsapp-web.js": "a browser",
    "venom-bot": "a browser",
    "@wppconnect-team/wppconnect": "a browser",
    "@open-wa/wa-automate": "a browser",
    "@builderbot/provider-venom": "a browser",
    "@builderbot/provider-wppconnect": "a browser",
    "@builderbot/provider-web-whatsapp": "a browser",
}
# By the options of whatsapp-web.js 1.34, wppconnect 1.38, venom-bot 5.3 and wa-automate 4.76, and
# the public fields of whatsmeow's and whatsapp-rust's Client.
ADVICE = {
    "whatsapp-web.js": (
        "on 'disconnected' a wait that grows before initialize() is called again, and none after "
        "LOGOUT; a qrMaxRetries (0, the default, is no limit); takeoverOnConflict left off"
    ),
    "@wppconnect-team/wppconnect": (
        "a wait that grows before create() is called again; autoClose and deviceSyncTimeout left on"
    ),
    "venom-bot": "a wait that grows before create() is called again; autoClose left on",
    "@open-wa/wa-automate": (
        "a wait that grows in what restartOnCrash calls; a qrTimeout and an authTimeout, neither 0"
    ),
    "whatsmeow": (
        "an AutoReconnectHook that returns false after some AutoReconnectErrors, or "
        "EnableAutoReconnect off and a wait that grows; an end with status 0 on LoggedOut, "
        "StreamReplaced and TemporaryBan"
    ),
    "whatsapp-rust": (
        "enable_auto_reconnect off and a wait that grows before run() is called again; an end "
        "with status 0 once the session is over"
    ),
}
# One of their names, whatever stands around it.
NAMED = re.compile("|".join(map(re.escape, LIBRARIES)).encode())
# Exports that a fork of Baileys shares with it, and no library built on it has.
EXPORTED = frozenset(
    (
        "makeWASocket",
        "useMultiFileAuthState",
        "useSingleFileAuthState",
        "fetchLatestBaileysVersion",
        "makeCacheableSignalKeyStore",
        "makeInMemoryStore",
        "DisconnectReason",
        "downloadContentFromMessage",
        "generateWAMessageFromContent",
    )
)
OF_BAILEYS = re.compile(rb"DisconnectReason|fetchLatestBaileysVersion|AuthState\b")
TAKEN = re.compile(
    r"\{([^{}]*)\}\s*(?:from\s*|=\s*(?:await\s+)?(?:require|import)\s*\(\s*)['\"]([^'\"./][^'\"]*)"
)
FORKED = re.compile(r"@[\w.-]+/whatsapp-web\.js")
LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock")
# The head of a package's block in the three forms, and a package that it needs.
HEAD = re.compile(
    r" {0,4}[\"']?(?:node_modules/|/)?(?P<name>(?:@[\w.-]+/)?[\w.-]+)(?:@.*)?[\"']?: *\{?"
)
NEED = re.compile(r" {4,}[\"']?(?P<name>(?:@[\w.-]+/)?[\w.-]+)[\"']?:? .*")


def library_of(module: str) -> tuple[str, str] | None:
    """(the library, what it connects with) for a module's name, if it is known to connect."""
    for library, dials_with in LIBRARIES.items():
        if module == library or module.startswith(library + "/"):
            return library, dials_with
    return (module, "a browser") if FORKED.fullmatch(module) else None


def advice_for(library: str) -> str:
    """What to set in a library that connects by itself, from its own documentation; empty where
    nothing is known.
    """
    name = "whatsapp-web.js" if FORKED.fullmatch(library) else library
    return ADVICE.get(name, "")


class Packages:
    """The package.json files of a host. Folders are relative, POSIX; the root's is ``""``."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @cached_property
    def folders(self) -> list[str]:
        named = (posixpath.split(path) for path in self.host.files)
        return sorted(folder for folder, name in named if name == "package.json")

    def of(self, path: str) -> str | None:
        """The folder of the package that a file belongs to."""
        folder = posixpath.dirname(path)
        while folder not in self.folders:
            if not folder:
                return None
            folder = posixpath.dirname(folder)
        return folder

    def dependencies(self, folder: str) -> dict[str, str]:
        """The run-time dependencies of a package, name to version: no devDependencies."""
        package = package_at(self.host, folder)
        return texts(package, "optionalDependencies") | texts(package, "dependencies")

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the host's own packages: imports from them are followed."""
        named = (package_at(self.host, folder).get("name") for folder in self.folders)
        return frozenset(name for name in named if isinstance(name, str))

    @cached_property
    def aliases(self) -> frozenset[str]:
        """Names of dependencies that are Baileys by what they stand for, or by what they export.

        They stand for it as ``npm:…`` or a git URL.
        """
        declared = frozenset(
            name
            for folder in self.folders
            for name, version in self.dependencies(folder).items()
            if (found := re.match(r"npm:(@?[^@]+)|.*[:/]([\w.-]+?)(?:\.git)?(?:#.*)?$", version))
            and is_baileys((found[1] or found[2]).lower())
        )
        return declared | frozenset(self.forks())

    def forks(self) -> Iterator[str]:
        """Dependencies with a name of their own from which the host takes what Baileys exports."""
        known = {name for folder in self.folders for name in self.dependencies(folder)}
        known = {name for name in known if not is_baileys(name) and library_of(name) is None}
        for file in self.host.with_suffix(*SCRIPTS) if known else ():
            content = self.host.read(file.path)
            if not OF_BAILEYS.search(content):
                continue
            for taken, module in TAKEN.findall(content.decode("utf-8", "replace")):
                if module in known and len(EXPORTED & set(re.findall(r"\w+", taken))) > 1:
                    yield module

    def is_installed(self, library: str) -> bool:
        """Whether a package.json of the host names a library; True if there is no package.json."""
        declared = [self.dependencies(folder) for folder in self.folders]
        return not declared or any(
            library == name or library.startswith(name + "/")
            for names in declared
            for name in names
        )

    def baileys(self, folder: str) -> str | None:
        """The name under which a package depends on Baileys."""
        names = self.dependencies(folder)
        return next((name for name in names if is_baileys(name, self.aliases)), None)

    def line(self, folder: str, name: str) -> int:
        """Where package.json names a dependency."""
        content = self.host.read(posixpath.join(folder, "package.json"))
        found = re.search(rb'"%s"\s*:' % re.escape(name.encode()), content)
        return content.count(b"\n", 0, found.start() if found else 0) + 1

    @cached_property
    def locked(self) -> frozenset[str]:
        """Packages that depend on Baileys themselves, according to the lock files."""
        files = (path for path in self.host.files if posixpath.basename(path) in LOCKS)
        return frozenset(name for path in files for name in needing_baileys(self.host, path))


@fact
def packages_of(host: Host) -> Packages:
    """The packages of a host: one for all who ask, as each walks every file of the host."""
    return Packages(host)


def needing_baileys(host: Host, path: str) -> Iterator[str]:
    current, peers = "", False
    for line in host.read(path).decode("utf-8", "replace").splitlines():
        head = HEAD.fullmatch(line) if "@" in line or "node_modules/" in line else None
        if head or not line[:1].isspace():
            current, peers = head["name"] if head else "", False
        elif "ependencies" in line:
            peers = "peer" in line
        elif current and not peers and not is_baileys(current):
            need = NEED.fullmatch(line)
            if need and is_baileys(need["name"]):
                yield current
