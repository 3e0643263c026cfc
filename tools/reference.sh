#!/usr/bin/env bash
# tools/reference.sh MODEL PICTURE... [OPTIONS]: runs a model file in PyTorch, ONNX Runtime, OpenVINO or OpenCV and writes what
# they compute; --help says more. The first call installs them, as tools/reference.txt pins them, into build/reference (6 GB;
# an interpreter that has them already may be named by PYTHON).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/bootstrap.sh"
reference_python
exec "$python" "$top/tools/reference.py" "$@"
