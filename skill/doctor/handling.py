"""The commands that stop and start a service, as its manager has them."""

from __future__ import annotations

from skill.commands.shell import quoted
from skill.doctor.running import Running
from skill.service.model import Service


def stop(service: Service) -> str:
    """Nothing for what only a person can end."""
    name = quoted(service.name)
    match service.kind:
        case "systemd":
            return f"{service.own.manager.command} stop {name}"
        case "launchd":
            return f"{service.own.sudo}launchctl bootout {service.own.typed}/{name}"
        case "supervisord":
            return f"supervisorctl -c {quoted(service.own.daemon.main)} stop {name}"
        case "pm2":
            return f"pm2 stop {name}"
        case "compose":
            return f"docker compose{of_file(service)} stop {name}"
        case "docker":
            return f"docker stop {name}"
    return ""


def start(service: Service) -> str:
    name = quoted(service.name)
    match service.kind:
        case "launchd" if service.path:
            own = service.own
            return f"{own.sudo}launchctl bootstrap {own.typed} {quoted(service.path)}"
        case "compose":
            return f"docker compose{of_file(service)} up -d {name}"
    return stop(service).replace(" stop ", " start ", 1)


def restart(service: Service) -> str:
    match service.kind:
        case "launchd":
            own = service.own
            return f"{own.sudo}launchctl kickstart -k {own.typed}/{quoted(service.name)}"
        case "compose":
            return f"docker compose{of_file(service)} up -d --build {quoted(service.name)}"
    return stop(service).replace(" stop ", " restart ", 1)


def reset_failed(service: Service) -> str:
    return f"{service.own.manager.command} reset-failed {quoted(service.name)} || true"


def of_file(service: Service) -> str:
    return f" -f {quoted(service.path)}" if service.path else ""


def end(process: Running) -> str:
    return f"kill {process.pid}"


def is_up(service: Service) -> bool:
    """Whether it runs, or waits to be started again."""
    return service.state.startswith("activ")
