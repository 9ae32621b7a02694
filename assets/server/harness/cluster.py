"""A private PostgreSQL: own folder, own socket, never durable, gone at the end. Never run as root."""

import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

SUPERUSER = "geoclic"
"""As in the suite's image."""
_KEPT = ("postgres", "template0", "template1")
_SETTINGS = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off", "shared_buffers": "32MB", "max_connections": "40",
    "listen_addresses": "127.0.0.1", "wal_level": "minimal", "max_wal_senders": "0", "jit": "off", "logging_collector": "off",
    "max_wal_size": "2GB", "checkpoint_timeout": "1h", "bgwriter_lru_maxpages": "0",
}


class SqlRefused(Exception):
    """PostgreSQL's own sentence; `state`: its SQLSTATE, empty when the connection ended without a word."""

    def __init__(self, state: str, sentence: str) -> None:
        super().__init__(f"{state}: {sentence}")
        self.state = state


def binaries() -> Path:
    """Folder of PostgreSQL's server programs, the newest. Raises FileNotFoundError."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    asked = shutil.which("pg_config")
    if asked:
        folder = Path(subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
        if (folder / "initdb").exists():
            return folder
    raise FileNotFoundError("no PostgreSQL server: install Debian's package postgresql")


def scratch() -> Path:
    """Where many small files are cheap."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    return memory if roomy else Path(tempfile.gettempdir())


class Cluster:
    def __init__(self) -> None:
        self.bin = binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="geoclic-postgres-", dir=scratch()))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.folder.chmod(0o755)
        self.port = _free_port()
        self._kept: dict[str, tuple[socket.socket, IO[bytes]]] | None = None
        data = self.folder / "data"
        self._run("initdb", "-D", str(data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = [word for name, value in {**_SETTINGS, "unix_socket_directories": str(self.folder), "port": str(self.port)}.items()
                   for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._server = subprocess.Popen([self.bin / "postgres", "-D", data, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            user=self._user, group=self._user, extra_groups=[] if self._user else None, cwd="/", start_new_session=True)
        end = time.monotonic() + 30
        while True:
            try:
                self.ask("postgres", "select 1")
                return
            except (OSError, SqlRefused):
                if time.monotonic() > end or self._server.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """For PostgreSQL's client programs."""
        return {"PGHOST": str(self.folder), "PGPORT": str(self.port), "PGUSER": SUPERUSER}

    def ask(self, database: str, *commands: str) -> list[list[str | None]]:
        """Rows of the last command, each one sent by itself. Raises SqlRefused."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            rows: list[list[str | None]] = []
            with self._open(connection, database) as answers:
                for command in commands:
                    rows = _send(connection, answers, command)
                connection.sendall(b"X" + struct.pack("!I", 4))
        return rows

    def _open(self, connection: socket.socket, database: str) -> IO[bytes]:
        connection.settimeout(60)
        connection.connect(str(self.folder / f".s.PGSQL.{self.port}"))
        words = f"user\0{SUPERUSER}\0database\0{database}\0application_name\0harness\0options\0-c lock_timeout=200\0\0".encode()
        connection.sendall(struct.pack("!II", len(words) + 8, 196_608) + words)
        answers = connection.makefile("rb")
        _read(answers)
        return answers

    def keep_connections(self) -> None:
        """From here on `talk` keeps what it opened, as an application's pool does. For one process, that ends with them."""
        self._kept = {}

    def talk(self, database: str, command: str) -> list[list[str | None]]:
        """As `ask`, by a kept connection where they are kept."""
        if self._kept is None:
            return self.ask(database, command)
        if database in self._kept:
            try:
                return _send(*self._kept[database], command)
            except (OSError, SqlRefused) as error:
                if isinstance(error, SqlRefused) and error.state not in ("", "57P01"):
                    raise
                # Somebody ended it.
                del self._kept[database]
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        answers = self._open(connection, database)
        self._kept[database] = connection, answers
        return _send(connection, answers, command)

    def databases(self) -> list[str]:
        """Those that the imitated server has."""
        rows = self.ask("postgres", "select datname from pg_database order by datname")
        return [str(name) for (name,) in rows if name not in _KEPT and not str(name).startswith("snapshot_")]

    def end_sessions(self) -> None:
        """As when the container or the machine ends."""
        self.ask("postgres", "select pg_terminate_backend(pid, 5000) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")

    def await_sessions(self, seconds: float = 10) -> None:
        """What goes on although its client died comes to its own end."""
        end = time.monotonic() + seconds
        while self.ask("postgres", "select 1 from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"):
            if time.monotonic() > end:
                return self.end_sessions()
            time.sleep(0.01)

    def save(self, name: str) -> None:
        self.forget(name)
        for database in self.databases():
            self.ask("postgres", f'create database "snapshot_{name}_{database}" template "{database}"')

    def load(self, name: str) -> None:
        self.end_sessions()
        for database in self.databases():
            self._drop(database)
        for database in self._saved(name):
            self.ask("postgres", f'create database "{database.removeprefix(f"snapshot_{name}_")}" template "{database}"')

    def forget(self, name: str) -> None:
        for database in self._saved(name):
            self._drop(database)

    def _saved(self, name: str) -> list[str]:
        rows = self.ask("postgres", f"select datname from pg_database where starts_with(datname, 'snapshot_{name}_')")
        return [str(database) for (database,) in rows]

    def _drop(self, database: str) -> None:
        self.ask("postgres", f'drop database if exists "{database}" with (force)')

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([self.bin / program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, cwd="/",
                       user=self._user, group=self._user, extra_groups=[] if self._user else None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(connection: socket.socket, answers: IO[bytes], command: str) -> list[list[str | None]]:
    text = command.encode() + b"\0"
    connection.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
    return _read(answers)


def _read(answers: IO[bytes]) -> list[list[str | None]]:
    rows: list[list[str | None]] = []
    refused: SqlRefused | None = None
    while True:
        head = answers.read(5)
        if len(head) < 5:
            raise refused or SqlRefused("", "the connection ended")
        kind, length = struct.unpack("!cI", head)
        body = answers.read(length - 4)
        if kind == b"E":
            fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
            refused = SqlRefused(fields.get(b"C", ""), fields.get(b"M", ""))
        elif kind == b"D":
            rows.append(_row(body))
        elif kind == b"Z":
            if refused:
                raise refused
            return rows


def _row(body: bytes) -> list[str | None]:
    (count,), place = struct.unpack_from("!H", body), 2
    cells: list[str | None] = []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, place)
        place += 4
        cells.append(None if size < 0 else body[place : place + size].decode())
        place += max(size, 0)
    return cells
