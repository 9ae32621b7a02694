#!/bin/sh
# What an imitated server answers over SSH: sshd runs this instead of any command. GEOCLIC_BENCH_SERVERS holds a folder for
# each server, named by its address; only rsync, mv and ls are done there, all else is an answer that costs nothing.
set -euf
# shellcheck disable=SC2086
set -- $SSH_CONNECTION
server=$GEOCLIC_BENCH_SERVERS/$3
releases=$server/opt/geoclic/releases
[ -d "$releases" ] || mkdir -p "$releases"

# The word after an option of the command.
after() { printf '%s\n' "$SSH_ORIGINAL_COMMAND" | sed -n "s/.* $1 \([^ ]*\).*/\1/p"; }
here() { printf '%s\n' "$SSH_ORIGINAL_COMMAND" | sed "s|/opt/geoclic/|$server/opt/geoclic/|g"; }

case $SSH_ORIGINAL_COMMAND in
  "sh -c 'LC_ALL=C sudo -n true"*)
    printf '%s\n' ID=debian 'VERSION_ID="13"' 'PRETTY_NAME="Debian GNU/Linux 13 (imitated)"' \
      FACT_MACHINE=x86_64 FACT_FREE=40000 "FACT_SCRIPTS="
    ;;
  "sed -E -i "*) ;;
  "sudo -n sh -c 'set -e; umask 022; mkdir -p /opt/geoclic/server.d"*) cat >/dev/null ;;
  "sudo -n /opt/geoclic/server/certificate status"*) echo '{"valid": false, "notAfter": null}' ;;
  "sudo -n /opt/geoclic/server/certificate prepare"*)
    echo "token-of-$3" >"$server/token"
    printf '{"token": "token-of-%s", "path": "/.well-known/acme-challenge/geoclic-fleet"}\n' "$3"
    ;;
  "sudo -n /opt/geoclic/server/certificate issue"*) echo "certificate: issued" ;;
  "sudo -n /opt/geoclic/server/activate start"*) after --release >"$server/release" ;;
  "sudo -n /opt/geoclic/server/activate follow"*) echo "activation: done" ;;
  "sudo -n /opt/geoclic/server/write-env"* | "sudo -n /opt/geoclic/server/init"*) cat >/dev/null ;;
  "sudo -n /opt/geoclic/server/base"* | "sudo -n /opt/geoclic/server/schedules"* | "sudo -n /opt/geoclic/server/build"*) ;;
  "sudo -n timeout --kill-after=5 "*" /opt/geoclic/server/facts "*) echo '{"release": "bbbbbbbbbbbb"}' ;;
  "ls -1 /opt/geoclic/releases") ls -1 "$releases" ;;
  "sudo -n rsync --server"* | "sudo -n mv -T /opt/geoclic/releases/"*)
    # shellcheck disable=SC2046
    set -- $(here)
    shift 2
    exec "$@"
    ;;
  *)
    echo "error UNKNOWN [-] server: the imitated server has no answer to: $SSH_ORIGINAL_COMMAND. Next: add it to bench/peers/answers.sh" >&2
    exit 1
    ;;
esac
