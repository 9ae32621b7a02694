# Source me: `. ./env.sh` in the checkout, in bash and zsh also by my path from anywhere. Afterwards `pulumi preview`, `up`,
# `refresh` and `destroy` typed by hand work.
# With the lab up and no fleet of one's own on this machine, it is the lab's stacks that they work on.
geoclic_root=.
[ -z "${BASH_SOURCE:-}" ] || geoclic_root=${BASH_SOURCE%/*}
[ -z "${ZSH_VERSION:-}" ] || geoclic_root=${0%/*}
geoclic_root=$(CDPATH='' cd "$geoclic_root" 2>/dev/null && pwd)
if [ ! -f "$geoclic_root/toolchain/environment.ts" ]; then
  echo "env.sh: source it in the checkout's folder: cd geoclic-fleet && . ./env.sh" >&2
  return 1
fi
PATH="$geoclic_root/node_modules/.bin:$PATH"
if [ "${GEOCLIC_LAB:-}" = 1 ] || { [ -S /run/geoclic-lab/docker.sock ] &&
  [ ! -e "${GEOCLIC_HOME:-${XDG_STATE_HOME:-$HOME/.local/state}/geoclic-fleet}/passphrase" ]; }; then
  geoclic_lines=$(NODE_EXTRA_CA_CERTS='' node "$geoclic_root/lab/main.ts" env) || return 1
  eval "$geoclic_lines"
  echo "env.sh: working in the lab" >&2
fi
geoclic_lines=$(node "$geoclic_root/toolchain/environment.ts") || { echo "env.sh: run \`npm run setup\` first" >&2; return 1; }
eval "$geoclic_lines"
mkdir -p "${PULUMI_BACKEND_URL#file://}" 2>/dev/null || true
# The fleet's key, from the master stack; there is none before the master stack was made.
if geoclic_lines=$(node "$geoclic_root/cli/main.ts" agent --env 2>/dev/null); then
  eval "$geoclic_lines"
else
  echo "env.sh: no fleet key yet (the master stack is made by \`pulumi up --stack master\`)" >&2
fi
# One town's failure leaves the others to go on, by hand as by our own commands.
export PULUMI_CONTINUE_ON_ERROR="${PULUMI_CONTINUE_ON_ERROR:-true}"
unset geoclic_lines geoclic_root
