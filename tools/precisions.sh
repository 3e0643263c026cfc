#!/usr/bin/env bash
# tools/precisions.sh [--write] [FOLDER]: measures what each precision of the default model costs: top-1, top-5 and logits beside
# PyTorch's in float64 on the pictures of FOLDER/tiny-val and FOLDER/photos (default: ../shared/data). Prints a table; with --write
# README.md and the model card carry it. PyTorch's part takes minutes and is kept in build/ until the model changes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"

write=()
if [ "${1:-}" = --write ]; then
  write=(--write)
  shift
fi
data=$(cd "${1:-$top/../shared/data}" && pwd)
model=$top/models/alexnet-tiny200.safetensors
truth=$top/build/float64-$(sha256sum "$model" | cut -c1-16).jsonl

need_packages build
configure release
ninja -C "$top/build/release" alexnet_cli >&2
reference_python
if [ ! -e "$truth" ]; then
  "$python" "$top/tools/reference.py" "$model" "$data/tiny-val" "$data/photos" --logits --predictions "$truth.part"
  mv "$truth.part" "$truth"
fi
python3 "$top/tools/precisions.py" "$top/build/release/bin/alexnet" "$truth" "$data" "${write[@]}"
