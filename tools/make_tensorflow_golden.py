#!/usr/bin/env python3
"""Writes what TensorFlow computes for the layers that it defines: tests/golden/layers/tensorflow.safetensors.

make_tensorflow_golden.py: needs tensorflow, numpy and safetensors. Layers: tf.nn.lrn, tf.nn.moments with tf.nn.batch_normalization,
and tf.compat.v1.nn.batch_norm_with_global_normalization; in float64, except for lrn, which TensorFlow has in float32 alone. Inputs are
stored as ours are, channels second; the form is that of layer_cases.py.
"""
import json
import pathlib

import numpy as np
import safetensors.numpy
import tensorflow as tf

PATH = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/layers/tensorflow.safetensors"
SHAPES = [(2, 3, 5, 7), (1, 1, 1, 1), (3, 1, 4, 1), (1, 17, 3, 2)]


class Cases:
    def __init__(self):
        self.cases, self.tensors, self.random = [], {}, np.random.default_rng(3)

    def values(self, shape, low, high):
        return self.random.uniform(low, high, shape).astype(np.float32)

    def add(self, name, layer, x, y, parameters=None):
        """x and y as TensorFlow has them, channels last."""
        index = len(self.cases)
        first = lambda array: np.ascontiguousarray(np.moveaxis(np.asarray(array), -1, 1))
        self.tensors[f"{index}.input0"] = first(x).astype(np.float32)
        self.tensors[f"{index}.output"] = first(y).astype(np.float64).reshape(-1)
        named = {}
        for key, value in (parameters or {}).items():
            self.tensors[f"{index}.{key}"] = np.asarray(value, np.float32)
            named[key] = {"tensor": f"{index}.{key}"}
        self.cases.append({"name": name, "layer": layer, "inputs": [{"tensor": f"{index}.input0"}], "parameters": named, "source": "tensorflow",
                           "output": {"shape": list(first(y).shape), "step": 1, "sum": None}})


def lrn(g):
    def add(name, x, radius, bias, alpha, beta):
        layer = {"kind": "lrn", "local_size": 2 * radius + 1, "alpha": alpha * (2 * radius + 1), "beta": beta, "k": bias}
        g.add(name, layer, x, tf.nn.lrn(x, depth_radius=radius, bias=bias, alpha=alpha, beta=beta))
    for n, c, h, w in SHAPES:
        x = g.values((n, h, w, c), -4, 4)
        for radius, bias, alpha, beta in [(5, 1, 1, 0.5), (2, 1, 0.2, 0.75), (1, 2, 0.5, 1.0), (3, 1, 1e-4, 0.6)]:
            add(f"{(n, c, h, w)} radius {radius}", x, radius, bias, alpha, beta)
    add("values to 1e4", g.values((2, 3, 4, 9), -1e4, 1e4), 2, 2, 1e-4, 0.75)
    add("bias 0", np.full((1, 2, 2, 3), 2, np.float32), 1, 0, 1, 1.0)
    add("a picture of 1, 2, ... 75", np.arange(1, 76, dtype=np.float32).reshape(1, 5, 5, 3), 2, 1, 0.001 / 9, 0.75)


def batch_norms(g):
    values = lambda *arguments: g.values(*arguments).astype(np.float64)
    for n, c, h, w in SHAPES + [(4, 5, 3, 2)]:
        x = values((n, h, w, c), -3, 5)
        scale, offset = values((c,), -2, 2), values((c,), -1, 1)
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        stored = {"mean": values((c,), -2, 2), "variance": values((c,), 0.1, 4)}
        for has_scale, has_offset in [(True, True), (False, True), (True, False), (False, False)]:
            learned = ({"scale": scale} if has_scale else {}) | ({"offset": offset} if has_offset else {})
            flags = {"epsilon": 1e-3, "scale": has_scale, "offset": has_offset}
            name = f"{(n, c, h, w)}{' scale' if has_scale else ''}{' offset' if has_offset else ''}"
            arguments = (offset if has_offset else None, scale if has_scale else None, 1e-3)
            g.add(f"moments of {name}", {"kind": "batch_statistics_norm", **flags}, x, tf.nn.batch_normalization(x, mean, variance, *arguments), learned)
            g.add(f"batch_normalization of {name}", {"kind": "batch_norm", **flags}, x,
                  tf.nn.batch_normalization(x, stored["mean"], stored["variance"], *arguments), stored | learned)
        for after in (True, False):
            y = tf.compat.v1.nn.batch_norm_with_global_normalization(x, stored["mean"], stored["variance"], offset, scale, 1e-3, after)
            g.add(f"{(n, c, h, w)} scale_after_normalization={after}", {"kind": "batch_norm", "epsilon": 1e-3, "scale": after}, x, y,
                  stored | {"offset": offset} | ({"scale": scale} if after else {}))


def extremes(g):
    """Values to 1e4, no variance, and what a bias or an epsilon of 0 leaves of zeros."""
    zeros = np.array([0, 0, 0, 3, 0, 0, 0, -2, 0], np.float32).reshape(1, 1, 1, 9)
    g.add("lrn of zeros, bias 0", {"kind": "lrn", "local_size": 3, "alpha": 3, "k": 0}, zeros, tf.nn.lrn(zeros, depth_radius=1, bias=0, alpha=1, beta=0.75))
    for name, x, epsilon in [("values to 1e4", g.values((2, 5, 7, 3), -1e4, 1e4), 1e-3), ("far from zero", g.values((2, 5, 7, 3), 9.9e3, 1e4), 1e-3),
                             ("zero variance", np.full((2, 5, 7, 3), 1e4), 1e-3), ("zero variance and epsilon", np.full((2, 5, 7, 3), 3), 0)]:
        x = x.astype(np.float64)
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        scale, offset = (g.values((3,), -2, 2).astype(np.float64) for _ in range(2))
        learned = {"scale": scale, "offset": offset}
        g.add(f"moments: {name}", {"kind": "batch_statistics_norm", "epsilon": epsilon}, x,
              tf.nn.batch_normalization(x, mean, variance, offset, scale, epsilon), learned)
        stored = {"mean": np.float32(mean).astype(np.float64), "variance": np.float32(variance).astype(np.float64)}
        g.add(f"batch_normalization: {name}", {"kind": "batch_norm", "epsilon": epsilon}, x,
              tf.nn.batch_normalization(x, stored["mean"], stored["variance"], offset, scale, epsilon), stored | learned)
        y = tf.compat.v1.nn.batch_norm_with_global_normalization(x, stored["mean"], stored["variance"], offset, scale, epsilon, False)
        g.add(f"without scale_after_normalization: {name}", {"kind": "batch_norm", "epsilon": epsilon, "scale": False}, x, y, stored | {"offset": offset})


def main():
    g = Cases()
    lrn(g)
    batch_norms(g)
    extremes(g)
    metadata = {"golden": json.dumps({"made_by": f"tools/make_tensorflow_golden.py with tensorflow {tf.__version__}", "cases": g.cases})}
    safetensors.numpy.save_file(g.tensors, PATH, metadata)
    print(f"{len(g.cases)} cases, {PATH.stat().st_size} bytes")


if __name__ == "__main__":
    main()
