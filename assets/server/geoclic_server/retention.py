"""What is kept and what may go. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone

STAMP = "%Y%m%dT%H%M%SZ"
_DAYS = timedelta(days=7)
_NEWEST = 3
_FLOOR = 2
_CLOCK_AHEAD = timedelta(days=3)
_CLOCK_BACK = timedelta(days=1)
_ROWS = 100
"""Fewer are no sign of anything."""


def reserve(total: int) -> int:
    """Bytes of a disk that backups and restores leave free: PostgreSQL stops where it cannot write."""
    return max(1 << 30, total // 20)


def free_stamp(is_taken: Callable[[str], bool], now: datetime | None = None, form: str = STAMP) -> str:
    """Now, or the next second whose name is free: two of one second, or a clock that was set back, put nothing in the place of another."""
    moment = now or _now()
    while is_taken(stamp := moment.strftime(form)):
        moment += timedelta(seconds=1)
    return stamp


def _now() -> datetime:
    return datetime.now(timezone.utc)


def stamp_time(name: str) -> datetime | None:
    """Time of a folder such as 20261123T020000Z; None for any other name."""
    try:
        return datetime.strptime(name, STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def expired_backups(complete: Mapping[str, int], now: datetime, *, free: int = 0, needed: int = 0, kept: Collection[str] = ()) -> list[str]:
    """Backups to remove before another one is made, oldest first.

    `complete`: bytes by name of each whole backup; `free`, `needed`: bytes, the reserve in `needed`; `kept` stay in any case.
    Those older than a week go, but never the newest three; nothing is old where the clock is far from the newest, ahead or back.
    Where room is short the oldest go too, down to the newest two, if that gives room enough.
    """
    known = sorted(name for name in complete if (time := stamp_time(name)) and time <= now + _CLOCK_BACK)
    if not known:
        return []
    is_sane = now - _time(known[-1]) <= _CLOCK_AHEAD
    chosen = [name for name in known[:-_NEWEST] if is_sane and name not in kept and _time(name) < now - _DAYS]
    more: list[str] = []
    for name in known[:-_FLOOR]:
        if free + _sum(complete, chosen + more) >= needed:
            break
        if name not in kept and name not in chosen:
            more.append(name)
    is_enough = free + _sum(complete, chosen + more) >= needed
    return sorted(chosen + more) if is_enough else chosen


def before_collapse(tables: Mapping[str, Mapping[str, int]]) -> str | None:
    """The newest backup of whose rows every later one has less than half; None where rows never fell so.

    `tables`: rows by table, by backup. Only tables that both have are compared: one that a migration drops is no loss.
    """
    names = sorted(tables)
    for index in range(len(names) - 2, -1, -1):
        if all(_fell(tables[names[index]], tables[later]) for later in names[index + 1 :]):
            return names[index]
    return None


def _fell(before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    common = before.keys() & after.keys()
    rows = sum(before[table] for table in common or before)
    return rows >= _ROWS and sum(after[table] for table in common) * 2 < rows


def _sum(complete: Mapping[str, int], names: Sequence[str]) -> int:
    return sum(complete[name] for name in names)


def _time(name: str) -> datetime:
    time = stamp_time(name)
    assert time
    return time


def expired_dumps(names: Sequence[str], kept: Collection[str] = (), keep: int = 3) -> list[str]:
    """Dumps made before updates (before-RELEASE-STAMP.dump), all but the newest ones and those that are `kept`: a way back that is still needed."""
    dumps = [name for name in names if name.startswith("before-") and name.endswith(".dump")]
    old = sorted(dumps, key=lambda name: name.rsplit("-", 1)[-1])[: max(0, len(dumps) - keep)]
    return [name for name in old if name not in kept]


def expired_releases(delivered: Mapping[str, float], kept: Collection[str | None], others: int) -> list[str]:
    """Releases (id → time of delivery) that are neither `kept` nor among the newest others."""
    candidates = [release for release in delivered if release not in kept]
    newest_first = sorted(candidates, key=lambda release: (-delivered[release], release))
    return newest_first[others:]


def unused_images(present: Sequence[str], suite: str, used: Sequence[str]) -> list[str]:
    """Images of the suite (`geoclic/api:…`) that no kept release names."""
    return sorted(image for image in present if image.startswith(f"{suite}/") and image not in used)
