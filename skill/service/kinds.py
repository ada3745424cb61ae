"""The process managers that ``skillgen service`` knows: how each looks, and how each is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from skill.host import Host
from skill.options import ServiceOptions
from skill.service import compose, drop_in, launchd, pm2, record, supervisord, systemd, wrapper
from skill.service.changes import Changes
from skill.service.model import Look, Service
from skill.service.tools import Tools

LOOKS: tuple[Callable[[Host, Tools], Iterator[Look | Service]], ...] = (
    systemd.look,
    launchd.look,
    supervisord.look,
    pm2.look,
    compose.look,
    wrapper.look,
)
PLANS: dict[str, Callable[[Host, Tools, Service, ServiceOptions], Changes]] = {
    "systemd": drop_in.plan,
    "launchd": launchd.plan,
    "supervisord": supervisord.plan,
    "pm2": pm2.plan,
    "compose": compose.plan,
    "docker": compose.plan_alone,
}
BACKS: tuple[Callable[[Host, Tools, tuple[str, ...]], Changes], ...] = (
    drop_in.take_back,
    record.take_back,
)
