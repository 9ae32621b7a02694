#!/bin/bash
# The former check.
exec curl -fsS https://geoclic.fr/api/health
