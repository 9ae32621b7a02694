"""Disk and memory of this server."""

import os
import shutil

from . import layout


def disk_percents() -> dict[str, int]:
    """Used per cent of each file system that matters, as `df` counts it."""
    seen: dict[int, tuple[str, int]] = {}
    for path in ("/", str(layout.ROOT), "/var/lib/docker"):
        if not os.path.exists(path):
            continue
        usage = shutil.disk_usage(path)
        seen.setdefault(os.stat(path).st_dev, (path, round(100 * usage.used / (usage.used + usage.free))))
    return dict(seen.values())


def memory_percent() -> int:
    total, available = memory_kib()
    return round(100 * (total - available) / total)


def memory_kib() -> tuple[int, int]:
    """Total and available."""
    with open("/proc/meminfo") as file:
        values = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in file)}
    return values["MemTotal"], values.get("MemAvailable", values["MemFree"])
