#!/bin/sh
# Usage: make.sh PACKAGES INTO. Debian 13's engine needs nothing newer than Debian 12's C library, so one pool serves both.
set -eu
packages=$1 into=$2
export GNUPGHOME=/tmp/keys
repository=$into/download.docker.com/linux/debian
mkdir -p "$repository/pool"
mkdir -m 700 "$GNUPGHOME"

# Usage: rename DEBIAN'S-NAME DOCKER'S-NAME FIELDS FILES. Debian's packages say that they stand against Docker's; Docker's
# plugins share files with Debian's and do not say so.
rename() {
  tree=/tmp/$2
  dpkg-deb -R "$packages/$1"_*.deb "$tree"
  awk -v name="$2" -v fields="$3" '
    /^[^ ]/ { dropped = /^(Breaks|Built-Using|Conflicts|Provides|Recommends|Replaces|Source|Static-Built-Using|Suggests):/ }
    dropped { next }
    /^Package:/ { print "Package: " name; if (fields) print fields; next }
    /^Depends:/ { sub(/containerd \([^)]*\)/, "containerd.io, docker-ce-cli"); sub(/, runc[^,]*/, ""); sub(/runc[^,]*, /, "") }
    { print }' "$tree/DEBIAN/control" > /tmp/control
  mv /tmp/control "$tree/DEBIAN/control"
  [ -z "$4" ] || cp -a "$4/." "$tree/"
  dpkg-deb -Zgzip -z1 -b "$tree" "$repository/pool" > /dev/null
}
# Docker's containerd brings a runc of its own.
dpkg-deb -x "$packages"/runc_*.deb /tmp/runc
rm -rf /tmp/runc/usr/share
[ ! -d /tmp/runc/usr/sbin ] || { mkdir -p /tmp/runc/usr/bin && mv /tmp/runc/usr/sbin/runc /tmp/runc/usr/bin/ && rmdir /tmp/runc/usr/sbin; }
against() { printf 'Conflicts: %s\nReplaces: %s\nProvides: %s' "$1" "$1" "$1"; }
rename containerd containerd.io "$(against 'containerd, runc')" /tmp/runc
rename docker-cli docker-ce-cli "$(printf 'Conflicts: docker-cli\nReplaces: docker-cli')" ""
rename docker.io docker-ce "$(printf 'Conflicts: docker.io\nReplaces: docker.io')" ""
rename docker-compose docker-compose-plugin "" ""
rename docker-buildx docker-buildx-plugin "" ""

gpg -q --batch --passphrase '' --quick-gen-key 'Docker of the lab <docker@geoclic.test>' rsa2048 sign never
gpg --armor --export > "$repository/gpg"
architecture=$(dpkg --print-architecture)
for suite in bookworm trixie; do
  lists=$repository/dists/$suite
  mkdir -p "$lists/stable/binary-$architecture"
  (cd "$repository" && apt-ftparchive packages pool) > "$lists/stable/binary-$architecture/Packages"
  apt-ftparchive -o APT::FTPArchive::Release::Origin=Docker -o "APT::FTPArchive::Release::Suite=$suite" \
    -o "APT::FTPArchive::Release::Codename=$suite" -o APT::FTPArchive::Release::Components=stable \
    -o "APT::FTPArchive::Release::Architectures=$architecture" release "$lists" > /tmp/Release
  mv /tmp/Release "$lists/Release"
  gpg -q --batch --clearsign -o "$lists/InRelease" "$lists/Release"
done

dpkg-deb -x "$packages"/restic_*.deb /tmp/restic
version=$(dpkg-deb -f "$packages"/restic_*.deb Version | sed 's/[-+].*//')
release=$into/github.com/restic/restic/releases/download/v$version
mkdir -p "$release"
bzip2 -1 < /tmp/restic/usr/bin/restic > "$release/restic_${version}_linux_$architecture.bz2"

fingerprint=$(gpg --with-colons --list-keys | awk -F: '$1 == "fpr" { print $10; exit }')
printf '{"dockerKey": "%s", "resticSha256": "%s"}\n' "$fingerprint" \
  "$(sha256sum "$release"/*.bz2 | cut -d' ' -f1)" > "$into/pins.json"
