"""The clocks that a host may read, all from one."""

from __future__ import annotations

import datetime
import time
from typing import Any

from .scheduler import Scheduler

# The wall clock at virtual second 0: 2026-03-01T00:00:00Z, as in the TypeScript engine.
EPOCH = 1_772_323_200.0
# A machine has been up for a while: code that takes 0 for "never" is not misled.
BOOT = 1_000.0

REAL = {name: getattr(time, name) for name in ("monotonic", "localtime", "gmtime", "strftime")}


def install(scheduler: Scheduler) -> None:
    """Puts virtual clocks in the place of those of ``time`` and ``datetime``."""

    def wall() -> float:
        return EPOCH + scheduler.now

    def up() -> float:
        return BOOT + scheduler.now

    changed: dict[str, Any] = {
        "time": wall,
        "monotonic": up,
        "perf_counter": up,
        "time_ns": lambda: int(wall() * 1e9),
        "monotonic_ns": lambda: int(up() * 1e9),
        "perf_counter_ns": lambda: int(up() * 1e9),
        "sleep": lambda seconds: scheduler.sleep(float(seconds)),
        "localtime": lambda seconds=None: REAL["localtime"](wall() if seconds is None else seconds),
        "gmtime": lambda seconds=None: REAL["gmtime"](wall() if seconds is None else seconds),
        "strftime": lambda form, when=None: REAL["strftime"](
            form, REAL["localtime"](wall()) if when is None else when
        ),
        "ctime": lambda seconds=None: REAL["strftime"](
            "%a %b %e %H:%M:%S %Y", REAL["localtime"](wall() if seconds is None else seconds)
        ),
    }
    for name, value in changed.items():
        setattr(time, name, value)

    real_datetime: Any = datetime.datetime
    real_date: Any = datetime.date

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_datetime)

    class Date(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_date)

    class VirtualDatetime(real_datetime, metaclass=Meta):  # type: ignore[misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(wall(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(wall(), datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(wall())

    class VirtualDate(real_date, metaclass=Date):  # type: ignore[misc]
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(wall())

    VirtualDatetime.__name__ = VirtualDatetime.__qualname__ = "datetime"
    VirtualDate.__name__ = VirtualDate.__qualname__ = "date"
    datetime.datetime = VirtualDatetime  # type: ignore[misc]
    datetime.date = VirtualDate  # type: ignore[misc]
