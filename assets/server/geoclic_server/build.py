"""Builds a release's images on this server: for fleets that do not build on the operator's machine."""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from . import command as frame
from . import layout
from .compose import images
from .failure import Failure, one_line, say
from .process import run

_STEP = "build"
_ATTEMPTS = 3


def command() -> None:
    frame.main("build", _options, lambda options: build(options.release))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--release", required=True)


def build(release_id: str) -> None:
    """Makes every image of the release that is missing here. Raises Failure IMAGE_BUILD_FAILED or IMAGE_PULL_FAILED."""
    release = layout.read_release(release_id)
    present = images()
    missing = {name: service for name, service in release["services"].items() if service["image"] not in present}
    for name, service in missing.items():
        began = time.monotonic()
        if service["origin"] == "pulled":
            _pull(name, service)
        else:
            _build(name, service, layout.release_folder(release_id) / "suite")
        say(_STEP, f"{name} in {time.monotonic() - began:.0f} s")
    if not missing:
        say(_STEP, "nothing to do")


def _pull(name: str, service: dict[str, Any]) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        pulled = run(["docker", "pull", "--quiet", service["reference"]], timeout=1800)
        if pulled.status == 0:
            break
        if attempt == _ATTEMPTS:
            raise Failure("IMAGE_PULL_FAILED", _STEP, f"{service['reference']} of {name}: {one_line(pulled.said, 300)}",
                          "check the network of the server and the registry, then run again.")
        time.sleep(5 * attempt)
    tagged = run(["docker", "tag", service["reference"], service["image"]])
    if tagged.status != 0:
        raise Failure("IMAGE_PULL_FAILED", _STEP, tagged.said, "look at Docker on the server.")


def _build(name: str, service: dict[str, Any], suite: Path) -> None:
    described = service["build"]
    with tempfile.TemporaryDirectory(prefix="geoclic-build-", dir=layout.STATE) as folder:
        root = Path(folder)
        # Only what decides the image's name: nothing else of the suite may get into it.
        for path in described["inputs"]:
            _copy(suite, root, path)
        arguments = [word for key, value in described["args"].items() for word in ("--build-arg", f"{key}={value}")]
        stage = ("--target", described["target"]) if "target" in described else ()
        words = ["docker", "buildx", "build", "--progress=plain", "--load", "--tag", service["image"],
                 "--file", str(root / described["dockerfile"]), *stage, *arguments, str(root / described["context"])]
        built = run(words, timeout=3600)
    if built.status != 0:
        raise Failure("IMAGE_BUILD_FAILED", _STEP, f"{name}: {one_line(built.said, 600)}",
                      "correct the suite, or check network and memory of the server, then run again.")


def _copy(suite: Path, root: Path, path: str) -> None:
    """A file or folder of the suite at the same path below `root`; the suite itself for `.`."""
    source, target = suite / path, root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
