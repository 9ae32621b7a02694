"""What must hold whatever was killed: each function returns what is broken, in words."""

import hashlib
import json
from pathlib import Path

from . import suite
from .cluster import SqlRefused
from .machine import Ended, Machine


def always(machine: Machine) -> list[str]:
    """Whoever looks, whenever nothing runs."""
    return [*_rows(machine), *_ledger(machine), *_way_back(machine), *_volumes(machine), *_backups(machine)]


def settled(machine: Machine) -> list[str]:
    """After what puts a town right: an activation that succeeded, a boot, the monitor."""
    broken = []
    marker = machine.json("shared/state/maintenance.json")
    if machine.town.is_page_on and marker is None:
        broken.append("the page is on, and no run and no marker tells why")
    current = suite.KINDS.get(machine.current or "")
    is_told = marker is not None or "SCHEMA_BEHIND" in machine.findings()
    if current and not is_told and not machine.town.is_page_on and current.column not in _columns(machine):
        broken.append(f"the running release needs the column {current.column}, the schema has {', '.join(sorted(_columns(machine)))}, and no marker tells")
    return broken


def after_boot(machine: Machine, proven: set[str]) -> list[str]:
    """`proven`: ids of containers that served before, or passed a gate."""
    noted = machine.json("shared/state/rollout.json")
    if noted and noted["committed"]:
        return [f"the commit of {noted['release']} was noted, and the boot did not bring it to its end"]
    marker = machine.json("shared/state/maintenance.json")
    is_public = bool(marker and marker.get("public"))
    if machine.town.is_page_on or is_public:
        return []
    serving = [one for one in machine.town.serving() if one["id"] not in proven and one["image"].split(":")[1] != machine.current]
    return [f"{one['image']} serves after the boot, and no gate has seen it" for one in serving]


def outcome(machine: Machine, ended: Ended, kind: suite.Kind, *, must_succeed: bool) -> list[str]:
    """Of an activation that ran to its end."""
    last = _last_end(machine)
    if ended.is_killed:
        return ["it was killed by nobody"]
    if ended.status == 0:
        return [*(["it says succeeded, its journal does not"] if last.get("outcome") != "succeeded" else []), *runs(machine, kind)]
    broken = [f"it fails with nothing in its way: {ended.failure or ended.said[-400:]}: {_cause(ended)}"] if must_succeed else []
    if ended.failure in ("", "DEFECT"):
        broken.append(f"it fails without a failure's words: {ended.said[-600:]}")
    if last.get("outcome") != "failed":
        broken.append("it failed, its journal does not say so")
    if ended.failure != "UNDO_FAILED" and machine.has_way_back and not machine.town.is_healthy and not machine.town.is_page_on:
        broken.append(f"the containers of before are there, and the town is down: {_cause(ended)}")
    if "serves on" in _cause(ended) and not machine.town.is_healthy:
        broken.append(f"it says that a release serves on, and the town is not healthy: {_cause(ended)}")
    return broken


def afterwards(machine: Machine, ended: Ended) -> list[str]:
    """Once what made an activation fail is gone, and the monitor has looked: the town is up, or somebody was told."""
    if machine.town.is_healthy or machine.current is None or ended.failure == "UNDO_FAILED":
        return []
    marker = machine.json("shared/state/maintenance.json")
    if (machine.town.is_page_on and marker is not None) or "SCHEMA_BEHIND" in machine.findings():
        return []
    return [f"the town stays down{' behind the page' if machine.town.is_page_on else ''}, and {ended.failure or 'nobody'} does not tell: {_cause(ended)}"]


def newest_backup(machine: Machine, *, every_row: bool = False) -> list[str]:
    """It is whole; `every_row`: it has all that the public wrote."""
    newest = max(machine.backups(), default=None)
    if newest is None:
        return ["there is no backup"]
    lacking = [row for row in machine.town.rows() if not machine.dump_has(newest / "database.dump", f"{row}\t")] if every_row else []
    return [f"the last backup lacks {len(lacking)} rows that the public wrote: {', '.join(lacking[:3])}"] if lacking else []


def _backups(machine: Machine) -> list[str]:
    """What has a backup's name is one, whole; the newest three of before are never expired."""
    broken = []
    for folder in machine.backups():
        manifest = json.loads((folder / "manifest.json").read_text()) if (folder / "manifest.json").exists() else None
        if manifest is None:
            broken.append(f"the backup {folder.name} has no manifest")
            continue
        for part in (manifest["database"], manifest["files"]):
            file = folder / part["file"]
            if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != part["sha256"]:
                broken.append(f"{file.name} of backup {folder.name} is not what its manifest says")
    kept = machine.state.read().get("backups", [])
    names = {folder.name for folder in machine.backups()}
    newest = sorted({*names, *kept})[-3:]
    gone = [name for name in newest if name not in names]
    if gone:
        broken.append(f"of the newest three backups {', '.join(gone)} is gone")
    return broken


def certificate(machine: Machine) -> list[str]:
    """What certbot has is served, and would be after a restart."""
    live = machine.root / f"etc/letsencrypt/live/{suite.DOMAIN}/fullchain.pem"
    wanted = next((serial for serial, pair in machine.state.read()["certificates"].items() if pair[0] == live.read_text()), None)
    served = machine.town.served_certificate()
    return [] if served == wanted else [f"the certificate {wanted} is there, {served or 'none'} is served"]


def opened_again(machine: Machine, ended: Ended) -> list[str]:
    return [] if machine.town.is_healthy else ["the town stays closed, and nobody ended it"]


def _rows(machine: Machine) -> list[str]:
    rows = machine.town.rows()
    if not rows:
        return []
    try:
        present = {name for (name,) in machine.cluster.ask(suite.DATABASE, "select id from public.reports")}
    except SqlRefused as error:
        return [f"the public's rows cannot be read: {error}"]
    gone = [row for row in rows if row not in present]
    return [f"{len(gone)} of {len(rows)} rows that the public wrote are gone: {', '.join(gone[:3])}"] if gone else []


def _columns(machine: Machine) -> set[str]:
    rows = machine.cluster.ask(suite.DATABASE, "select attname from pg_attribute where attrelid = to_regclass('public.reports') and attnum > 0 and not attisdropped")
    return {str(name) for (name,) in rows}


def _ledger(machine: Machine) -> list[str]:
    if suite.DATABASE not in machine.cluster.databases():
        return ["the town's database is gone"] if machine.town.rows() else []
    names, columns = machine.ledger(), _columns(machine)
    broken: list[str] = []
    if names is None and (machine.opt / "deploy/docker-compose.yml").exists():
        # Until an adoption has ended, somebody else may migrate.
        return broken
    for name in suite.SQL:
        number = int(name[:3])
        found = [part for part in ("first", "last") if f"m{number}_{part}" in columns]
        is_told = names is not None and name in names
        if is_told != (len(found) == 2) or len(found) == 1:
            broken.append(f"the ledger {'has' if is_told else 'lacks'} {name}, the schema has {' and '.join(found) or 'nothing'} of it")
    return broken


def _way_back(machine: Machine) -> list[str]:
    """While a marker names a dump, it is there and holds the schema of before."""
    marker = machine.json("shared/state/maintenance.json")
    dump = marker.get("dump") if isinstance(marker, dict) else None
    if not dump:
        return []
    if not Path(dump).exists():
        return [f"the way back, {Path(dump).name}, is gone"]
    changed = [name for name in suite.M23 if machine.dump_has(Path(dump), name)]
    return [f"the way back, {Path(dump).name}, holds {', '.join(changed)} of the release that is to be undone"] if changed else []


def _volumes(machine: Machine) -> list[str]:
    return [str(found) for found in machine.state.read()["exclusions"]]


def runs(machine: Machine, kind: suite.Kind) -> list[str]:
    broken = []
    if machine.current != kind.id:
        broken.append(f"it says succeeded, and current is {machine.current}")
    for service, image in kind.images.items():
        running = [one for one in machine.state.read()["containers"] if one["service"] == service and one["status"] == "running"]
        if [one["image"] for one in running] != [image]:
            broken.append(f"it says succeeded, and of {service} runs {', '.join(one['image'] for one in running) or 'nothing'}, not {image} alone")
        for one in running:
            if one["policy"] == "no":
                broken.append(f"it says succeeded, and {one['image']} would not come back after a reboot")
    if machine.town.is_page_on:
        broken.append("it says succeeded, and the page is on")
    elif not machine.town.is_healthy:
        broken.append("it says succeeded, and the town is not healthy")
    if machine.json("shared/state/maintenance.json") is not None:
        broken.append("it says succeeded, and the marker of the page is still there")
    if "geoclic" not in machine.state.read()["enabled"]:
        broken.append("it says succeeded, and a boot would not start its unit")
    lacking = [name for name in kind.migrations if name not in (machine.ledger() or [])]
    if lacking:
        broken.append(f"it says succeeded, and {', '.join(lacking)} did not run")
    return broken


def _last_end(machine: Machine) -> dict:
    path = machine.opt / "shared/state/activation.jsonl"
    ends = [entry for line in (path.read_text().splitlines() if path.exists() else []) if (entry := json.loads(line)).get("kind") == "end"]
    return ends[-1] if ends else {}


def _cause(ended: Ended) -> str:
    lines = [line for line in ended.said.splitlines() if line.startswith("error ")]
    return lines[-1][:500] if lines else ""
