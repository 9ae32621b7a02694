"""Runs one command of the tool set by its name: `run.py NAME OPTIONS…`."""

import importlib
import sys

MODULES = {
    "activate": "activation",
    "backup": "backup",
    "base": "base",
    "build": "build",
    "certificate": "certificate",
    "demo": "demo",
    "drift": "drift",
    "facts": "facts",
    "firewall": "firewall_command",
    "init": "hooks",
    "monitor": "monitor",
    "restore": "restore_command",
    "retire": "retire",
    "schedules": "schedules",
    "start-suite": "boot",
    "write-env": "environment",
}

name = sys.argv.pop(1)
if name not in MODULES:
    sys.exit(f"unknown command {name!r}, expected one of: {', '.join(MODULES)}")
sys.argv[0] = name
importlib.import_module(f"geoclic_server.{MODULES[name]}").command()
