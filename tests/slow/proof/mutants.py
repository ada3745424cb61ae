"""Wrong patches, made by machine of the right ones: a proof has to refuse each.

Some are kinds of mistakes that a patch has made (a gate after the look-up, ``stop()`` in a helper,
a first open that is dropped), the others what a mistake in the policy or in the module would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from skill.host import Host
from skill.options import Options
from skill.plan import Plan, make_plan
from tests.slow.e2e.harness import HOSTS
from tests.slow.e2e_python.harness import HOSTS as PYTHON_HOSTS

CHANNEL = "src/channels/whatsapp.ts"
MODULE = "src/channels/whatsapp-reconnect.ts"


@dataclass(frozen=True)
class Mutant:
    """host: a fixture. edits: (file, text as patched, text instead); each text is there once."""

    host: str
    name: str
    edits: tuple[tuple[str, str, str], ...]

    @property
    def id(self) -> str:
        return f"{self.host}: {self.name}"

    @property
    def scenario(self) -> str:
        """The id of the one, of those of a proof, in which the mistake is seen."""
        found = (name for name, names in _REFUSED_IN.items() if self.name in names)
        return next(found, "refused")

    def plan(self, root: Path, right: Plan) -> Plan:
        """The right plan of the host with the mistake in it."""
        changes = {change.path: change for change in right.changes}
        for path, old, new in self.edits:
            change = changes[path]
            text = (change.after or b"").decode()
            assert text.count(old) == 1, (self.id, path, old, text.count(old))
            changes[path] = replace(change, after=text.replace(old, new).encode())
        return replace(right, root=root, changes=tuple(changes.values()))


def _of(host: str, file: str, mistakes: dict[str, tuple[str, str]]) -> Iterator[Mutant]:
    for name, (old, new) in mistakes.items():
        yield Mutant(host, name, ((file, old, new),))


# --- in the channel: what a codemod gets wrong

_CLASS = {
    "a socket without its gate": (
        "this.sock = this.reconnect.socket(makeWASocket, {",
        "this.sock = makeWASocket({",
    ),
    "a gate of its own for each socket": (
        "this.sock = this.reconnect.socket(makeWASocket, {",
        "this.sock = new Reconnect({ authDir: 'auth', logger }).socket(makeWASocket, {",
    ),
    "a listener that hears nothing": (
        "this.sock.ev.on('connection.update', (update) => {",
        "this.sock.ev.on('connection.updates' as 'connection.update', (update) => {",
    ),
    "two sockets for one attempt": (
        "this.sock = this.reconnect.socket(makeWASocket, {",
        "makeWASocket({ auth: state });\n    this.sock = this.reconnect.socket(makeWASocket, {",
    ),
    "no redial": ("this.reconnect.dial(() => this.connectInternal(onFirstOpen));", ""),
    "redial after a flat wait and no gate": (
        "this.reconnect.dial(() => this.connectInternal(onFirstOpen));",
        "setTimeout(() => void new WhatsAppChannel(this.opts).connect(), 5000);",
    ),
    "first open dropped": (
        "this.reconnect.dial(() => this.connectInternal(onFirstOpen));",
        "this.reconnect.dial(() => this.connectInternal());",
    ),
    "exit in the wrong branch": (
        "const shouldReconnect = !this.reconnect.terminal;",
        "const shouldReconnect = this.reconnect.terminal;",
    ),
    "every close ends it": (
        "const shouldReconnect = !this.reconnect.terminal;",
        "const shouldReconnect = false;",
    ),
    "status 1 for a revoked session": (
        "          logger.info('Unlinked from the phone. Pair again to go on.');\n"
        "          process.exit(0);",
        "          process.exit(1);",
    ),
    "stop() in a helper that runs at every close": (
        "this.reconnect.dial(() => this.connectInternal(onFirstOpen));",
        "this.reconnect.dial(() => this.connectInternal(onFirstOpen)); this.reconnect.stop();",
    ),
    "stop() in a helper that runs on a timer": (
        "  constructor(private opts: WhatsAppChannelOpts) {}",
        "  constructor(private opts: WhatsAppChannelOpts) {\n"
        "    setInterval(() => this.reconnect.stop(), 30_000);\n  }",
    ),
    "stop() on the first open": (
        "        this.connected = true;\n",
        "        this.connected = true;\n        this.reconnect.stop();\n",
    ),
    "no stop() in the stop": (
        "    this.reconnect.stop();\n    this.connected = false;",
        "    this.connected = false;",
    ),
    "a look-up without its fallback": (
        "fetchLatestWaWebVersion({}).catch((err) => {\n"
        "      logger.warn({ err }, 'No current web version, taking the built-in one');\n"
        "      return { version: undefined };\n"
        "    });",
        "fetchLatestWaWebVersion({}).catch(() => process.exit(1));",
    ),
    "connect() waits for nobody": (
        "this.reconnect.dial(() => this.connectInternal(resolve), {",
        "this.reconnect.dial(() => this.connectInternal(), {",
    ),
    "an event handler that throws": (
        "const { connection, lastDisconnect, qr } = update;",
        "const { connection, lastDisconnect, qr } = update;\n"
        "      if (!(this as any).known) throw new TypeError('known is not defined');",
    ),
    "a folder that is not set yet": ("authDir: path.join(STORE_DIR, 'auth'),", "authDir: '',"),
    "a folder of its own": (
        "authDir: path.join(STORE_DIR, 'auth'),",
        "authDir: () => { throw new Error('no account yet'); },",
    ),
    "creds are not saved": ("'creds.update', saveCreds", "'creds.update', () => {}"),
}

_MODULE = {
    "no wait between attempts": ("const left = until - now();", "const left = 0;"),
    "a flat wait": (
        "return Math.min(steps[1], steps[0] * FACTOR ** (Math.max(level, 1) - 1));",
        "return steps[0];",
    ),
    "a wait without a cap": (
        "return Math.min(steps[1], steps[0] * FACTOR ** (Math.max(level, 1) - 1));",
        "return steps[0] * FACTOR ** (Math.max(level, 1) - 1);",
    ),
    "an open that resets at once": (
        "this.remember({ downSince: 0, hits: 0, verdict: null });",
        "this.remember({ ...SETTLED, downSince: 0, verdict: null });",
    ),
    "a link that held for a minute counts as well": (
        "const RESET_MS = 300_000;",
        "const RESET_MS = 60_000;",
    ),
    "no deadline": (
        "attempt.timer = setTimeout(() => this.expired(attempt), wait);",
        "void wait;",
    ),
    "a deadline that is never met": (
        "clearTimeout(attempt.timer);\n    attempt.state = 'open';",
        "attempt.state = 'open';",
    ),
    "a block that is no longer than a loss": (
        "let wait = isHold ? grown(HOLD_MS, blocked) : grown(DELAY_MS, level);",
        "let wait = grown(DELAY_MS, level);",
    ),
    "515 as a loss": ("const isRestart = code === '515';", "const isRestart = false;"),
    "401 as a loss": (
        "if (code === 'logout' || AUTH.includes(code)) return code;",
        "if (code === 'logout') return code;",
    ),
    "every loss is a verdict": (
        "if (code === 'logout' || AUTH.includes(code)) return code;",
        "if (code !== '515') return code;",
    ),
    "a verdict that is not kept": (
        "if (isKept) this.memory.verdict ??= { code, at: now() };",
        "void isKept;",
    ),
    "nothing is remembered": ("      write(this.file, this.memory);\n", ""),
    "a stop that leaves its timer": (
        "    this.requests.clear();\n",
        "",
    ),
    "a turn that its socket does not take": ("    this.offered = attempt;\n", ""),
    "a turn that its socket takes, and does not dial": (
        "    if (granted?.state === 'running') dial();\n",
        "",
    ),
    "a timer that keeps nothing alive": (
        "this.timer = setTimeout(() => this.proceed(), nap);",
        "this.timer = setTimeout(() => this.proceed(), nap);\n      this.timer.unref();",
    ),
    "a logger that throws, unguarded": (
        "    log().catch(() => super.say(level, line));",
        "    void log().then(() => { throw new Error('no such logger'); });",
    ),
}

_FACTORY = {
    "setup() waits for the first open": ("            late: resolve,\n", ""),
    "setup() rejects before the link is up": (
        "reconnect.dial(connectSocket, {\n            late: resolve,",
        "setTimeout(() => reject(new Error('too late')), 100);\n"
        "          reconnect.dial(connectSocket, {\n            late: resolve,",
    ),
    "gate after the look-up": (
        "            reconnect.dial(connectSocket);\n",
        "            await currentVersion();\n            reconnect.dial(connectSocket);\n",
    ),
    "a socket that is used before there is one": ("        if (!sock) return;\n", ""),
}

_FACTORY_MODULE = {
    "a stop whose socket is still heard": (
        "    this.newest?.mute();\n    this.drop(this.attempt);\n",
        "    this.drop(this.attempt);\n",
    ),
}

_FUNCTIONS = {
    "main waits for a dial that never returns": (
        "  await reconnect.dial(connectWhatsApp, {\n"
        "    // 0, so that no supervisor starts it again\n"
        "    stopped: () => process.exit(0),\n  })",
        "  await new Promise(() => {})",
    ),
    "a name that is not imported": (
        "import { Reconnect } from './whatsapp-reconnect.js'\n",
        "",
    ),
}

_HELD = {
    "the dial is not held": (
        "reconnect.socket(makeWASocket, { auth: state })",
        "makeWASocket({ auth: state })",
    ),
    "a socket without credentials": (
        "const sock = reconnect.socket(makeWASocket, { auth: state });",
        "const sock = reconnect.socket(makeWASocket, {});",
    ),
}

_HELD_MODULE = {
    "no wait between attempts": ("const left = until - now();", "const left = 0;"),
    "a turn that never comes": ("    else this.grant(request);\n", ""),
    "a verdict on every loss": (
        "    if (verdict && !isPast) return this.stopFor(verdict);",
        "    return this.stopFor(verdict ?? '401');",
    ),
}

_LINK = {
    "no wait at all": (" and await link.turn()", ""),
    "a wait that nobody awaits": (" and await link.turn()", " and link.turn()"),
    "a logout that is not told": ("                link_of(self).logout()\n", ""),
    "a stop that is not heard": ("        link_of(self).stop()\n", ""),
}

_TWO = (
    Mutant(
        "v1-class",
        "a failed dial that is not tried again",
        (
            (MODULE, "if (!isMade) return this.redial('dial', error);", "if (!isMade) return;"),
            (
                MODULE,
                "attempt.timer = setTimeout(() => this.expired(attempt), wait);",
                "void wait;",
            ),
        ),
    ),
    Mutant(
        "v1-class",
        "status 1 on a QR code",
        (
            (CHANNEL, "setTimeout(() => process.exit(0), 1000)", "process.exit(1)"),
            (MODULE, "this.stopFor(isGone ? 'qr' : UNLINKED);", "void isGone;"),
        ),
    ),
)

# --- the scenario that refuses each; "refused" the others

_REFUSED_IN = {
    "healthy": (
        "a listener that hears nothing",
        "two sockets for one attempt",
        "creds are not saved",
        "connect() waits for nobody",
        "an event handler that throws",
        "a folder of its own",
        "a turn that its socket does not take",
        "setup() rejects before the link is up",
        "gate after the look-up",
        "main waits for a dial that never returns",
        "a name that is not imported",
        "a deadline that is never met",
        "a turn that never comes",
    ),
    "revoked": (
        "status 1 for a revoked session",
        "a socket without its gate",
        "a gate of its own for each socket",
        "401 as a loss",
    ),
    "replaced": (
        "stop() on the first open",
        "a block that is no longer than a loss",
        "an open that resets at once",
    ),
    "stop-in-wait": (
        "no stop() in the stop",
        "a stop that leaves its timer",
    ),
    "offline-hour": (
        "a look-up without its fallback",
        "a socket that is used before there is one",
    ),
    "relinked": ("a folder that is not set yet",),
    "restart-once": ("515 as a loss",),
    "credentials-rewritten": (
        "a verdict that is not kept",
        "nothing is remembered",
    ),
    "stop-while-up": ("a stop whose socket is still heard",),
    "flapping": ("a link that held for a minute counts as well",),
    "silent": (
        "no deadline",
        "a failed dial that is not tried again",
    ),
    "unlinked": ("status 1 on a QR code",),
    "bridge-refuses": (
        "no wait at all",
        "a wait that nobody awaits",
    ),
    "bridge-logged-out": ("a logout that is not told",),
    "bridge-stopped": ("a stop that is not heard",),
}

MUTANTS: tuple[Mutant, ...] = (
    *_of("v1-class", CHANNEL, _CLASS),
    *_of("v1-class", MODULE, _MODULE),
    *_of("v2-factory", CHANNEL, _FACTORY),
    *_of("v2-factory", MODULE, _FACTORY_MODULE),
    *_of("module-functions", "src/index.ts", _FUNCTIONS),
    *_of("session-map", "src/index.js", _HELD),
    *_of("session-map", "src/whatsapp-reconnect.js", _HELD_MODULE),
    *_TWO,
    *_of("s1-link", "harbor/channels/whatsapp.py", _LINK),
)


def root_of(host: str) -> Path:
    return next(folder / host for folder in (HOSTS, PYTHON_HOSTS) if (folder / host).is_dir())


def right_plan(host: str) -> Plan:
    """The plan of the fixture as skillgen makes it."""
    return make_plan(Host(root_of(host)), Options())
