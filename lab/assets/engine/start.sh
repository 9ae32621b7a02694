#!/bin/sh
# Runs dockerd from a Debian tree of its own, in the private mount namespace that the caller made.
# The machine's own files stay as they are; folders given as BIND are seen at the same path inside.
# Usage: start.sh ROOTFS LAB RUN MTU BUNDLE BIND...
set -eu
rootfs=$1 lab=$2 run=$3 mtu=$4 bundle=$5
shift 5

mount --make-rprivate /
root=$lab/engine/root
mkdir -p "$root" "$lab/engine/upper" "$lab/engine/work" "$lab/docker"
mount -t overlay overlay -o "lowerdir=$rootfs,upperdir=$lab/engine/upper,workdir=$lab/engine/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/lock"
for folder in "$lab" "$run" "$@"; do
  mkdir -p "$root$folder"
  mount --bind "$folder" "$root$folder"
done
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp "$lab/engine/hosts" "$root/etc/hosts"
cat "$bundle" >> "$root/etc/ssl/certs/ca-certificates.crt"

echo $$ > "$run/engine.pid"
mkdir -p "$root/.machine"
cd "$root"
# Not chroot: after a chroot, `docker exec` would land in the machine's own root.
pivot_root . .machine
umount -l /.machine
rmdir /.machine
hash -r

bridge=geoclic-lab1
ip link show "$bridge" > /dev/null 2>&1 || ip link add "$bridge" type bridge
ip address replace 10.78.0.1/24 dev "$bridge"
ip link set "$bridge" up

exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin dockerd \
  --host "unix://$run/docker.sock" --data-root "$lab/docker" --exec-root /run/docker --pidfile /run/docker.pid \
  --bridge "$bridge" --mtu "$mtu" --default-address-pool base=10.79.0.0/16,size=24 --log-level warn
