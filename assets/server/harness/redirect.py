"""The tool's own modules, made to look at an imitated server: its folders, its clock."""

import datetime
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geoclic_server

_PLACES = re.compile(r"/(opt/geoclic|etc/(systemd|letsencrypt|geoclic|cron\w*|nginx)|var/lib/docker|run/geoclic)(/|$)")


def modules() -> list[ModuleType]:
    return [importlib.import_module(f"geoclic_server.{found.name}") for found in pkgutil.iter_modules(geoclic_server.__path__)]


def paths(root: Path) -> None:
    """Every constant of theirs that is a path of a server leads below `root`, in whatever it is wrapped."""

    def led(value: Any) -> Any:
        if isinstance(value, Path):
            return root / str(value)[1:] if _PLACES.match(str(value)) else value
        if isinstance(value, str):
            return f"{root}{value}" if _PLACES.match(value) else value
        if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
            return type(value)(led(inner) for inner in value)
        if isinstance(value, (set, frozenset)):
            return type(value)(led(inner) for inner in value)
        if isinstance(value, dict):
            return {led(key): led(inner) for key, inner in value.items()}
        return value

    for module in modules():
        for name, value in list(vars(module).items()):
            if not name.startswith("__"):
                if isinstance(value, (Path, str, tuple, list, set, frozenset, dict)):
                    setattr(module, name, led(value))
                for function in _functions(value, module):
                    if function.__defaults__:
                        function.__defaults__ = led(function.__defaults__)
                    if function.__kwdefaults__:
                        function.__kwdefaults__ = led(function.__kwdefaults__)


def _functions(value: Any, module: ModuleType) -> list[Any]:
    if inspect.isfunction(value) and value.__module__ == module.__name__:
        return [value]
    if inspect.isclass(value) and value.__module__ == module.__name__:
        return [inner for inner in vars(value).values() if inspect.isfunction(inner)]
    return []


def clock(now: Callable[[], float]) -> None:
    """`datetime` as the modules imported it tells the imitated time."""

    class Datetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "datetime.datetime":
            return datetime.datetime.fromtimestamp(now(), tz)

        @classmethod
        def utcnow(cls) -> "datetime.datetime":
            return datetime.datetime.fromtimestamp(now(), datetime.timezone.utc).replace(tzinfo=None)

    for module in modules():
        if vars(module).get("datetime") is datetime.datetime:
            module.datetime = Datetime  # type: ignore[attr-defined]
