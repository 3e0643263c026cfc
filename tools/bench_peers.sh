#!/usr/bin/env bash
# tools/bench_peers.sh [--quick] [OPTIONS]: measures this engine beside OpenVINO, ONNX Runtime, OpenCV and PyTorch, alternately in
# one run; --help says more. The first call installs them, as tools/reference.txt pins them, into build/reference (6 GB; an
# interpreter that has them already may be named by PYTHON).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
reference_python
need_packages build
configure release
ninja -C "$top/build/release" alexnet_cli >&2
exec "$python" "$top/tools/bench_peers.py" "$@"
