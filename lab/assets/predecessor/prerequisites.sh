#!/bin/sh
# What a server has before the former tool copies its code: the distribution's own packages.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -qy install --no-install-recommends ca-certificates certbot cron curl docker.io docker-cli docker-compose docker-buildx iptables rsync
systemctl enable --quiet --now docker.service cron.service
