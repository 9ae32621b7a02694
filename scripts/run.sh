#!/bin/sh
# All set-up, then the program asked for: run.sh setup | demo | test | test:all | test:plugins. Plain sh: it runs before
# anything of the project is installed.
set -eu
cd "$(dirname "$0")/.."
what=${1:-setup}
[ $# -eq 0 ] || shift

# What is asked for is checked before anything is changed.
if [ "$what" = demo ]; then
  case $* in
    '' | "--clients "[1-9] | "--clients "[1-4][0-9] | "--clients 50" | --clients=[1-9] | --clients=[1-4][0-9] | --clients=50) ;;
    *)
      echo "npm run demo [-- --clients N]: N towns online in a lab, 1 to 50; 3 when it is not said" >&2
      [ "$*" != --help ] && [ "$*" != -h ] || exit 0
      echo "got $*; nothing was changed" >&2
      exit 2
      ;;
  esac
fi

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing
  $1: $2"; }
need git "apt-get install git"
need npm "nodejs.org, version 20 or newer"
need apt-get "Debian or Ubuntu is needed"
if ! command -v node >/dev/null 2>&1 || [ "$(node -p 'Number(process.versions.node.split(".")[0])')" -lt 20 ]; then
  missing="$missing
  node: version 20 or newer, nodejs.org"
fi
# Pulumi is on PATH, was made before, or can be downloaded; else it must be built.
made() {
  for record in "${XDG_CACHE_HOME:-$HOME/.cache}"/geoclic-fleet/toolchain/*/record.json; do
    [ ! -e "$record" ] || return 0
  done
  return 1
}
downloadable() {
  node -e 'fetch("https://get.pulumi.com", { method: "HEAD", signal: AbortSignal.timeout(5000) }).then(
    (answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))' 2>/dev/null
}
if ! command -v pulumi >/dev/null 2>&1 && ! command -v go >/dev/null 2>&1 && ! made && ! downloadable; then
  missing="$missing
  go: go.dev, version 1.26 or newer (Pulumi's download host is out of reach; or install Pulumi)"
fi
[ -z "$sudo" ] || need sudo "run as root, or install sudo"
if [ -n "$missing" ]; then
  echo "Missing, nothing was changed:$missing" >&2
  exit 1
fi

step() { printf '== %s\n' "$1"; }

stamp=node_modules/.geoclic-stamp
wanted=$(cksum <package-lock.json)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  step "npm dependencies"
  npm ci --no-audit --no-fund --loglevel=error
  printf '%s\n' "$wanted" >"$stamp"
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

packages=
command -v rsync >/dev/null 2>&1 || packages="$packages rsync"
command -v ssh-agent >/dev/null 2>&1 || packages="$packages openssh-client"
if [ "$what" != setup ] && [ "$what" != demo ]; then
  [ -x /usr/sbin/sshd ] || packages="$packages openssh-server"
  command -v python3 >/dev/null 2>&1 || packages="$packages python3"
  # The kill harness runs a private PostgreSQL; Debian's package shall start none of its own.
  if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    packages="$packages postgresql"
    $sudo mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
      echo "create_main_cluster = false" | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
fi
if [ -n "$packages" ]; then
  step "Debian packages:$packages"
  $sudo apt-get -qq update
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install --yes --no-install-recommends $packages >/dev/null
fi

step "Pulumi's engine and plugins"
node toolchain/setup.ts
environment=$(node toolchain/environment.ts)
eval "$environment"

# The lab makes containers, networks and mounts.
root() { if [ -n "$sudo" ]; then exec sudo --preserve-env "PATH=$PATH" "$@"; else exec "$@"; fi; }
case $what in
  setup) ;;
  demo) root node lab/demo.ts "$@" ;;
  test) root node test/run.ts "$@" ;;
  test:all) root node test/run.ts --all "$@" ;;
  test:plugins) exec node node_modules/vitest/vitest.mjs run --project plugins "$@" ;;
  *)
    echo "unknown: $what, expected setup, demo, test, test:all or test:plugins" >&2
    exit 2
    ;;
esac
