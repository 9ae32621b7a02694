"""What is kept and what may go. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

STAMP = "%Y%m%dT%H%M%SZ"


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


def expired_dumps(names: Sequence[str], keep: int = 3) -> list[str]:
    """Dumps made before updates (before-RELEASE-STAMP.dump), all but the newest ones."""
    dumps = [name for name in names if name.startswith("before-") and name.endswith(".dump")]
    return sorted(dumps, key=lambda name: name.rsplit("-", 1)[-1])[:-keep] if keep else dumps


def expired_releases(delivered: Mapping[str, float], running: str | None, former: str | None, others: int) -> list[str]:
    """Releases (id → time of delivery) that are neither running nor the former nor among the newest others."""
    candidates = [release for release in delivered if release not in (running, former)]
    newest_first = sorted(candidates, key=lambda release: (-delivered[release], release))
    return newest_first[others:]


def unused_images(present: Sequence[str], suite: str, used: Sequence[str]) -> list[str]:
    """Images of the suite (`geoclic/api:…`) that no kept release names."""
    return sorted(image for image in present if image.startswith(f"{suite}/") and image not in used)
