"""On servers of the lab: the pins of the base step are those of the lab's own Docker repository and restic archive.

Python reads this file at its start (lab-pins.pth). The product has no setting for its pins, so that nothing but a changed
Python on the server itself can change them.
"""

import importlib.machinery
import json
import sys
from pathlib import Path

_MODULE = "geoclic_server.base"
_NAMES = {"dockerKey": "_DOCKER_KEY", "resticSha256": "_RESTIC_SHA256"}


class _Pins:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            for key, value in json.loads(Path(__file__).with_name("lab_pins.json").read_text()).items():
                if not hasattr(module, _NAMES[key]):
                    raise AttributeError(f"{_MODULE} has no {_NAMES[key]} to stand in for")
                setattr(module, _NAMES[key], value)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Pins)
