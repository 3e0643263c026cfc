#!/usr/bin/env bash
# tools/precisions.sh [--write] [FOLDER]: measures what each precision of the default model costs: top-1, top-5 and logits beside
# PyTorch's in float64 on the pictures of FOLDER/tiny-val and FOLDER/photos (default: ../shared/data). Prints a table; with --write
# README.md and the model card carry it. PyTorch's part takes minutes and is kept in build/ until the network changes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"

write=()
if [ "${1:-}" = --write ]; then
  write=(--write)
  shift
fi
data=$(cd "${1:-$top/../shared/data}" && pwd)

need_packages build
configure release
ninja -C "$top/build/release" alexnet_cli >&2
reference_python
python3 "$top/tools/precisions.py" "$top/build/release/bin/alexnet" "$python" "$data" "${write[@]}"
