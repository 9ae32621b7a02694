"""Fault switches for tests: files in PHOTOS/.faults, and only where LAB_FAULTS=1."""

import os
from pathlib import Path
from typing import Literal

Fault = Literal["db-down", "slow-30s", "crash-at-start", "health-500"]


def is_on(fault: Fault) -> bool:
    if os.environ.get("LAB_FAULTS") != "1":
        return False
    return (Path(os.environ.get("PHOTO_STORAGE_PATH", "/app/photos")) / ".faults" / fault).exists()
