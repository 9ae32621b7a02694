"""What containers were made from, told by the present Compose's hashes.

Another version of Compose may hash the same configuration otherwise: a label that the former version wrote is compared by
what it stood for. Each commit notes that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import layout
from .compose import Container, Release, config_hashes, containers, plugin_version
from .failure import Failure


def present(release: Release) -> list[Container]:
    """The suite's containers; a hash is what the present Compose would give."""
    found, noted = containers(release["project"]), _noted()
    if not noted:
        return found
    version = plugin_version()
    return translated(found, noted, version, _hashes_now if version != noted["version"] else lambda: noted_hashes(noted))


def translated(found: Sequence[Container], noted: Mapping[str, Any], version: str, hashes: Callable[[], Mapping[str, str] | None]) -> list[Container]:
    """`noted`: {version, services: {name: {label, hash}}}; `hashes` of the noted configuration, None when they cannot be told."""
    if not version or all(entry["label"] == entry["hash"] for entry in noted["services"].values()) and version == noted["version"]:
        return list(found)
    present_hashes = hashes() or {}

    def told(container: Container) -> Container:
        entry = noted["services"].get(container.service)
        is_noted = entry is not None and entry["label"] == container.config_hash and container.service in present_hashes
        return replace(container, config_hash=present_hashes[container.service]) if is_noted else container

    return [told(container) for container in found]


def noted_hashes(noted: Mapping[str, Any]) -> dict[str, str]:
    return {service: entry["hash"] for service, entry in noted["services"].items()}


def note(release: Release) -> dict[str, Any]:
    """For `releases.json`, once a release is proven: what the labels of its containers stand for; empty when Compose cannot tell."""
    try:
        hashes = config_hashes(release, layout.running_environment())
        found = containers(release["project"])
    except Failure:
        return {}
    # The last one counts: the one that runs, else the newest.
    labels = {one.service: one.config_hash for one in sorted(found, key=lambda one: one.is_running)}
    services = {service: {"label": labels[service], "hash": hashes[service]} for service in hashes if service in labels}
    return {"version": plugin_version(), "services": services}


def change_of_version() -> str | None:
    """What is told of another Compose than the one that the running release was activated with."""
    noted, version = _noted(), plugin_version()
    if not noted or not version or version == noted["version"]:
        return None
    return f"Compose {noted['version']} was here, now {version}: what did not change is told by the running release's own configuration"


def _noted() -> dict[str, Any] | None:
    status = layout.read_json(layout.STATUS)
    noted = status.get("compose") if isinstance(status, dict) else None
    return noted if isinstance(noted, dict) and noted.get("services") and noted.get("version") else None


def _hashes_now() -> Mapping[str, str] | None:
    running = layout.running_release()
    try:
        return config_hashes(layout.read_release(running), layout.running_environment()) if running else None
    except Failure:
        return None
