"""Starts the API's workers, as many as API_WORKERS says: JSON logs, at most 4 s for the last requests after SIGTERM."""

import os
import sys

import uvicorn

from . import faults, logs, settings


def main() -> None:
    settings.load()
    if faults.is_on("crash-at-start"):
        sys.exit("fault crash-at-start is on")
    uvicorn.run(
        "api.main:app",
        host=os.environ.get("HOST", "0.0.0.0"),
        port=int(os.environ.get("PORT", "8000")),
        workers=int(os.environ.get("API_WORKERS", "1")),
        # On a busy machine a worker that starts answers late; it is not dead.
        timeout_worker_healthcheck=60,
        log_config=logs.CONFIG,
        access_log=False,
        server_header=False,
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=4,
    )


# Workers import this module again.
if __name__ == "__main__":
    main()
