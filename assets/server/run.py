"""Runs one command of the tool set by its name: `run.py NAME OPTIONS…`."""

import importlib
import sys

NAMES = {
    "activate", "backup", "base", "build", "certificate", "facts", "init", "monitor", "schedules", "start-suite", "write-env",
}

name = sys.argv.pop(1)
if name not in NAMES:
    sys.exit(f"unknown command {name!r}, expected one of: {', '.join(sorted(NAMES))}")
sys.argv[0] = name
module = {"write-env": "environment", "init": "hooks", "activate": "activation", "start-suite": "boot"}.get(name, name)
importlib.import_module(f"geoclic_server.{module}").command()
