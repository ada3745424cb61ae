"""How a channel is started, as its host would: its program, its class, or its function."""

from __future__ import annotations

import asyncio
import importlib
import importlib.machinery
import inspect
import os
import re
import sys
import threading
import types
import typing
from collections.abc import Callable
from typing import Any

from .scheduler import Ended
from .stubs import Module, Pliable, value_for
from .world import World

_TEXT = re.compile(r"url|uri|path|database|db|name|session|token|phone|host|bridge|number", re.I)
_MODEL = re.compile(r"(?:Config|Settings|Options|Cfg)$")


class CannotDrive(Exception):
    """The host cannot be run here; the text says why."""


def program_of(world: World, drive: dict[str, Any]) -> Callable[[], object]:
    """The call that a process of this host makes."""
    kinds = {"program": run_program, "class": run_class, "function": run_function}
    run = kinds[drive["kind"]]
    return lambda: run(world, drive)


def load(world: World, drive: dict[str, Any]) -> types.ModuleType:
    try:
        return importlib.import_module(drive["module"])
    except (Ended, SystemExit):
        raise
    except BaseException as error:
        reason = f"{drive['path']} cannot be imported here: {type(error).__name__}: {error}"
        world.give_up(reason)
        raise Ended from error


# --- a program ------------------------------------------------------------------------------


def run_program(world: World, drive: dict[str, Any]) -> None:
    """``python -m module``, or ``python file``."""
    world.stop = None
    module = types.ModuleType("__main__")
    name = drive["module"]
    package = name.rpartition(".")[0]
    if package:
        importlib.import_module(package)
    module.__file__ = world.channel_file
    module.__package__ = package
    module.__spec__ = importlib.machinery.ModuleSpec(name, None) if package else None
    sys.modules["__main__"] = module
    sys.argv = [world.channel_file]
    exec(Loader.compiled(world.channel_file), module.__dict__)


# --- a class --------------------------------------------------------------------------------


def run_class(world: World, drive: dict[str, Any]) -> None:
    module = load(world, drive)
    kind = getattr(module, drive["class"])
    made: list[Any] = []

    def start() -> Any:
        made.append(make(kind))
        found = getattr(made[0], drive["method"])()
        return made[0] if found is None and isinstance(made[0], threading.Thread) else found

    def stop() -> Any:
        for name in drive["stops"]:
            method = getattr(made[0], name, None) if made else None
            if callable(method):
                return method()
        raise CannotDrive("the channel has no stop()")

    conduct(world, drive, start, stop)


def make(kind: Any) -> Any:
    """An object of a channel class, with settings as far as their names tell them."""
    default = getattr(kind, "default_config", None)
    try:
        hints = typing.get_type_hints(kind.__init__)
    except Exception:
        hints = {}
    arguments, named = [], {}
    for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty:
            if not re.search(r"conf|settings|url|bus", name, re.I):
                continue
            if parameter.default not in (None, ""):
                continue
        value = settings(default, hints.get(name), name)
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = value
        else:
            arguments.append(value)
    return kind(*arguments, **named)


def settings(default: Any, hint: Any, name: str) -> Any:
    about = re.search(r"conf|settings|options|cfg", name, re.I)
    if about and callable(default):
        return default()
    if isinstance(hint, type) and _MODEL.search(hint.__name__):
        try:
            return hint()
        except TypeError:
            pass
    if hint in (int, float, bool):
        return hint(1)
    if hint in (dict, list, set, tuple) and not about:
        return hint()
    return value_for(name) if _TEXT.search(name) else Pliable(name)


# --- a function -----------------------------------------------------------------------------


def run_function(world: World, drive: dict[str, Any]) -> None:
    module = load(world, drive)
    function = getattr(module, drive["function"])
    flags = [getattr(module, name, None) for name in drive["flags"]]

    def start() -> Any:
        for flag in flags:
            if isinstance(flag, (threading.Event, asyncio.Event)):
                flag.set()
        for name, value in vars(module).items():
            # ``loop = None``: what the host's main would have put there.
            if value is None and name.rstrip("_").endswith("loop"):
                try:
                    setattr(module, name, asyncio.get_running_loop())
                except RuntimeError:
                    break
        given = [
            value_for(name)
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
        return function(*given)

    def stop() -> None:
        for flag in flags:
            if isinstance(flag, (threading.Event, asyncio.Event)):
                flag.clear()

    conduct(world, drive, start, stop if flags else None)


# --- either ---------------------------------------------------------------------------------


def conduct(
    world: World,
    drive: dict[str, Any],
    start: Callable[[], Any],
    stop: Callable[[], Any] | None,
) -> None:
    """Starts the channel; holds the process afterwards where other channels would.

    An error of start() is what the host's manager would catch: it is noted, not a fault.
    """
    alone = drive["alone"]

    def failed(error: BaseException) -> None:
        line = f"start() raised {type(error).__name__}: {error}"
        world.log("host", line)
        world.settle(False)
        if not world.attempts:
            world.note(line)
        if alone:
            raise error

    async def asynchronous() -> None:
        loop = asyncio.get_running_loop()

        async def end() -> None:
            found = stop() if stop is not None else None
            if inspect.isawaitable(found):
                await found

        world.stop = lambda: loop.call_soon_threadsafe(lambda: loop.create_task(end()))
        try:
            found = start()
            if inspect.isawaitable(found):
                await found
            world.settle(True)
        except Exception as error:
            failed(error)
        if not alone or not inspect.isawaitable(found):
            await loop.create_future()

    def synchronous() -> None:
        world.stop = stop
        try:
            found = start()
            if isinstance(found, threading.Thread):
                found.join()
            world.settle(True)
        except Exception as error:
            failed(error)
        if not alone:
            world.scheduler.forever()

    if drive["is_async"]:
        asyncio.run(asynchronous())
    else:
        synchronous()


# --- the host's own modules ------------------------------------------------------------------


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles each file once for all starts; a module that fails gets a stand-in, but for the
    channel file."""

    codes: typing.ClassVar[dict[str, types.CodeType]] = {}
    world: typing.ClassVar[World]

    def get_code(self, fullname: str) -> Any:
        return self.compiled(self.get_filename(fullname))

    @classmethod
    def compiled(cls, path: str) -> types.CodeType:
        code = cls.codes.get(path)
        if code is None:
            with open(path, "rb") as file:
                source = file.read()
            code = compile(source, path, "exec", dont_inherit=True)
            cls.codes[path] = code
        return code

    def exec_module(self, module: types.ModuleType) -> None:
        try:
            super().exec_module(module)
        except (Ended, KeyboardInterrupt):
            raise
        except BaseException as error:
            world = self.world
            if module.__file__ == world.channel_file or world.living().dead:
                raise
            if isinstance(error, ImportError) and _asked_for(error):
                raise
            name = module.__name__
            world.note(f"{name} cannot be loaded here, a stand-in took its place: {error}")
            _stand_in(module)


def _asked_for(error: ImportError) -> bool:
    """A missing module of the standard library: hosts ask for some with a try around it."""
    return (error.name or "").partition(".")[0] in sys.stdlib_module_names


def _stand_in(module: types.ModuleType) -> None:
    module.__class__ = Module


def hook(roots: list[str]) -> Any:
    """A path hook for the host's own folders."""
    inner = importlib.machinery.FileFinder.path_hook((Loader, [".py"]))

    def finder(path: str) -> Any:
        if any(path == root or path.startswith(root + os.sep) for root in roots):
            return inner(path)
        raise ImportError("not of the host")

    return finder
