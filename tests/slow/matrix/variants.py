"""Channel files made by machine: hand-written families x the ways to write them.

A text is put together from pieces with three marks: ``@x`` is ``this.x`` in a class and
``x`` elsewhere, ``¤x`` is ``update.x`` or a destructured ``x``, and what stands between
``«`` and ``»`` is left out in JavaScript. prettier gives it its form afterwards.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

FAMILIES = {
    "F1": "at once; one 5 s timer when the dial fails",
    "F1-bare": "at once, and nothing else",
    "F2": "a helper that is told 1 on every close",
    "F3": "a helper with a counter, set back when the connect call resolves",
    "F3-open": "a helper with a counter, set back on open",
    "F4": "inline doubling",
    "F5": "a flat timer",
    "F5-named": "a flat timer that is given the function",
    "F5-sleep": "a pause that is awaited",
    "F6": "doubling for 405 only",
    "F7-wipe": "credentials deleted on 401, then again",
    "F8-exit": "a helper that exits 1 after ten tries",
    "F9-codes": "at once, for two codes that it names",
    "F9-limit": "at once, five times",
}
DIAL = "@connectInternal()"
HELD = {"F7-wipe", "F8-exit", "F9-limit"}
"""What stays the host's own: the dial itself is held."""

HANDLERS = ("inline", "assigned", "property", "bind", "wrapper", "process")
SHAPES = ("if-else", "open-first", "two-ifs", "early-return", "switch")
SCOPES = ("class", "closure", "module")
LANGUAGES = ("ts", "ts", "ts", "ts", "js", "mjs", "cjs", "cjs-js")

RENAMED: tuple[dict[str, str], ...] = (
    {},
    {"connectInternal": "connectWhatsApp", "sock": "socket", "reason": "statusCode"},
    {"connectInternal": "initVendor", "sock": "client", "reason": "code", "qr": "qr"},
    {"connectInternal": "startSock", "shouldReconnect": "again", "scheduleReconnect": "retryLater"},
    {"connectInternal": "openLink", "sock": "waSock", "onUpdate": "handleConnection"},
)
CASTS = (
    "(¤lastDisconnect?.error« as any»)?.output?.statusCode",
    "(¤lastDisconnect?.error« as { output?: { statusCode?: number } } | undefined»)"
    "?.output?.statusCode",
    "(¤lastDisconnect?.error« as Boom | undefined»)?.output?.statusCode",
)


@dataclass(frozen=True)
class Variant:
    """One channel file and its surroundings, as it is written."""

    number: int
    family: str
    handler: str
    shape: str
    scope: str = "class"
    language: str = "ts"
    update: str = "destructured"
    verdict: str = "DisconnectReason.loggedOut"
    flag: bool = True
    guard: str = "none"
    logger: str = "fields, text"
    cast: int = 0
    qr: str = "exit"
    over: str = "exit 0"
    start: str = "first open"
    names: int = 0
    remarks: bool = False
    prettier: tuple[tuple[str, Any], ...] = ()

    @property
    def id(self) -> str:
        parts = (f"{self.number:03}", self.family, self.scope, self.handler, self.shape)
        return "-".join((*parts, self.language))

    @property
    def ending(self) -> str:
        return {"ts": ".ts", "mjs": ".mjs", "cjs": ".cjs"}.get(self.language, ".js")

    @property
    def path(self) -> str:
        return f"src/channel{self.ending}"

    @property
    def is_typed(self) -> bool:
        return self.language == "ts"

    @property
    def is_commonjs(self) -> bool:
        return self.language in ("cjs", "cjs-js")

    @property
    def is_inline(self) -> bool:
        """Whether the handler sees the parameters of the connect function."""
        return self.handler in ("inline", "assigned", "process")

    @property
    def driver(self) -> str:
        return "class" if self.scope == "class" else "module"


def variants() -> list[Variant]:
    """Every family in every handler and shape; the rest by a die that always falls alike."""
    die = random.Random(746)
    cells = itertools.product(FAMILIES, HANDLERS, SHAPES)
    return [sane(thrown(die, n, *cell)) for n, cell in enumerate(cells)]


def thrown(die: random.Random, number: int, family: str, handler: str, shape: str) -> Variant:
    style = {
        "singleQuote": die.random() < 0.6,
        "semi": die.random() < 0.7,
        "useTabs": die.random() < 0.15,
        "tabWidth": die.choice((2, 2, 4)),
        "printWidth": die.choice((80, 100, 120)),
        "trailingComma": die.choice(("all", "all", "es5", "none")),
        "arrowParens": die.choice(("always", "always", "avoid")),
        "bracketSpacing": die.random() < 0.9,
        "endOfLine": die.choice(("lf", "lf", "lf", "crlf")),
    }
    return Variant(
        number,
        family,
        handler,
        shape,
        scope=die.choice(SCOPES),
        language=die.choice(LANGUAGES),
        update=die.choice(("destructured", "dotted", "pattern")),
        verdict=die.choice(("DisconnectReason.loggedOut", "DisconnectReason.loggedOut", "401")),
        flag=die.random() < 0.6,
        guard=die.choice(("none", "none", "condition", "return")),
        logger=die.choice(("fields, text", "text, fields", "console")),
        cast=die.randrange(len(CASTS)),
        qr=die.choice(("exit", "exit", "print", "none")),
        over=die.choice(("exit 0", "exit 1", "stop")),
        start=die.choice(("first open", "first open", "await", "itself")),
        names=die.randrange(len(RENAMED)),
        remarks=die.random() < 0.3,
        prettier=tuple(style.items()),
    )


def sane(variant: Variant) -> Variant:
    """What nobody writes, put right."""
    if variant.handler == "process" and variant.update == "pattern":
        variant = replace(variant, update="destructured")
    if variant.family == "F5-named" and variant.scope == "class":
        variant = replace(variant, scope="module")
    if variant.handler == "bind" and variant.scope != "class":
        # a closure's or module's function, given by its name
        variant = replace(variant, handler="property")
    if not variant.is_inline and variant.start == "first open" and variant.scope == "module":
        variant = replace(variant, start="await")
    return variant


# --- the text ------------------------------------------------------------------------------


def channel_text(v: Variant) -> str:
    """The channel file, before prettier."""
    members = list(fields(v))
    functions = [connect_function(v), *helpers(v), *ways_out(v)]
    if not v.is_inline:
        functions.append(handler_function(v))
    body = {"class": as_class, "closure": as_closure, "module": as_module}[v.scope]
    text = head(v) + body(v, members, functions)
    text = text.replace("¤", "update." if v.update == "dotted" else "")
    text = re.sub(r"@(?!whiskeysockets|hapi)", "this." if v.scope == "class" else "", text)
    text = re.sub(r"«([^»]*)»", r"\1" if v.is_typed else "", text)
    for old, new in RENAMED[v.names].items():
        text = re.sub(rf"\b{old}\b", new, text)
    return remarked(text) if v.remarks else text


def head(v: Variant) -> str:
    names = ["useMultiFileAuthState"]
    if v.verdict.startswith("DisconnectReason"):
        names.insert(0, "DisconnectReason")
    if v.is_commonjs:
        listed = ", ".join(["default: makeWASocket", *names])
        lines = [f"const {{ {listed} }} = require('@whiskeysockets/baileys')"]
        if v.family == "F7-wipe":
            lines.insert(0, "const fs = require('fs')")
        if v.logger != "console":
            lines.append(f"const {{ logger }} = require('./logger{v.ending}')")
        return ";\n".join(lines) + ";\n\n"
    types = ["type WASocket"] if v.is_typed else []
    if v.is_typed and not v.is_inline:
        types.append("type ConnectionState")
    listed = ", ".join(names + types)
    lines = [f"import makeWASocket, {{ {listed} }} from '@whiskeysockets/baileys'"]
    if v.family == "F7-wipe":
        lines.insert(0, "import fs from 'fs'")
    if v.is_typed and v.cast == 2:
        lines.insert(0, "import type { Boom } from '@hapi/boom'")
    if v.logger != "console":
        lines.append(f"import {{ logger }} from './logger{'.js' if v.is_typed else v.ending}'")
    return ";\n".join(lines) + ";\n\n"


def log(v: Variant, level: str, text: str, fields: str = "") -> str:
    if v.logger == "console":
        return f"console.{level.replace('info', 'log')}('{text}'{', ' + fields if fields else ''});"
    if not fields:
        return f"logger.{level}('{text}');"
    given = f"{{ {fields} }}"
    return f"logger.{level}({f'{given}, ' if v.logger == 'fields, text' else ''}'{text}'" + (
        ");" if v.logger == "fields, text" else f", {given});"
    )


def fields(v: Variant) -> Iterator[tuple[str, str, str]]:
    """(name, type, first value) of what the channel keeps."""
    yield "sock", "WASocket | undefined", "undefined"
    yield "connected", "", "false"
    if v.guard != "none":
        yield "stopping", "", "false"
    if v.family in ("F3", "F3-open", "F8-exit", "F9-limit"):
        yield "attempts", "", "0"
    if v.family in ("F3", "F3-open"):
        yield "timer", "ReturnType<typeof setTimeout> | undefined", "undefined"
    if v.family in ("F4", "F6"):
        yield "delay", "", "1000"
    if not v.is_inline and v.start == "first open":
        yield "firstOpen", "(() => void) | undefined", "undefined"
    if v.handler == "assigned" and v.scope == "class":
        yield "onUpdate", "((update: any) => void) | undefined", "undefined"


Piece = tuple[str, str, str]
"""A function: its name with parameters and type, its modifiers, its body."""


def connect_function(v: Variant) -> Piece:
    takes = "onFirstOpen«?: () => void»" if v.start == "first open" else ""
    lines = [
        "const { state, saveCreds } = await useMultiFileAuthState('store/auth');",
        "const sock = makeWASocket({ auth: state });",
        "@sock = sock;" if v.scope == "class" else "link = sock;",
    ]
    if not v.is_inline and takes:
        lines.append("if (onFirstOpen) @firstOpen = onFirstOpen;")
    lines.append(registration(v))
    lines.append("sock.ev.on('creds.update', saveCreds);")
    lines.append(
        "sock.ev.on('messages.upsert', async ({ messages }) => {"
        " for (const { key, message } of messages) {"
        " if (key.remoteJid && message?.conversation === 'ping') {"
        " await sock.sendMessage(key.remoteJid, { text: 'pong' }); } } });"
    )
    return f"connectInternal({takes})«: Promise<void>»", "private async", "\n".join(lines)


def registration(v: Variant) -> str:
    event = "'connection.update'"
    on = f"sock.ev.on({event}, "
    is_async = "async " if v.family == "F5-sleep" else ""
    if v.handler == "process":
        inner = f"const update = events[{event}];\n{handler_body(v)}"
        return (
            f"sock.ev.process(async (events) => {{ if (events[{event}]) {{ {inner} }}\n"
            "if (events['chats.update']) { @connected = true; } });"
        )
    if v.handler in ("inline", "assigned"):
        parameter = "update" if v.update != "pattern" else pattern(v)
        typed = "«: any»" if v.handler == "assigned" else ""
        arrow = f"{is_async}({parameter}{typed}) => {{ {handler_body(v)} }}"
        if v.handler == "inline":
            return f"{on}{arrow});"
        if v.scope == "class":
            return f"@onUpdate = {arrow};\n{on}@onUpdate);"
        return f"const onUpdate = {arrow};\n{on}onUpdate);"
    if v.handler == "wrapper":
        return f"{on}(u) => @onUpdate(u));"
    return f"{on}@onUpdate{'.bind(this)' if v.handler == 'bind' else ''});"


def handler_function(v: Variant) -> Piece:
    parameter = "update" if v.update != "pattern" else pattern(v)
    is_async = " async" if v.family == "F5-sleep" else ""
    kind = "arrow" if v.handler == "property" and v.scope == "class" else ""
    signature = f"onUpdate({parameter}«: Partial<ConnectionState>»)"
    return signature, f"private{is_async} {kind}".strip(), handler_body(v)


def pattern(v: Variant) -> str:
    names = ["connection", "lastDisconnect", *(["qr"] if v.qr != "none" else [])]
    return f"{{ {', '.join(names)} }}"


def handler_body(v: Variant) -> str:
    lines = [f"const {pattern(v)} = update;"] if v.update == "destructured" else []
    if v.qr == "exit":
        said = log(v, "error", "Pair the bot first")
        lines.append(f"if (¤qr) {{ {said} setTimeout(() => process.exit(1), 1000); }}")
    elif v.qr == "print":
        lines.append("if (¤qr) { console.log('Scan this: ' + ¤qr); }")
    close, opened = close_body(v), open_body(v)
    if v.shape == "if-else":
        lines.append(f"if (¤connection === 'close') {{ {close} }}")
        lines.append(f"else if (¤connection === 'open') {{ {opened} }}")
    elif v.shape == "open-first":
        lines.append(f"if (¤connection === 'open') {{ {opened} }}")
        lines.append(f"else if (¤connection === 'close') {{ {close} }}")
    elif v.shape == "two-ifs":
        lines.append(f"if (¤connection === 'open') {{ {opened} }}")
        lines.append(f"if (¤connection === 'close') {{ {close} }}")
    elif v.shape == "early-return":
        inner = f"if (¤connection === 'open') {{ {opened} }} return;"
        lines.append(f"if (¤connection !== 'close') {{ {inner} }}\n{close}")
    else:
        lines.append(
            f"switch (¤connection) {{ case 'close': {{ {close} break; }}\n"
            f"case 'open': {{ {opened} break; }}\ndefault: break; }}"
        )
    return "\n".join(lines)


def open_body(v: Variant) -> str:
    lines = ["@connected = true;", log(v, "info", "Connected to WhatsApp")]
    if v.family == "F3-open":
        lines.append("@attempts = 0;")
    if v.family in ("F4", "F6"):
        lines.append("@delay = 1000;")
    if v.start == "first open":
        name = "onFirstOpen" if v.is_inline else "@firstOpen"
        lines.append(f"if ({name}) {{ {name}(); {name} = undefined; }}")
    return "\n".join(lines)


def close_body(v: Variant) -> str:
    lines = ["@connected = false;", f"const reason = {CASTS[v.cast]};"]
    if v.guard == "return":
        lines.insert(1, "if (@stopping) return;")
    guard = " && !@stopping" if v.guard == "condition" else ""
    again, over = again_text(v), over_text(v)
    if v.flag:
        lines.append(f"const shouldReconnect = reason !== {v.verdict}{guard};")
        lines.append(log(v, "info", "Connection closed", "reason, shouldReconnect"))
        lines.append(f"if (shouldReconnect) {{ {again} }} else {{ {over} }}")
        return "\n".join(lines)
    lines.append(log(v, "warn", "Connection closed", "reason"))
    leave = "" if v.shape == "switch" and not guard else " return;"
    if guard:
        lines.append(f"if (reason === {v.verdict}) {{ {over}{leave} }}")
        lines.append(f"if (!@stopping) {{ {again} }}")
    elif leave:
        lines.append(f"if (reason === {v.verdict}) {{ {over}{leave} }}\n{again}")
    else:
        lines.append(f"if (reason === {v.verdict}) {{ {over} }} else {{ {again} }}")
    return "\n".join(lines)


def over_text(v: Variant) -> str:
    said = log(v, "error", "Logged out, link the bot again")
    if v.family == "F7-wipe":
        wipe = "fs.rmSync('store/auth', { recursive: true, force: true });"
        return f"{said} {wipe} {DIAL}.catch(() => undefined);"
    return said + {"exit 0": " process.exit(0);", "exit 1": " process.exit(1);"}.get(v.over, "")


def again_text(v: Variant) -> str:
    failed = log(v, "error", "Could not connect", "err")
    caught = f"{DIAL}.catch((err«: unknown») => {{ {failed} }});"
    if v.family in ("F1", "F7-wipe"):
        said = log(v, "info", "Reconnecting...")
        later = f"setTimeout(() => {{ {caught} }}, 5000);"
        return f"{said} {DIAL}.catch((err«: unknown») => {{ {failed} {later} }});"
    return {
        "F1-bare": f"{DIAL};",
        "F2": "@scheduleReconnect(1);",
        "F3": "@scheduleReconnect();",
        "F3-open": "@scheduleReconnect();",
        "F4": f"setTimeout(() => {{ {caught} }}, @delay); @delay = Math.min(@delay * 2, 60000);",
        "F5": f"setTimeout(() => {DIAL}, 5000);",
        "F5-named": "setTimeout(connectInternal, 3000);",
        "F5-sleep": f"await new Promise((r) => setTimeout(r, 5000)); await {DIAL};",
        "F6": "if (reason === 405) { @delay = Math.min(@delay * 2, 60000);"
        f" setTimeout(() => {{ {caught} }}, @delay); }} else {{ {caught} }}",
        "F8-exit": "@scheduleReconnect();",
        "F9-codes": f"if (reason === 428) {{ {caught} }} else if (reason === 408) {{ {caught} }}",
        "F9-limit": f"if (@attempts < 5) {{ @attempts += 1; {caught} }}",
    }[v.family]


def helpers(v: Variant) -> Iterator[Piece]:
    failed = log(v, "error", "Reconnect failed", "err")
    if v.family == "F2":
        body = (
            "const wait = Math.min(5000 * Math.pow(2, attempt - 1), 300000);\n"
            + log(v, "info", "Reconnecting later", "wait, attempt")
            + f"\nsetTimeout(() => {{ {DIAL}.catch((err«: unknown») =>"
            f" {{ {failed} @scheduleReconnect(attempt + 1); }}); }}, wait);"
        )
        yield "scheduleReconnect(attempt«: number»)«: void»", "private", body
    elif v.family in ("F3", "F3-open"):
        after = f"{DIAL}.then(() => {{ @attempts = 0; }})" if v.family == "F3" else DIAL
        body = (
            "if (@timer) return;\n@attempts += 1;\n"
            "const wait = Math.min(1000 * 2 ** @attempts, 60000);\n"
            + log(v, "info", "Reconnecting later", "wait")
            + f"\n@timer = setTimeout(() => {{ @timer = undefined;\n"
            f"{after}.catch((err«: unknown») => {{ {failed} @scheduleReconnect(); }}); }}, wait);"
        )
        yield "scheduleReconnect()«: void»", "private", body
    elif v.family == "F8-exit":
        body = (
            "@attempts += 1;\nif (@attempts > 10) { "
            + log(v, "error", "Giving up")
            + f" process.exit(1); }}\nsetTimeout(() => {{ {DIAL}.catch((err«: unknown») =>"
            f" {{ {failed} @scheduleReconnect(); }}); }}, 5000);"
        )
        yield "scheduleReconnect()«: void»", "private", body


def ways_out(v: Variant) -> Iterator[Piece]:
    stopping = "@stopping = true;\n" if v.guard != "none" else ""
    socket = "@sock" if v.scope == "class" else "link"
    ended = f"{stopping}@connected = false;\n{socket}?.end(undefined);"
    yield "disconnect()«: void»", "public", ended
    yield "isConnected()«: boolean»", "public", "return @connected;"
    name = "connect" if v.scope != "module" else "start"
    if v.start == "first open":
        made = "new Promise«<void>»((resolve, reject) =>"
        body = f"return {made} {{ @connectInternal(resolve).catch(reject); }});"
        yield f"{name}()«: Promise<void>»", "public", body
    elif v.start == "await":
        yield f"{name}()«: Promise<void>»", "public async", "await @connectInternal();"
    else:
        said = log(v, "error", "The first connection failed", "err")
        body = f"@connectInternal().catch((err«: unknown») => {{ {said} }});"
        yield f"{name}()«: Promise<void>»", "public async", body


def as_class(v: Variant, members: list[tuple[str, str, str]], functions: list[Piece]) -> str:
    lines = []
    for name, kind, value in members:
        typed = f"«: {kind}»" if kind else ""
        lines.append(f"«private »{name}{typed} = {value};")
    for signature, modifiers, body in functions:
        words = modifiers.split()
        asynchronous = "async " if "async" in words else ""
        private = "«private »" if "private" in words else ""
        if "arrow" in words:
            name, rest = signature.split("(", 1)
            lines.append(f"{private}{name} = {asynchronous}({rest} => {{ {body} }};")
        else:
            lines.append(f"\n{private}{asynchronous}{signature} {{ {body} }}")
    text = f"class WhatsAppChannel {{ {chr(10).join(lines)} }}\n"
    if v.is_commonjs:
        return f"{text}\nmodule.exports = {{ WhatsAppChannel }};\n"
    return f"export {text}"


def as_functions(members: list[tuple[str, str, str]], functions: list[Piece]) -> str:
    lines = []
    for name, kind, value in members:
        typed = f"«: {kind}»" if kind else ""
        # the connect function has a `sock` of its own
        lines.append(f"let {'link' if name == 'sock' else name}{typed} = {value};")
    for signature, modifiers, body in functions:
        asynchronous = "async " if "async" in modifiers.split() else ""
        lines.append(f"\n{asynchronous}function {signature} {{ {body} }}")
    return "\n".join(lines)


def as_closure(v: Variant, members: list[tuple[str, str, str]], functions: list[Piece]) -> str:
    inner = as_functions(members, functions)
    made = f"function createChannel() {{ {inner}\nreturn {{ connect, disconnect, isConnected }}; }}"
    start = "async function start()«: Promise<void>» { await createChannel().connect(); }"
    if v.is_commonjs:
        return f"{made}\n\n{start}\n\nmodule.exports = {{ createChannel, start }};\n"
    return f"export {made}\n\nexport {start}\n"


def as_module(v: Variant, members: list[tuple[str, str, str]], functions: list[Piece]) -> str:
    public = ("start", "disconnect", "isConnected")
    text = as_functions(members, functions)
    if v.is_commonjs:
        return f"{text}\n\nmodule.exports = {{ {', '.join(public)} }};\n"
    for name in public:
        text = re.sub(rf"^((async )?function {name}\()", r"export \1", text, flags=re.MULTILINE)
    return text + "\n"


def remarked(text: str) -> str:
    """Remarks of the host's wherever one may stand."""
    lines = []
    for number, line in enumerate(text.split("\n")):
        if number % 3 == 1 and line.strip():
            lines.append(f"// remark {number}")
        lines.append(re.sub(r"; (?=\S)", f";\n// aside {number}\n", line, count=1))
    return "\n".join(lines)


# --- what lies around it ---------------------------------------------------------------------


def surroundings(v: Variant) -> dict[str, str]:
    """The other files of the host."""
    kind = "module" if v.language in ("ts", "js") else "commonjs"
    if v.logger == "text, fields":
        typed = "text: string, fields?: object" if v.is_typed else "text, fields"
        levels = "".join(
            f"{level}: ({typed}) => console.log('{level}', text, fields),\n"
            for level in ("info", "warn", "error")
        )
        export = "" if v.is_commonjs else "export "
        logger = f"{export}const logger = {{\n{levels}}};"
    elif v.is_commonjs:
        logger = "const pino = require('pino');\nconst logger = pino();"
    else:
        logger = "import { pino } from 'pino';\nexport const logger = pino();"
    if v.is_commonjs:
        logger += "\nmodule.exports = { logger };"
    return {
        "package.json": f'{{ "name": "v{v.number}", "type": "{kind}", "private": true }}\n',
        f"src/logger{v.ending}": logger + "\n",
    }
