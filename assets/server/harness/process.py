"""One process of the imitated server: a command of the tool set, run in a forked child with the real modules."""

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from . import network, redirect
from .docker import Docker
from .effects import Cut, Effects
from .programs import Programs
from .state import State
from .town import Town

_MODULES = {"restore": "restore_command", "start-suite": "boot", "write-env": "environment", "activate": "activation", "init": "hooks", "firewall": "firewall_command"}
_VISITED = ("exec", "stop", "rm", "start")


class Process:
    def __init__(self, effects: Effects, state: State, docker: Docker, programs: Programs, town: Town, database: dict[str, str]) -> None:
        self._effects, self._state, self._docker, self._programs, self._town, self._database = effects, state, docker, programs, town, database
        self._run, self._popen = subprocess.run, subprocess.Popen
        self._now = float(state.read()["clock"])
        self._name = ""

    def main(self, words: Sequence[str], output: Path, stdin: str) -> None:
        """Never returns."""
        self._name = words[0]
        try:
            self._streams(output, stdin)
            self._patch()
            self._effects.watch()
            status = _call(words)
        except BaseException:
            import traceback

            traceback.print_exc()
            status = 70
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    @staticmethod
    def _streams(output: Path, stdin: str) -> None:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        reading, writing = os.pipe()
        os.write(writing, stdin.encode())
        os.close(writing)
        os.dup2(reading, 0)
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def _patch(self) -> None:
        os.environ.pop("PYTHONPATH", None)
        redirect.clock(self._tell)
        time.time = time.monotonic = self._tell  # type: ignore[assignment]
        time.sleep = self._sleep  # type: ignore[assignment]
        gmtime = time.gmtime
        time.gmtime = lambda seconds=None: gmtime(self._now if seconds is None else seconds)  # type: ignore[assignment]
        os.fsync = os.fdatasync = self._synced  # type: ignore[assignment]
        os.geteuid = os.getuid = lambda: 0  # type: ignore[assignment]
        os.chown = os.lchown = lambda *_words, **_options: None  # type: ignore[assignment]
        shutil.chown = lambda *_words, **_options: None  # type: ignore[assignment]
        shutil.disk_usage = self._disk_usage  # type: ignore[assignment]
        subprocess.run = self._command  # type: ignore[assignment]
        subprocess.Popen = self._session  # type: ignore[assignment,misc]
        network.patch(self._town)

    def _synced(self, file: Any) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        self._effects.synced(descriptor)

    def _tell(self) -> float:
        self._now += 0.001
        return self._now

    def _sleep(self, seconds: float) -> None:
        self._now += seconds

    def _disk_usage(self, _path: object) -> Any:
        with self._effects.rest():
            free = 1 << 20 if "full" in self._state.read()["faults"] else 50 << 30
        return types.SimpleNamespace(total=100 << 30, used=(100 << 30) - free, free=free)

    def _command(self, words: Sequence[Any], **options: Any) -> subprocess.CompletedProcess[Any]:
        words = [os.fspath(word) for word in words]
        with self._effects.rest():
            real = self._programs.real(words)
            if words[0] == "docker" and any(verb in words for verb in _VISITED):
                self._town.write()
        cut = self._effects.command(words, has_input=real is not None and _is_fed(real[0], options))
        if real is not None:
            if self._name == "activate" and Path(real[0][0]).name == "pg_dump":
                with self._effects.rest():
                    self._town.look_at_dump()
            if cut is not None and cut.how in ("stdin", "late"):
                self._cut_input(real, cut, options)
            return self._really(real, words, options)
        data = options.get("input")
        text = data.decode(errors="replace") if isinstance(data, bytes) else data or ""
        with self._effects.rest():
            status, stdout, stderr = self._programs.made_up(words, text)
        if cut is not None and cut.how == "late":
            self._effects.die()
        return _completed(words, status, stdout, stderr, options)

    def _really(self, real: tuple[list[str], dict[str, str]], words: Sequence[str], options: dict[str, Any]) -> subprocess.CompletedProcess[Any]:
        mapped, set_here = real
        environment = {**os.environ, **(options.pop("env", None) or {}), **set_here, **self._database}
        # The imitated clock is not what a real program is measured by.
        options.pop("timeout", None)
        subprocess.Popen = self._popen  # type: ignore[misc]
        try:
            with self._effects.rest():
                return self._run(mapped, env=environment, **options)
        finally:
            subprocess.Popen = self._session  # type: ignore[assignment,misc]

    def _session(self, words: Sequence[Any], **options: Any) -> subprocess.Popen[Any]:
        """A program that is talked with."""
        words = [os.fspath(word) for word in words]
        with self._effects.rest():
            real = self._programs.real(words)
        self._effects.command(words, has_input=False)
        if real is None:
            # What cannot be reached tells nothing and ends.
            real = ["false"], {}
        mapped, set_here = real
        environment = {**os.environ, **(options.pop("env", None) or {}), **set_here, **self._database}
        process = self._popen(mapped, env=environment, **options)
        if process.stdin and Path(mapped[0]).name == "psql":
            process.stdin = _Said(process.stdin, self._effects)  # type: ignore[assignment]
        return process

    def _cut_input(self, real: tuple[list[str], dict[str, str]], cut: Cut, options: dict[str, Any]) -> None:
        """The client dies: the program in the container reads the end of its input there, and goes on."""
        mapped, set_here = real
        data = options["input"] if options.get("input") is not None else options["stdin"].read()
        data = data.encode() if isinstance(data, str) else data
        part = len(data) if cut.how == "late" else int(len(data) * cut.part)
        if cut.how == "stdin":
            # At the end of a line, where a part may be taken for a whole.
            part = data.rfind(b"\n", 0, part) + 1
        self._run(mapped, input=data[:part], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(options.get("env") or {}), **set_here, **self._database})
        self._effects.die()


class _Said:
    """Standard input of a session; each piece that is said is an effect."""

    def __init__(self, stream: IO[Any], effects: Effects) -> None:
        self._stream, self._effects = stream, effects

    def write(self, data: Any) -> int:
        text = data if isinstance(data, str) else data.decode(errors="replace")
        # Marks of the session are drawn by lot.
        self._effects.command(["say", re.sub(r"geoclic[0-9a-f]{32}", "MARK", text)], has_input=False)
        return self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _call(words: Sequence[str]) -> int:
    """As `run.py`."""
    module = importlib.import_module(f"geoclic_server.{_MODULES.get(words[0], words[0])}")
    sys.argv = list(words)
    try:
        module.command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0


def _is_fed(words: Sequence[str], options: dict[str, Any]) -> bool:
    """A program that changes a database by what it reads: it goes on without its client."""
    has_input = options.get("input") is not None or hasattr(options.get("stdin"), "read")
    return has_input and (Path(words[0]).name == "psql" or Path(words[0]).name == "pg_restore" and any(word in ("-d", "--dbname") for word in words))


def _completed(words: Sequence[str], status: int, stdout: str, stderr: str, options: dict[str, Any]) -> subprocess.CompletedProcess[Any]:
    is_text = bool(options.get("text") or options.get("universal_newlines") or options.get("encoding"))
    target = options.get("stdout")
    if hasattr(target, "write"):
        target.write(stdout.encode())
        stdout = ""
    if options.get("check") and status:
        raise subprocess.CalledProcessError(status, list(words), stdout, stderr)
    out, err = (stdout, stderr) if is_text else (stdout.encode(), stderr.encode())
    return subprocess.CompletedProcess(list(words), status, out, err)


