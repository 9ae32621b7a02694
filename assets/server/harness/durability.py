"""What a power cut takes from files: content that nobody told to go to the disk, and names that were not either.

The worst case of what file systems do: every such file is empty afterwards, every such rename, removal and new name is undone.
After half a minute everything is on disk by itself.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

_TREE = "tree"


class Unsynced:
    """Written while a process works, read after a power cut; `log`: what is not on disk yet, in order."""

    def __init__(self, root: Path, log: Path) -> None:
        self._root, self._log = str(root) + "/", log
        self._kept = log.with_suffix(".kept")

    def forget(self) -> None:
        """Everything is on disk."""
        self._log.unlink(missing_ok=True)
        shutil.rmtree(self._kept, ignore_errors=True)

    def written(self, path: str) -> None:
        self._note("new" if not os.path.lexists(path) else "content", path)

    def renamed(self, source: str, target: str) -> None:
        self._note("rename", source, target, self._keep(target))

    def removed(self, path: str) -> None:
        self._note("remove", path, self._keep(path))

    def synced(self, path: str) -> None:
        self._note("sync", path)

    def _keep(self, path: str) -> str:
        """A copy of what is about to go; empty where there is nothing."""
        if not os.path.lexists(path):
            return ""
        self._kept.mkdir(exist_ok=True)
        copy = self._kept / str(len(os.listdir(self._kept)))
        if os.path.islink(path):
            copy.symlink_to(os.readlink(path))
        elif os.path.isdir(path):
            return _TREE
        else:
            shutil.copyfile(path, copy)
        return str(copy)

    def _note(self, *words: str) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps(words) + "\n")

    def lose(self) -> None:
        """The power cut."""
        events: list[Any] = [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []
        contents: set[str] = set()
        names: list[list[str]] = []
        for event in events:
            match event:
                case ["content", path]:
                    contents.add(path)
                case ["new", path]:
                    contents.add(path)
                    names.append(event)
                case ["rename", source, target, _]:
                    contents = {_moved(path, source, target) for path in contents if path != target}
                    names = [[name[0], *(_moved(path, source, target) if name[0] == "new" else path for path in name[1:])] for name in names]
                    # Within a folder that is new itself, nothing of before can come back.
                    names.append(event)
                case ["remove", path, _]:
                    contents.discard(path)
                    names.append(event)
                case ["sync", path]:
                    contents.discard(path)
                    names = [name for name in names if not _is_in(name, path)]
        for path in contents:
            if os.path.isfile(path) and not os.path.islink(path):
                os.truncate(path, 0)
        for name in reversed(names):
            _undo(name)
        self.forget()


def _moved(path: str, source: str, target: str) -> str:
    return target + path[len(source) :] if path == source or path.startswith(f"{source}/") else path


def _is_in(name: list[str], folder: str) -> bool:
    """Whether a sync of this folder makes the name durable."""
    path = name[2] if name[0] == "rename" else name[1]
    return os.path.dirname(path) == folder


def _undo(name: list[str]) -> None:
    match name:
        case ["rename", source, target, kept]:
            if kept == _TREE or not os.path.lexists(target) or not os.path.isdir(os.path.dirname(source)) or os.path.lexists(source):
                return
            os.rename(target, source)
            _put_back(kept, target)
        case ["remove", path, kept]:
            if not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)) and kept != _TREE:
                _put_back(kept, path)
        case ["new", path]:
            if os.path.isfile(path) and os.path.getsize(path) == 0:
                os.unlink(path)


def _put_back(kept: str, path: str) -> None:
    if not kept:
        return
    if os.path.islink(kept):
        os.symlink(os.readlink(kept), path)
    else:
        shutil.copyfile(kept, path)
