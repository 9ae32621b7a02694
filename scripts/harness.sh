#!/bin/sh
# Kills the server's scripts at every effect, see docs/harness.md: harness.sh [--all] [--scenario NAME [--cut CUT [--then ACT]]].
set -eu
cd "$(dirname "$0")/../assets/server"
exec python3 -B -m harness "$@"
