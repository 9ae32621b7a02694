#!/bin/sh
# What an imitated server answers over SSH: sshd runs this instead of any command. GEOCLIC_SERVER is its folder. Every
# command is logged; `faults/NAME` there is shell text that runs before the answer of that name.
set -euf
server=$GEOCLIC_SERVER
releases=$server/opt/geoclic/releases
[ -d "$releases" ] || mkdir -p "$releases"
printf '%s\n' "$SSH_ORIGINAL_COMMAND" >>"$server/log"

# The word after an option of the command.
after() { printf '%s\n' "$SSH_ORIGINAL_COMMAND" | sed -n "s/.* $1 \([^ ]*\).*/\1/p"; }
here() { printf '%s\n' "$SSH_ORIGINAL_COMMAND" | sed "s|/opt/geoclic/|$server/opt/geoclic/|g"; }
fault() {
  # shellcheck disable=SC1090
  if [ -e "$server/faults/$1" ]; then . "$server/faults/$1"; fi
}

case $SSH_ORIGINAL_COMMAND in
  "sh -c 'LC_ALL=C sudo -n true"*)
    fault sudo
    printf '%s\n' ID=debian 'VERSION_ID="13"' 'PRETTY_NAME="Debian GNU/Linux 13 (imitated)"' FACT_MACHINE=x86_64 \
      FACT_FREE=40000 "FACT_SCRIPTS="
    ;;
  "sh -c 'set -e; f=\$(readlink -f .ssh/authorized_keys)"* | true) ;;
  "sudo -n sh -c 'set -e; umask 022; mkdir -p /opt/geoclic/server.d"*) cat >/dev/null ;;
  "sudo -n /opt/geoclic/server/certificate status"*)
    fault status
    if [ -e "$server/issued" ]; then echo '{"valid": true}'; else echo '{"valid": false, "notAfter": null}'; fi
    ;;
  "sudo -n /opt/geoclic/server/certificate prepare"*)
    fault prepare
    echo "token-$$" >"$server/token"
    printf '{"token": "token-%s", "path": "/.well-known/acme-challenge/geoclic-fleet"}\n' "$$"
    ;;
  "sudo -n /opt/geoclic/server/certificate issue"*)
    fault issue
    touch "$server/issued"
    echo "certificate: issued"
    ;;
  "sudo -n /opt/geoclic/server/activate start"*)
    fault start
    ;;
  "sudo -n /opt/geoclic/server/activate follow"*)
    fault follow
    after --release >"$server/release"
    ln -sfn "releases/$(cat "$server/release")" "$server/opt/geoclic/current"
    echo "activation: done"
    ;;
  "sudo -n /opt/geoclic/server/write-env"*)
    fault environment
    cat >"$server/env"
    ;;
  "sudo -n /opt/geoclic/server/init"*)
    fault init
    cat >"$server/init"
    ;;
  "sudo -n /opt/geoclic/server/base"*) fault base ;;
  "sudo -n /opt/geoclic/server/schedules"*) fault schedules ;;
  "sudo -n /opt/geoclic/server/build"*) fault build ;;
  "sudo -n sh -c 'set -e; sync -f /opt/geoclic/releases/"*)
    fault rsync
    script=$(here)
    script=${script#"sudo -n sh -c '"}
    sh -c "${script%"'"}"
    ;;
  "sudo -n touch --no-create /opt/geoclic/releases/"*) ;;
  "ls -1 /opt/geoclic/releases") ls -1 "$releases" ;;
  "readlink /opt/geoclic/current") readlink "$server/opt/geoclic/current" ;;
  "sudo -n rsync --server"*)
    fault rsync
    # shellcheck disable=SC2046
    set -- $(here)
    shift 2
    exec "$@"
    ;;
  *)
    echo "error UNKNOWN [-] server: the imitated server has no answer to: $SSH_ORIGINAL_COMMAND. Next: add it to it" >&2
    exit 1
    ;;
esac
