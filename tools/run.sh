#!/usr/bin/env bash
# tools/run.sh [ARGS]: builds alexnet and runs it with ARGS; without, it classifies the sample photographs in data/.
# On Debian 12 what is missing is installed first. Only the program itself writes to stdout.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"

need_packages build
configure release
# A first build shows its progress; later ones speak only when they fail, so that the program's output stands alone.
if [ -e "$top/build/release/bin/alexnet" ]; then
  said=$(ninja -C "$top/build/release" alexnet_cli 2>&1) || { echo "$said" >&2; exit 1; }
else
  ninja -C "$top/build/release" alexnet_cli >&2
fi

if [ $# -eq 0 ]; then
  cd "$top"
  set -- classify data
fi
exec "$top/build/release/bin/alexnet" "$@"
