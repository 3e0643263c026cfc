#!/usr/bin/env python3
"""Writes what each layer kind must compute, as PyTorch, onnxruntime or NumPy compute it: tests/golden/layers/KIND.safetensors.

make_layer_golden.py [KIND...]: all kinds when none is named. Needs torch, numpy, scipy, safetensors and onnxruntime. The cases
stand in layer_cases_*.py, a function a kind; layer_cases.py says what the files hold.
"""
import sys

import layer_cases_norms as norms
import layer_cases_plain as plain
import layer_cases_windows as windows
from layer_cases import Golden

KINDS = [
    windows.adaptive_average_pool,
    plain.add,
    windows.average_pool,
    norms.batch_norm,
    norms.batch_statistics_norm,
    plain.clip,
    plain.concat,
    windows.convolution,
    plain.dropout,
    norms.filter_response_norm,
    plain.flatten,
    norms.group_norm,
    norms.instance_norm,
    norms.layer_norm,
    plain.linear,
    norms.local_contrast_norm,
    norms.local_mean_subtraction,
    norms.lrn,
    plain.matmul,
    windows.max_pool,
    norms.moving_average_batch_norm,
    plain.multiply,
    plain.pad,
    plain.relu,
    plain.reshape,
    plain.scale,
    plain.scale_shift,
    plain.slice,
    plain.softmax,
    norms.switchable_norm,
    plain.transpose,
]


def main():
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {make.__name__ for make in KINDS}:
        sys.exit(f"no such kind: {', '.join(sorted(unknown))}")
    for make in KINDS:
        if not wanted or make.__name__ in wanted:
            golden = Golden(make.__name__)
            make(golden)
            golden.write()


if __name__ == "__main__":
    main()
