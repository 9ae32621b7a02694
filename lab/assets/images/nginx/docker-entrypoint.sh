#!/bin/sh
# Runs the scripts of /docker-entrypoint.d, then the command.
set -e
if [ "$1" = nginx ]; then
  for file in /docker-entrypoint.d/*.sh; do
    [ ! -x "$file" ] || "$file"
  done
fi
exec "$@"
