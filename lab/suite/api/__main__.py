"""Starts the API: one worker, JSON logs, at most 4 s for the last requests after SIGTERM."""

import os
import sys

import uvicorn

from . import faults, logs, settings

settings.load()
if faults.is_on("crash-at-start"):
    sys.exit("fault crash-at-start is on")
uvicorn.run(
    "api.main:app",
    host=os.environ.get("HOST", "0.0.0.0"),
    port=int(os.environ.get("PORT", "8000")),
    log_config=logs.CONFIG,
    access_log=False,
    server_header=False,
    forwarded_allow_ips="*",
    timeout_graceful_shutdown=4,
)
