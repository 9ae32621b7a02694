"""Disk and memory of this server."""

import os
import shutil

from . import layout


def disk_percents() -> dict[str, int]:
    """Used per cent of each file system that matters, as `df` counts it."""
    usages = {path: shutil.disk_usage(path) for path in _file_systems()}
    return {path: round(100 * usage.used / (usage.used + usage.free)) for path, usage in usages.items()}


def inode_percents() -> dict[str, int]:
    """Used per cent of the files that each may hold; a file system without such a limit is left out."""
    told = {path: os.statvfs(path) for path in _file_systems()}
    return {path: round(100 * (one.f_files - one.f_ffree) / one.f_files) for path, one in told.items() if one.f_files}


def _file_systems() -> list[str]:
    """A path on each."""
    seen: dict[int, str] = {}
    for path in ("/", str(layout.ROOT), "/var/lib/docker"):
        if os.path.exists(path):
            seen.setdefault(os.stat(path).st_dev, path)
    return list(seen.values())


def memory_percent() -> int:
    total, available = memory_kib()
    return round(100 * (total - available) / total)


def memory_kib() -> tuple[int, int]:
    """Total and available."""
    with open("/proc/meminfo") as file:
        values = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in file)}
    return values["MemTotal"], values.get("MemAvailable", values["MemFree"])
