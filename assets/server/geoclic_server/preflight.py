"""What must be there before an activation changes anything."""

from pathlib import Path

from . import files, layout
from .compose import Release, images
from .failure import Failure


def check(release: Release, suite: Path) -> None:
    """Raises Failure that names what is missing. `suite`: the release's tree."""
    step = "preflight"
    if not layout.ENVIRONMENT.exists():
        raise Failure("ENVIRONMENT_MISSING", step, f"{layout.ENVIRONMENT} is missing", "run `pulumi up` again: it writes it.")
    if not all((layout.TLS / name).exists() for name in ("fullchain.pem", "privkey.pem")):
        raise Failure("CERTIFICATE_MISSING", step, f"there is no certificate in {layout.TLS}", "run `pulumi up` again: it asks for one.")
    paths = [bind["source"] for bind in release["binds"]] + [static["source"] for static in release["static"]]
    absent = [path for path in (*paths, release["adapter"]["database"]["init"]) if not (suite / path).exists()]
    if absent:
        raise Failure("RELEASE_BROKEN", step, f"{suite} lacks {', '.join(absent)}", "remove that release's folder and run again: it is delivered anew.")
    files.check_space(step)
    present = images()
    missing = [f"{name} ({service['image']})" for name, service in release["services"].items() if service["image"] not in present]
    if missing:
        raise Failure("IMAGE_MISSING", step, f"not on this server: {', '.join(missing)}", "run `pulumi up` again: it delivers them.")
