"""An imitated server: a temporary root, an imitated engine, a real PostgreSQL; snapshots of it, and commands run on it."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import redirect, suite
from .cluster import Cluster, SqlRefused, scratch
from .docker import Docker
from .durability import Unsynced
from .effects import KILLED, Cut, Effects
from .process import Process
from .programs import Programs
from .state import State
from .town import Town

RENEWAL = ["(certbot renews)"]
_SECONDS = 600
_EPHEMERAL = ("activation.jsonl", "operation.lock")
_HOUR = 3600.0

_DRAWN = re.compile(r"(?<=^\.)(.+)\.[a-z0-9_]{8}$")
_CONTENT = f"""
select (select string_agg(attrelid::regclass || '.' || attname, ',' order by attrelid, attnum) from pg_attribute
          where attnum > 0 and not attisdropped and attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)),
       (select string_agg(query_to_xml(case tablename when '{suite.LEDGER}' then 'select name from public.{suite.LEDGER} order by 1'
          else format('select * from public.%I order by 1', tablename) end, true, true, '')::text, ',' order by tablename)
          from pg_tables where schemaname = 'public')
"""

Act = Sequence[Sequence[str]]
"""Commands of the tool set, one after another; a last word that begins with `<` is a command's standard input."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    said: str
    effects: tuple[str, ...]

    @property
    def is_killed(self) -> bool:
        return self.status == KILLED

    @property
    def failure(self) -> str:
        """Code of the failure that it told; empty for none."""
        lines = [line for line in self.said.splitlines() if line.startswith("error ")]
        return lines[-1].split()[1] if lines else ""


class Machine:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="geoclic-server-", dir=scratch()))
        self.root = self.folder / "work/root"
        self.opt = self.root / "opt/geoclic"
        self.cluster = Cluster()
        work = self.folder / "work"
        work.mkdir()
        self.state = State(work)
        self.docker = Docker(self.state, self.cluster, self.root)
        self.programs = Programs(self.state, self.docker, self.cluster.bin, self.root)
        self.town = Town(work, self.state, self.docker, self.cluster)
        self.unsynced = Unsynced(self.root, work / "unsynced.jsonl")
        redirect.paths(self.root)
        self._certificates = _certificates(self.folder)
        self._seen: dict[str, str] = {}
        self._look: Callable[[], str] | None = None

    def close(self) -> None:
        self.cluster.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self) -> None:
        """A server after its base: folders, environment, certificate, delivered releases, nothing that runs."""
        self.cluster.end_sessions()
        for database in self.cluster.databases():
            self.cluster.ask("postgres", f'drop database "{database}" with (force)')
        shutil.rmtree(self.folder / "work")
        for path in ("opt/geoclic/releases", "etc/systemd/system", "etc/geoclic", "etc/letsencrypt/live", "etc/letsencrypt/renewal", "var/lib/docker/volumes"):
            (self.root / path).mkdir(parents=True)
        for path in ("tls", "acme", "logs", "backups", "binds", "static", "public", "state"):
            (self.opt / "shared" / path).mkdir(parents=True)
        (self.opt / "server.d" / ("0" * 12)).mkdir(parents=True)
        (self.opt / "server").symlink_to(f"server.d/{'0' * 12}")
        self.state.begin()
        self.state.value.update(clock=float(int(time.time())), certificates=self._certificates, enabled=["certbot.timer"], tables=["inet geoclic"])
        self.programs.renew(self.state.value)
        self.state.write()
        photos = self.root / f"var/lib/docker/volumes/{suite.PROJECT}_photos_data/_data"
        photos.mkdir(parents=True)
        (photos / "1.jpg").write_text("a photo\n")
        self.do(["write-env"], stdin='{"secrets": ["DB_PASSWORD"]}\n' + suite.ENVIRONMENT)
        self.do(["certificate", "deploy", "--domain", suite.DOMAIN])

    # Snapshots.

    def save(self, name: str) -> None:
        self.state.read()["backups"] = [path.name for path in self.backups()] if name == "stage" else self.state.value.get("backups", [])
        self.state.write()
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder / "work", target, symlinks=True)
        self.cluster.save(name)

    def load(self, name: str) -> None:
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        shutil.copytree(self.folder / name, self.folder / "work", symlinks=True)
        self.cluster.load(name)

    def forget(self, name: str) -> None:
        shutil.rmtree(self.folder / name, ignore_errors=True)
        self.cluster.forget(name)

    def fingerprint(self) -> str:
        """Equal when nothing that a next act could see differs."""
        digest = hashlib.sha256()
        for folder, names, files in os.walk(self.root):
            names.sort()
            for name in sorted([*files, *names]):
                path = Path(folder, name)
                if name in _EPHEMERAL:
                    continue
                is_plain = not path.is_symlink() and not path.is_dir()
                content = os.readlink(path) if path.is_symlink() else path.read_bytes() if is_plain and path.suffix != ".dump" else ""
                # Names of files that are being written are drawn by lot.
                digest.update(f"{folder}/{_DRAWN.sub('', name)}\0{content!r}\0".encode())
        value = {key: content for key, content in self.state.read().items() if key not in ("clock", "faults")}
        digest.update(json.dumps(value, sort_keys=True).encode())
        for database in self.cluster.databases():
            try:
                content = str(self.cluster.talk(database, _CONTENT))
                self._seen[database] = content
            except SqlRefused as error:
                # A transaction that is open holds it: what is kept is what was there before, or nobody may connect.
                content = self._seen.get(database, "") if error.state == "55P03" else error.state
            digest.update(f"{database} {content}".encode())
        return digest.hexdigest()

    # Time and people.

    def later(self, hours: float) -> None:
        self.unsynced.forget()
        self.state.read()["clock"] += hours * _HOUR
        self.state.write()

    def fault(self, *names: str) -> None:
        self.state.read()["faults"] = {name: True for name in names}
        self.state.write()

    def adopt(self) -> None:
        """An installation of the tool before this one, that serves."""
        shared, deploy = self.opt / "shared", self.opt / "deploy"
        # Nothing of ours but the environment and the certificate came before its first activation.
        for path in ("nginx", "www/certbot"):
            (deploy / path).mkdir(parents=True)
        (deploy / "nginx/town.conf").write_text("location /api/ { set $api http://api:8000; proxy_pass $api; }\nresolver 127.0.0.11 valid=1s;\n")
        (deploy / ".env").write_text(suite.ENVIRONMENT)
        described = suite.predecessor_file(self.opt)
        (deploy / "docker-compose.yml").write_text(json.dumps(described))
        (self.root / "etc/systemd/system/geoclic.service").write_text(
            f"[Service]\nWorkingDirectory={deploy}\nExecStart=/usr/bin/docker compose up -d\nExecStop=/usr/bin/docker compose down\n")
        value = self.state.read()
        value["images"] += [service["image"] for service in described["services"].values()]
        value["enabled"].append("geoclic")
        value["cron"] = "0 2 * * * /opt/geoclic/scripts/backup_db.sh\n5 5 * * * /usr/local/bin/somebody-else\n"
        self.state.write()
        self.docker.place(described, deploy)
        self.cluster.ask(suite.DATABASE, suite.INIT)
        assert (shared / "tls/fullchain.pem").exists()

    def deliver(self, kind: suite.Kind) -> None:
        """A folder that is there is a release that was delivered whole."""
        if not (self.opt / "releases" / kind.id).exists():
            suite.deliver(kind, self.opt)
        value = self.state.read()
        value["images"] = sorted({*value["images"], *kind.images.values()})
        self.state.write()

    # Processes.

    def observe(self, commands: Act) -> tuple[Ended, list[str]]:
        """As `act`, and the fingerprint of what was there before each effect."""
        self._look = self.fingerprint
        try:
            ended = self.act(commands)
        finally:
            self._look = None
        pairs = [line.split("\t", 1) for line in ended.effects]
        return Ended(ended.status, ended.said, tuple(text for _, text in pairs)), [seen for seen, _ in pairs]

    def act(self, commands: Act, cut: Cut | None = None) -> Ended:
        """Runs commands to their end, or until one dies; what systemd starts by itself meanwhile runs too."""
        log = self.folder / "work/effects.log"
        log.unlink(missing_ok=True)
        said = ""
        status = 0
        queue = [list(words) for words in commands]
        while queue:
            words = queue.pop(0)
            if words == RENEWAL:
                words = self._renew()
            stdin = words.pop()[1:] if words[-1].startswith("<") else ""
            ended = self._process(words, cut, log, stdin)
            said, status = said + ended.said, ended.status
            value = self.state.read()
            if ended.is_killed:
                break
            if status == 0 and (unit := value.pop("activation", None)):
                self.state.write()
                queue.insert(0, unit)
                continue
            if words[:2] == ["activate", "run"]:
                value["units"].pop("geoclic-activate", None)
                self.state.write()
            if status and queue:
                break
        if status != KILLED:
            unit = self._started_by_systemd(cut, log)
            said, status = said + unit.said, KILLED if unit.is_killed else status
        self._settle_sessions()
        return Ended(status, said, tuple(log.read_text().splitlines()) if log.exists() else ())

    def _renew(self) -> list[str]:
        """certbot's timer has a new certificate; the hook that it calls then."""
        self.programs.renew(self.state.read())
        hook = self.root / "etc/letsencrypt/renewal-hooks/deploy/geoclic"
        return hook.read_text().split("exec ", 1)[1].split("server/", 1)[1].split()

    def do(self, words: Sequence[str], stdin: str = "") -> Ended:
        """One command that must succeed: setting a stage."""
        ended = self._process(list(words), None, self.folder / "work/effects.log", stdin)
        if ended.status:
            raise AssertionError(f"{' '.join(words)}: {ended.said}")
        return ended

    def _started_by_systemd(self, cut: Cut | None, log: Path) -> Ended:
        """Units that were asked for while another one ran, with their restarts."""
        ended, said = Ended(0, "", ()), ""
        for _ in range(3):
            value = self.state.read()
            starts, value["starts"] = value["starts"], []
            self.state.write()
            if "geoclic" not in starts or not (self.root / "etc/systemd/system/geoclic.service").exists():
                break
            ended = self.boot_unit(cut, log)
            said += ended.said
            if ended.is_killed:
                break
        return Ended(ended.status, said, ())

    def boot_unit(self, cut: Cut | None = None, log: Path | None = None) -> Ended:
        """`geoclic.service`, with a few of its restarts."""
        for _ in range(3):
            ended = self._process(["start-suite"], cut, log or self.folder / "work/boot.log")
            if ended.status in (0, KILLED):
                break
        return ended

    def die(self) -> None:
        """The executor is gone; everything else goes on. systemd has seen it."""
        value = self.state.read()
        value["units"].pop("geoclic-activate", None)
        value.pop("activation", None)
        value["starts"] = []
        self.state.write()
        self._settle_sessions()

    def reboot(self) -> Ended | None:
        """A power cut, and what comes up by itself afterwards."""
        self.cluster.end_sessions()
        self.unsynced.lose()
        value = self.state.read()
        value.update(units={}, starts=[], tables=[])
        value.pop("activation", None)
        self.state.write()
        self.docker.boot()
        value = self.state.read()
        # Its own unit brings the firewall back.
        value["tables"] = ["inet geoclic"]
        self.state.write()
        unit = self.root / "etc/systemd/system/geoclic.service"
        if not unit.exists() or "geoclic" not in value["enabled"]:
            return None
        if "compose up" in unit.read_text():
            self._predecessor_unit()
            return None
        conditions = [line.partition("=")[2].lstrip("|") for line in unit.read_text().splitlines() if line.startswith("ConditionPathExists=")]
        if conditions and not any(self._path(condition).exists() for condition in conditions):
            return None
        return self.boot_unit()

    def _predecessor_unit(self) -> None:
        """`docker compose up -d` of its file: it makes what is missing and exchanges what is not as its file says."""
        described = {**suite.predecessor_file(self.opt), "folder": str(self.opt / "deploy")}
        self.docker.bring(described)

    def _path(self, text: str) -> Path:
        return Path(text) if text.startswith(str(self.root)) else self.root / text.lstrip("/")

    def _settle_sessions(self) -> None:
        self.cluster.await_sessions()

    def _process(self, words: list[str], cut: Cut | None, log: Path, stdin: str = "") -> Ended:
        output = self.folder / "work/output.log"
        output.unlink(missing_ok=True)
        words = words if "--client" in words else [words[0], *words[1:], "--client", suite.CLIENT]
        effects = Effects(self.root, log, cut, self.unsynced, self._look)
        child = os.fork()
        if child == 0:
            os.setsid()
            self.cluster.keep_connections()
            Process(effects, self.state, self.docker, self.programs, self.town, self.cluster.environment()).main(words, output, stdin)
        effects.close()
        status = _await(child)
        said = output.read_text() if output.exists() else ""
        if status == 70 or "Unknown: " in said or "HarnessError" in said:
            raise HarnessError(f"{' '.join(words)}:\n{said}")
        return Ended(status, said, ())

    # What the tool left.

    def json(self, path: str) -> Any:
        try:
            return json.loads((self.opt / path).read_text())
        except (OSError, ValueError):
            return None

    def findings(self) -> set[str]:
        """Codes of what the monitor found last."""
        return {str(problem["code"]) for problem in (self.json("shared/state/monitor.json") or {}).get("problems", [])}

    @property
    def current(self) -> str | None:
        link = self.opt / "current"
        return os.path.basename(os.readlink(link)) if link.is_symlink() else None

    @property
    def has_way_back(self) -> bool:
        """An API's container that a present fault does not touch is still there, running or not, and fits the schema."""
        return any(one["service"] == "api" and self.docker.health({**one, "status": "running"}) == "healthy"
                   and not any(self.docker.has_fault(what, one) for what in ("missing", "gate")) for one in self.state.read()["containers"])

    def backups(self) -> list[Path]:
        """Folders that have a backup's name."""
        return sorted(path for path in (self.opt / "shared/backups").iterdir() if re.fullmatch(r"\d{8}T\d{6}Z", path.name))

    def ledger(self, database: str = suite.DATABASE) -> list[str] | None:
        if not self.cluster.ask(database, f"select 1 from pg_tables where schemaname = 'public' and tablename = '{suite.LEDGER}'"):
            return None
        return [str(name) for (name,) in self.cluster.ask(database, f"select name from public.{suite.LEDGER} order by name")]

    def dump_has(self, dump: Path, text: str) -> bool:
        shown = subprocess.run([self.cluster.bin / "pg_restore", "-f", "-", dump], capture_output=True, check=False)
        return shown.returncode == 0 and text.encode() in shown.stdout


class HarnessError(AssertionError):
    """The harness itself does not know something."""


def _await(child: int) -> int:
    def give_up(_number: int, _frame: object) -> None:
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_SECONDS)
    try:
        _, status = os.waitpid(child, 0)
    finally:
        signal.alarm(0)
    return os.waitstatus_to_exitcode(status)


def _certificates(folder: Path) -> dict[str, list[str]]:
    """Chain and key by serial, three of the town's name."""
    made = {}
    for number in ("1001", "1002", "1003"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90", "-set_serial", number,
                        "-subj", f"/CN={suite.DOMAIN}", "-addext", f"subjectAltName=DNS:{suite.DOMAIN}", "-keyout", folder / "key", "-out", folder / "chain"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made[number] = [(folder / "chain").read_text(), (folder / "key").read_text()]
    return made
