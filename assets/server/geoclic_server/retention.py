"""What is kept and what may go. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone

STAMP = "%Y%m%dT%H%M%SZ"


def reserve(total: int) -> int:
    """Bytes of a disk that backups and restores leave free: PostgreSQL stops where it cannot write."""
    return max(1 << 30, total // 20)


def stamp_time(name: str) -> datetime | None:
    """Time of a folder such as 20261123T020000Z; None for any other name."""
    try:
        return datetime.strptime(name, STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def expired_backups(names: Sequence[str], now: datetime, days: int = 7) -> list[str]:
    """Backups older than `days`, oldest first; never the newest one, and nothing that is no backup of ours."""
    times = {name: time for name in names if (time := stamp_time(name))}
    newest = max(times, key=times.__getitem__, default=None)
    old = [name for name, time in times.items() if name != newest and time < now - timedelta(days=days)]
    return sorted(old)


def expired_dumps(names: Sequence[str], kept: Collection[str] = (), keep: int = 3) -> list[str]:
    """Dumps made before updates (before-RELEASE-STAMP.dump), all but the newest ones and those that are `kept`: a way back that is still needed."""
    dumps = [name for name in names if name.startswith("before-") and name.endswith(".dump")]
    old = sorted(dumps, key=lambda name: name.rsplit("-", 1)[-1])[: max(0, len(dumps) - keep)]
    return [name for name in old if name not in kept]


def expired_releases(delivered: Mapping[str, float], running: str | None, former: str | None, others: int) -> list[str]:
    """Releases (id → time of delivery) that are neither running nor the former nor among the newest others."""
    candidates = [release for release in delivered if release not in (running, former)]
    newest_first = sorted(candidates, key=lambda release: (-delivered[release], release))
    return newest_first[others:]


def unused_images(present: Sequence[str], suite: str, used: Sequence[str]) -> list[str]:
    """Images of the suite (`geoclic/api:…`) that no kept release names."""
    return sorted(image for image in present if image.startswith(f"{suite}/") and image not in used)
