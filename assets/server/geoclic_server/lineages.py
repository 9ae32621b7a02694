"""What certbot keeps on the disk, in every half state that it can be left in, and how each is put right.

A lineage is a name with a renewal file, an archive of generations, and links in `live` to the four files of one of them.
Certbot itself goes on beside a broken one under another name (`NAME-0001`), or refuses for ever ("archive directory
exists"); here links are made again where a whole generation is left, and what cannot be mended is set aside, never deleted.
"""

import fcntl
import json
import os
import re
import shutil
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path("/etc/letsencrypt")
KINDS = ("cert", "chain", "fullchain", "privkey")
_ASIDE = "geoclic-aside"


@dataclass(frozen=True)
class Lineage:
    name: str
    renewal: str
    """Text of its renewal file; empty where it is missing or does not name the four files."""
    serving: int | None
    """Generation that all four links lead to, if it is whole."""
    generations: tuple[int, ...]
    """Whole ones of the archive: four files that fit each other."""
    broken: tuple[int, ...]
    """Later than every whole one, and not whole: what a renewal left that was cut."""

    @property
    def is_whole(self) -> bool:
        return self.renewal != "" and self.serving is not None and not self.broken

    @property
    def can_be_linked(self) -> bool:
        return self.renewal != "" and len(self.generations) > 0

    @property
    def server(self) -> str | None:
        return _parameter(self.renewal, "server")

    @property
    def account(self) -> str | None:
        return _parameter(self.renewal, "account")


def live(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "live" / name


def renewal_file(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "renewal" / f"{name}.conf"


def of(domain: str, root: Path | None = None) -> list[Lineage]:
    """Every lineage that bears a domain's name, with or without certbot's `-0001`, the plain one first."""
    root = root or ROOT
    names = {path.name.removesuffix(".conf") if part == "renewal" else path.name
             for part in ("renewal", "live", "archive") for path in (root / part).glob(f"{domain}*")}
    return [look(name, root) for name in sorted(names) if re.fullmatch(rf"{re.escape(domain)}(-\d{{4}})?", name)]


def look(name: str, root: Path) -> Lineage:
    archive = root / "archive" / name
    numbers = {int(found[1]) for path in archive.glob("*.pem") if (found := re.fullmatch(r"(?:cert|chain|fullchain|privkey)(\d+)\.pem", path.name))}
    whole = sorted(number for number in numbers if _is_generation(archive, number))
    broken = sorted(number for number in numbers if number not in whole and number > max(whole, default=0))
    try:
        text = renewal_file(name, root).read_text(errors="replace")
    except OSError:
        text = ""
    names_all = all(re.search(rf"^{kind} = \S", text, re.MULTILINE) for kind in KINDS)
    return Lineage(name, text if names_all else "", _serving(root / "live" / name, archive, whole), tuple(whole), tuple(broken))


def chosen(found: Sequence[Lineage], ends: Sequence[datetime]) -> Lineage | None:
    """The one whose certificate ends last (`ends`: of each), of equals the plain name."""
    best = max(range(len(found)), key=lambda index: (ends[index], -index), default=None)
    return None if best is None else found[best]


def repair(domain: str, root: Path | None = None) -> list[str]:
    """Makes every lineage of a domain whole or sets it aside. What was done, a line each."""
    root, done = root or ROOT, []
    with _certbots_lock(root) as is_held:
        # One that works here just now is about to finish what looks broken.
        found = of(domain, root) if is_held else []
        done += [line for lineage in found if (line := _repaired(lineage, root))]
    return done


def _repaired(lineage: Lineage, root: Path) -> str | None:
    if lineage.is_whole:
        return None
    if lineage.can_be_linked:
        for number in lineage.broken:
            _set_aside([root / "archive" / lineage.name / f"{kind}{number}.pem" for kind in KINDS], root)
        _link(lineage, root)
        return f"{lineage.name}: linked to its generation {lineage.generations[-1]} again"
    _set_aside([renewal_file(lineage.name, root), root / "live" / lineage.name, root / "archive" / lineage.name], root)
    return f"{lineage.name}: what certbot left of it is in {root / _ASIDE}"


def accounts(server: str, root: Path | None = None) -> list[str]:
    """Ids of the whole accounts at an ACME server, the newest first."""
    found = []
    for folder in _accounts_folder(server, root or ROOT).glob("*"):
        try:
            contents = [json.loads((folder / name).read_text()) for name in ("meta.json", "regr.json", "private_key.json")]
        except (OSError, ValueError):
            continue
        found.append((str(contents[0].get("creation_dt", "")), folder.name))
    return [account for _, account in sorted(found, reverse=True)]


def account_for(known: Sequence[str], wanted: str | None) -> str | None:
    """The lineage's own where it is there, else the newest; None: there is none."""
    return wanted if wanted in known else next(iter(known), None)


def forget_account(server: str, account: str, root: Path | None = None) -> None:
    root = root or ROOT
    _set_aside([_accounts_folder(server, root) / account], root)


def _accounts_folder(server: str, root: Path) -> Path:
    return root / "accounts" / re.sub(r"^https?://", "", server)


def _serving(folder: Path, archive: Path, whole: Sequence[int]) -> int | None:
    for number in whole:
        if all((folder / f"{kind}.pem").is_symlink() and os.path.realpath(folder / f"{kind}.pem") == os.path.realpath(archive / f"{kind}{number}.pem") for kind in KINDS):
            return number
    return None


def _link(lineage: Lineage, root: Path) -> None:
    folder, number = root / "live" / lineage.name, lineage.generations[-1]
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        fresh = folder / f".{kind}.pem"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(f"../../archive/{lineage.name}/{kind}{number}.pem")
        os.replace(fresh, folder / f"{kind}.pem")


@contextmanager
def _certbots_lock(root: Path) -> Iterator[bool]:
    """The lock that certbot itself takes on its folder; False where somebody has it."""
    root.mkdir(parents=True, exist_ok=True)
    with open(root / ".certbot.lock", "w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _set_aside(paths: Sequence[Path], root: Path) -> None:
    place = root / _ASIDE / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S%fZ}"
    place.mkdir(parents=True, mode=0o700)
    (root / _ASIDE).chmod(0o700)
    for path in paths:
        if path.is_symlink() or path.exists():
            target = place / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)


def _is_generation(archive: Path, number: int) -> bool:
    """As certbot judges: the key fits, and the full chain is the certificate and its chain."""
    cert, chain, full, key = (archive / f"{kind}{number}.pem" for kind in KINDS)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(full, key, password="")
        return cert.read_bytes() + chain.read_bytes() == full.read_bytes()
    except (OSError, ValueError):
        return False


def _parameter(renewal: str, name: str) -> str | None:
    found = re.search(rf"^{name} = (\S+)$", renewal, re.MULTILINE)
    return found[1] if found else None
