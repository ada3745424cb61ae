"""Stand-ins for packages that are not the host's own.

None of them is looked for on the machine: what is run is the host's code alone, so a run says
the same wherever it is made. A stand-in gives back more of its kind for whatever is asked.
pydantic's models and loguru's logger are near enough to the real ones for channel code.
"""

from __future__ import annotations

import copy
import functools
import importlib
import importlib.abc
import importlib.machinery
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

_ERROR = re.compile(
    r"(?:Error|Exception|Warning|Timeout|Closed(?:OK)?|Cancelled|Interrupt|Failed|Failure|Abort)$"
)
_TRUE = re.compile(
    r"url|uri|host|bridge|token|path|db|database|name|phone|enabled|number|id\b", re.I
)


class Pliable(str):
    """A value that is text, and whatever else is asked of it; false unless it has text."""

    _name: str

    def __new__(cls, name: str = "", text: str = "") -> Pliable:
        made = super().__new__(cls, text)
        made._name = name
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return stand_in(f"{self._name}.{name}")

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        # As a decorator it gives back what it is put on.
        if len(arguments) == 1 and not named and isinstance(arguments[0], (type, _FUNCTION)):
            return arguments[0]
        return Pliable(f"{self._name}()")

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, (int, slice)):
            return str.__getitem__(self, key) if self else Pliable(self._name)
        return value_for(str(key))

    def get(self, key: str, default: Any = None) -> Any:
        return value_for(key) if default is None else default

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __await__(self) -> Any:
        return _settled(self).__await__()

    def __aiter__(self) -> Any:
        return _nothing()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __int__(self) -> int:
        return 0

    __index__ = __int__

    def __float__(self) -> float:
        return 0.0

    def __mro_entries__(self, _: Any) -> tuple[type, ...]:
        return (StandIn,)

    def __or__(self, _: Any) -> Any:
        return StandIn

    __ror__ = __or__

    def __hash__(self) -> int:
        return str.__hash__(self)


_FUNCTION = (types.FunctionType, types.MethodType, staticmethod, classmethod, property)


async def _settled(value: Any) -> Any:
    return value


async def _nothing() -> Any:
    for item in list[Any]():
        yield item


class _Kind(type):
    """The class of stand-in classes: attributes, members, generics."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return stand_in(f"{cls.__name__}.{name}")

    def __getitem__(cls, _: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())


class StandIn(metaclass=_Kind):
    """A class that takes anything, to be subclassed or made."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, *_: Any, **named: Any) -> None:
        for name, value in named.items():
            object.__setattr__(self, name, value)

    def __init_subclass__(cls, **_: Any) -> None:
        super().__init_subclass__()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return stand_in(name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return Pliable()(*arguments, **named)

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __await__(self) -> Any:
        return _settled(self).__await__()

    def __aiter__(self) -> Any:
        return _nothing()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __getitem__(self, key: Any) -> Any:
        return Pliable(str(key))

    def __setitem__(self, _: Any, __: Any) -> None:
        return None

    def __contains__(self, _: Any) -> bool:
        return False


def stand_in(name: str) -> Any:
    last = name.rpartition(".")[2]
    if _ERROR.search(last) and last[:1].isupper():
        return type(last, (Exception,), {})
    if last[:1].isupper() and not last.isupper():
        return _Kind(last, (StandIn,), {})
    return Pliable(name)


def value_for(name: str) -> Any:
    """A setting by its name: an address, a path and the like have text, the rest is off."""
    text = ""
    if re.search(r"url|uri|bridge|endpoint", name, re.I) and not re.search("token", name, re.I):
        text = "ws://127.0.0.1:3001"
    elif re.search(r"path|dir|folder|db|database|file", name, re.I):
        text = f"whatsapp-{re.sub(r'[^a-z]', '', name.lower())}"
    elif re.search(r"proxy|mapping|allow|block|deny", name, re.I):
        text = ""
    elif _TRUE.search(name):
        text = "whatsapp"
    return Pliable(name, text)


# --- modules --------------------------------------------------------------------------------


class Module(types.ModuleType):
    """_only: what this pattern matches is there, or is not; no stand-in for it."""

    _only: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        if self.__dict__.get("_only") and re.search(self._only, name):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = sys.modules.get(full)
        if value is None:
            value = importlib.import_module(full) if full in NEAR else stand_in(full)
        setattr(self, name, value)
        return value


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Comes last: any top-level name that is nowhere else."""

    def __init__(self, own: Callable[[str], bool], made: Callable[[str], object]) -> None:
        self.own, self.made = own, made

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        first = name.partition(".")[0]
        above, _, last = name.rpartition(".")
        only = getattr(sys.modules.get(above), "__dict__", {}).get("_only")
        if only and re.search(only, last):
            return None
        if self.own(first) or (first in sys.stdlib_module_names) or first.startswith("_"):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        self.made(spec.name.partition(".")[0])
        module = Module(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        fill = NEAR.get(module.__name__)
        if fill is not None:
            fill(module)


# --- near enough to the real ones -----------------------------------------------------------


def _pydantic(module: Any) -> None:
    missing = object()

    class FieldInfo:
        def __init__(self, default: Any, default_factory: Any) -> None:
            self.default, self.default_factory = default, default_factory

    def field(default: Any = missing, *, default_factory: Any = None, **_: Any) -> Any:
        return FieldInfo(default, default_factory)

    def snake(name: str) -> str:
        return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)

    class BaseModel:
        def __init__(self, **given: Any) -> None:
            given = {snake(name): value for name, value in given.items()}
            for kind in reversed(type(self).__mro__):
                for name in getattr(kind, "__annotations__", {}):
                    if name == "model_config" or name.startswith("_"):
                        continue
                    value = kind.__dict__.get(name, missing)
                    if isinstance(value, FieldInfo):
                        value = value.default_factory() if value.default_factory else value.default
                    value = None if value in (missing, ...) else copy.copy(value)
                    setattr(self, name, given.pop(name, value))
            for name, value in given.items():
                setattr(self, name, value)

        def __init_subclass__(cls, **_: Any) -> None:
            super().__init_subclass__()

        @classmethod
        def model_validate(cls, value: Any, **_: Any) -> Any:
            return value if isinstance(value, cls) else cls(**dict(value))

        def model_dump(self, **_: Any) -> dict[str, Any]:
            return dict(vars(self))

        def model_copy(self, *, update: Any = None, **_: Any) -> Any:
            return type(self)(**{**vars(self), **(update or {})})

        @classmethod
        def model_rebuild(cls, **_: Any) -> None:
            return None

        @classmethod
        def model_json_schema(cls, **_: Any) -> dict[str, Any]:
            return {}

        dict, copy, parse_obj = model_dump, model_copy, model_validate
        update_forward_refs = model_rebuild

    module.BaseModel = module.BaseSettings = BaseModel
    module.Field = module.PrivateAttr = field
    module.ConfigDict = module.SettingsConfigDict = lambda **given: given
    for name in ("field_validator", "model_validator", "validator", "root_validator"):
        setattr(module, name, lambda *_, **__: lambda function: None)
    for name in ("computed_field", "field_serializer", "model_serializer", "validate_call"):
        setattr(module, name, _kept)


def _kept(*arguments: Any, **_: Any) -> Any:
    if len(arguments) == 1 and callable(arguments[0]):
        return arguments[0]
    return lambda function: function


class Logger:
    """loguru's: the message is formatted with str.format."""

    def __init__(self, write: Callable[[str, str], object]) -> None:
        self._write = write

    def _say(self, level: str, message: Any, *arguments: Any, **named: Any) -> None:
        text = str(message)
        if arguments or named:
            try:
                text = text.format(*arguments, **named)
            except (LookupError, ValueError):
                text = f"{text} {arguments}"
        self._write(level, text)

    def __getattr__(self, name: str) -> Any:
        levels = ("trace", "debug", "info", "success", "warning", "error", "critical", "exception")
        if name in levels:
            return functools.partial(self._say, name)
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: self

    def log(self, level: Any, message: Any, *arguments: Any, **named: Any) -> None:
        self._say(str(level).lower(), message, *arguments, **named)

    def contextualize(self, **_: Any) -> Any:
        return Pliable("contextualize")

    def catch(self, *arguments: Any, **named: Any) -> Any:
        return _kept(*arguments, **named)


WRITE: list[Callable[[str, str], object]] = []


def _loguru(module: Any) -> None:
    module.logger = Logger(lambda level, text: WRITE[0](level, text))


def _uvloop(module: Any) -> None:
    import asyncio

    module.run, module.install = asyncio.run, lambda: None
    module.new_event_loop = asyncio.new_event_loop


def _anyio(module: Any) -> None:
    import asyncio

    module.sleep = lambda seconds: asyncio.sleep(seconds)
    module.run = lambda function, *arguments, **_: asyncio.run(function(*arguments))


NEAR: dict[str, Callable[[Any], None]] = {
    "pydantic": _pydantic,
    "pydantic_settings": _pydantic,
    "loguru": _loguru,
    "uvloop": _uvloop,
    "anyio": _anyio,
}
