"""What must be there before an activation changes anything."""

from pathlib import Path

from . import files, layout
from .compose import Release, configuration, containers, images, volumes_of
from .failure import Failure


def check(release: Release, suite: Path) -> None:
    """Raises Failure that names what is missing. `suite`: the release's tree."""
    step = "preflight"
    if not layout.ENVIRONMENT.exists():
        raise Failure("ENVIRONMENT_MISSING", step, f"{layout.ENVIRONMENT} is missing", "run `pulumi up` again: it writes it.")
    if not all((layout.TLS / name).exists() for name in ("fullchain.pem", "privkey.pem")):
        raise Failure("CERTIFICATE_MISSING", step, f"there is no certificate in {layout.TLS}", "run `geoclic-fleet drift --fix`: it asks for one.")
    paths = [bind["source"] for bind in release["binds"]] + [static["source"] for static in release["static"]]
    absent = [path for path in (*paths, release["adapter"]["database"]["init"]) if not (suite / path).exists()]
    if absent:
        raise Failure("RELEASE_BROKEN", step, f"{suite} lacks {', '.join(absent)}", "remove that release's folder and run again: it is delivered anew.")
    files.check_space(step)
    present = images()
    missing = [f"{name} ({service['image']})" for name, service in release["services"].items() if service["image"] not in present]
    _check_volumes(release)
    if missing:
        raise Failure("IMAGE_MISSING", step, f"not on this server: {', '.join(missing)}", "run `pulumi up` again: it delivers them.")


def _check_volumes(release: Release) -> None:
    """What holds data goes on with the volumes that it has: on another one it would begin with nothing."""
    found = [one for one in containers(release["project"]) if one.is_running and release["services"].get(one.service, {}).get("stateful")]
    described = configuration(release) if found else {}
    for container in found:
        wanted = volumes_of(described, container.service)
        lost = sorted(set(container.volumes) - wanted)
        if container.volumes and wanted and not set(container.volumes) & wanted:
            raise Failure("VOLUME_CHANGED", "preflight", f"{container.service} has its data in {', '.join(lost)}, the release gives it {', '.join(sorted(wanted))}",
                          "keep the volume's name in the suite's compose file; nothing was changed.")
