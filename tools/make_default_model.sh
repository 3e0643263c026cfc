#!/usr/bin/env bash
# tools/make_default_model.sh [FOLDER]: makes the default model, its card and the golden values of its tests again from the
# checkpoint in FOLDER (default: ../shared/data; its README says what it holds). The logits are PyTorch's: PYTHON names an
# interpreter that has torch, torchvision, Pillow and safetensors (default: python3).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"

data=$(cd "${1:-$top/../shared/data}" && pwd)
python=${PYTHON:-python3}
golden=$top/tests/golden/model
"$python" -c 'import PIL, safetensors, torch, torchvision' || { echo "PYTHON must name a Python with PyTorch" >&2; exit 1; }

need_packages build
configure release
ninja -C "$top/build/release" make_default_model >&2
cd "$top"
build/release/tools/make_default_model "$data/alexnet-tiny200.npz" "$data/tiny200-labels.txt" models/alexnet-tiny200.json \
  data/chelsea.jpg "$data/tiny-val" tools/alexnet-tiny200.card.md models/alexnet-tiny200

mkdir -p "$golden"
"$python" tools/model_file.py models/alexnet-tiny200.safetensors --golden "$golden/samples.safetensors" data/*.jpg data/*.png
"$python" tools/model_file.py models/alexnet-tiny200.safetensors --golden "$golden/photos.safetensors" "$data"/photos/*.JPEG
"$python" tools/dump_reference.py --features
PYTHON=$python tools/precisions.sh --write "$data"
