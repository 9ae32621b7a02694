"""What outlives a process of the imitated server and is no file of it: its engine, its units, its clock."""

import json
from pathlib import Path
from typing import Any


class State:
    """Read before each command and written after it: whoever is killed in between has changed nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "engine.json"
        self.value: dict[str, Any] = {}

    def begin(self) -> None:
        self.value = {
            "sequence": 1, "clock": 1_795_000_000.0, "containers": [], "images": [], "tables": [], "units": {}, "enabled": [], "starts": [],
            "exclusions": [], "faults": {}, "dumps": {}, "is_up": True, "certificates": {}, "cron": "",
        }
        self.write()

    def read(self) -> dict[str, Any]:
        self.value = json.loads(self._path.read_text())
        return self.value

    def write(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self.value))
        partial.replace(self._path)
