#!/bin/bash
# The former nightly backup.
exec docker exec geoclic_db pg_dump -U geoclic -d geoclic_db
