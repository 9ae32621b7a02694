"""A town's database without a town: a private PostgreSQL, and a `docker` that runs PostgreSQL's programs where it is called."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server.database import Database

_DOCKER = """#!/usr/bin/python3 -IS
import os, subprocess, sys, threading
words = sys.argv[1:]
if words[:2] == ["volume", "inspect"]:
    sys.exit(print(os.environ["GEOCLIC_PHOTOS"]))
assert words.pop(0) == "exec", words
while words[0].startswith("-"):
    if words[0] == "-e" and "=" in words[1]:
        os.environ.update([words[1].split("=", 1)])
    words = words[2 if words[0] == "-e" else 1:]
# As from the engine: input comes by a pipe, and the end of the program is the end.
program = subprocess.Popen(words[1:], stdin=subprocess.PIPE)
def feed():
    try:
        while block := os.read(0, 1 << 16):
            program.stdin.write(block)
            program.stdin.flush()
        program.stdin.close()
    except OSError:
        pass
threading.Thread(target=feed, daemon=True).start()
os._exit(program.wait())
"""
SUITE: dict[str, Any] = {"name": "geo", "user": "geoclic", "ledger": "schema_history", "service": "db",
                         "migrations": "database", "init": "database/init.sql", "first": [], "breaking": [], "autocommit": [], "tolerate": {}}


class PgTown:
    """Started as another user than root, on a port of its own; nothing is durable."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        if not found:
            raise FileNotFoundError("no PostgreSQL server: install Debian's package postgresql")
        programs = found[-1].parent
        self.folder = Path(tempfile.mkdtemp(prefix="geoclic-pg-"))
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            shutil.chown(self.folder, user)
        self.folder.chmod(0o755)
        subprocess.run([programs / "initdb", "-D", self.folder / "data", "-U", SUITE["user"], "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
                       check=True, stdout=subprocess.DEVNULL, user=user, cwd="/")
        self._programs = tempfile.mkdtemp(prefix="geoclic-pg-bin-")
        (Path(self._programs) / "docker").write_text(_DOCKER)
        (Path(self._programs) / "docker").chmod(0o755)
        self._environment = mock.patch.dict(os.environ, PATH=f"{self._programs}:{programs}:{os.environ['PATH']}")
        self._environment.start()
        started = next((server for server in (self._start(programs, user) for _ in range(5)) if server), None)
        if started is None:
            raise AssertionError((self.folder / "log").read_text())
        self._server = started
        self.database = Database({"project": "deploy", "adapter": {"database": SUITE}}, "none")
        self.database.container = "db-1"

    def _start(self, programs: Path, user: str | None) -> "subprocess.Popen[bytes] | None":
        """None where somebody else took the port that was free a moment ago: his server must not be taken for this one."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        os.environ["PGPORT"] = port
        with (self.folder / "log").open("ab") as log:
            server = subprocess.Popen([programs / "postgres", "-D", self.folder / "data", "-p", port, "-c", "listen_addresses=127.0.0.1",
                                       "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off"],
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, cwd="/")
        end = time.monotonic() + 60
        while self._psql("postgres", "show data_directory").stdout.strip() != str(self.folder / "data"):
            if server.poll() is not None:
                return None
            if time.monotonic() > end:
                server.kill()
                raise TimeoutError((self.folder / "log").read_text())
            time.sleep(0.05)
        return server

    def ask(self, *commands: str, name: str = "geo") -> list[str]:
        """Lines of the answers; each command by itself."""
        end = self._psql(name, *commands)
        if end.returncode != 0:
            raise AssertionError(end.stderr)
        return end.stdout.splitlines()

    def again(self, options: str = "TEMPLATE template0") -> None:
        """An empty database of the suite, and no other one."""
        for name in self.ask("select datname from pg_database where datname like 'geo%'", name="postgres"):
            self.ask(f'drop database "{name}" with (force)', name="postgres")
        self.ask(f"create database geo {options}", name="postgres")

    def stop(self) -> None:
        self._environment.stop()
        self._server.terminate()
        self._server.wait(20)
        shutil.rmtree(self.folder)
        shutil.rmtree(self._programs)

    @staticmethod
    def _psql(name: str, *commands: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", SUITE["user"], "-d", name,
                               *[word for command in commands for word in ("-c", command)]], capture_output=True, text=True, check=False)
