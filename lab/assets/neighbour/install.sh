#!/bin/sh
# Makes a fresh Debian 12 one that somebody has worked on for years: French, Docker from Docker's repository as its guide
# told it before 2023 (without the Compose plugin), a swarm, and containers of a Compose project that is called as ours.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Programs whose answers are read by others, in French from now on.
rm -f /etc/dpkg/dpkg.cfg.d/*mmdebstrap*
apt-get -q update
apt-get -qy install --no-install-recommends gpg gpgv locales
apt-get -qy install --reinstall apt coreutils dpkg util-linux
localedef -i fr_FR -f UTF-8 fr_FR.UTF-8
printf 'LANG=fr_FR.UTF-8\nLC_ALL=fr_FR.UTF-8\n' > /etc/default/locale
mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\nDefaultEnvironment=LANG=fr_FR.UTF-8 LC_ALL=fr_FR.UTF-8\n' > /etc/systemd/system.conf.d/langue.conf
systemctl daemon-reexec

keyring=/usr/share/keyrings/docker-archive-keyring.gpg
curl -fsSL https://download.docker.com/linux/debian/gpg | gpg --dearmor -o "$keyring"
echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] https://download.docker.com/linux/debian bookworm stable" \
  > /etc/apt/sources.list.d/docker.list
apt-get -q update
apt-get -qy install --no-install-recommends containerd.io docker-ce docker-ce-cli

docker swarm init --advertise-addr 127.0.0.1 > /dev/null
mkdir -p /srv/blog/deploy
docker run -d --quiet --name blog --restart unless-stopped -p 127.0.0.1:8088:80 \
  --label com.docker.compose.project=deploy --label com.docker.compose.service=web --label com.docker.compose.oneoff=False \
  --label com.docker.compose.container-number=1 --label com.docker.compose.project.working_dir=/srv/blog/deploy \
  --label com.docker.compose.project.config_files=/srv/blog/deploy/docker-compose.yml nginx:alpine > /dev/null
docker volume create blog_data > /dev/null
