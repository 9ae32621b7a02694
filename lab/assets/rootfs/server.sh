#!/bin/sh
# Turns a Debian tree into the server that a hosting company delivers. Usage: server.sh TREE
set -eu
tree=$1

# Units that make no sense in a container or that touch the machine's devices.
for unit in getty@tty1.service console-getty.service systemd-binfmt.service \
  proc-sys-fs-binfmt_misc.automount systemd-modules-load.service systemd-sysctl.service \
  sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount systemd-udevd.service \
  systemd-udev-trigger.service systemd-random-seed.service systemd-remount-fs.service; do
  ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
chroot "$tree" systemctl set-default -q multi-user.target
# Nothing in the background may hold apt's lock or use the network by itself.
chroot "$tree" systemctl disable -q apt-daily.timer apt-daily-upgrade.timer

# A privileged container sees the machine's disks: hide them before anything else runs.
cat > "$tree/etc/systemd/system/lab-hide-disks.service" <<'UNIT'
[Unit]
Description=Hide the disks of the machine below
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c "rm -f /dev/vd* /dev/sd* /dev/nvme* /dev/loop*"
[Install]
WantedBy=sysinit.target
UNIT

cat > "$tree/etc/systemd/system/lab-host-keys.service" <<'UNIT'
[Unit]
Description=SSH host keys of this server, made at its first boot
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
[Install]
WantedBy=ssh.service multi-user.target
UNIT
chroot "$tree" systemctl enable -q lab-hide-disks.service lab-host-keys.service
rm -f "$tree"/etc/ssh/ssh_host_*

chroot "$tree" useradd --create-home --shell /bin/bash --groups sudo ubuntu
echo 'ubuntu ALL=(ALL) NOPASSWD:ALL' > "$tree/etc/sudoers.d/90-cloud-init-users"
chmod 440 "$tree/etc/sudoers.d/90-cloud-init-users"
install -d -m 700 -o 1000 -g 1000 "$tree/home/ubuntu/.ssh"
printf 'PasswordAuthentication no\nUseDNS no\n' > "$tree/etc/ssh/sshd_config.d/50-cloud-init.conf"

# Twenty servers share the memory of one machine, and its kernel log.
mkdir -p "$tree/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nReadKMsg=no\n' > "$tree/etc/systemd/journald.conf.d/lab.conf"

rm -f "$tree"/var/lib/apt/lists/*_*
: > "$tree/etc/machine-id"
