"""Images built on the server itself, where the fleet is configured so."""

import argparse
import time

from . import command as frame
from . import layout
from .compose import images
from .failure import Failure, say
from .process import run


def command() -> None:
    frame.main("build", _options, lambda options: build(options.release))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--release", required=True)


def build(release_id: str) -> None:
    """Builds or pulls each image of the release that is not here. Raises Failure IMAGE_BUILD_FAILED."""
    release = layout.read_release(release_id)
    suite = layout.release_folder(release_id) / "suite"
    present = images()
    for service, described in release["services"].items():
        image = described["image"]
        if image in present:
            continue
        began = time.monotonic()
        if described["origin"] == "pulled":
            steps = [["docker", "pull", "--quiet", described["reference"]], ["docker", "tag", described["reference"], image]]
        else:
            made = described["build"]
            arguments = [word for name, value in made["args"].items() for word in ("--build-arg", f"{name}={value}")]
            steps = [["docker", "buildx", "build", "--load", "--progress=plain", "--tag", image, "--file", str(suite / made["dockerfile"]),
                      *arguments, str(suite / made["context"])]]
        for words in steps:
            end = run(words, timeout=3600)
            if end.status != 0:
                raise Failure("IMAGE_BUILD_FAILED", "build", f"{service}: {' '.join(end.said.splitlines()[-8:])}",
                              "correct the suite or the network of the build, then run again.")
        say("build", f"{service} in {time.monotonic() - began:.1f} s")
