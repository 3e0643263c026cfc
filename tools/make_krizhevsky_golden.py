#!/usr/bin/env python3
"""Writes what a small network with the structure of the 2012 original computes, in plain NumPy:
tests/golden/krizhevsky2012.safetensors.

The two towers are computed apart, as the two processors of 2012 did it, and meet only at conv3 and at the linear layers. Channels
are an eighth and features a 128th of the original's, pictures are 67x67. Weights and input are made by the generator that
tests/layers/golden.cc has too, with the seeds 1, 2, ... in the order of use, and are not stored.
"""
import pathlib

import numpy as np
import safetensors.numpy

from layer_cases import generated

SEED = iter(range(1, 100))


def made(shape, low=-1.0, high=1.0):
    return generated(shape, next(SEED), low, high).astype(np.float64)


def convolution(x, weight, bias, stride, padding):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwrs,ocrs->nohw", windows, weight) + bias[None, :, None, None]


def pool(x):
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))[:, :, ::2, ::2].max((4, 5))


def relu(x):
    return np.maximum(x, 0)


def normalise(x):
    """cmrnorm of cuda-convnet: size 5, scale 1e-4 / 5, pow 0.75, minDiv 2, within the channels that it is given."""
    y = np.empty_like(x)
    for channel in range(x.shape[1]):
        window = x[:, max(channel - 2, 0):channel + 3]
        y[:, channel] = x[:, channel] * (2 + 1e-4 / 5 * (window**2).sum(1)) ** -0.75
    return y


def halves(x):
    return np.split(x, 2, 1)


def main():
    x = made((2, 3, 67, 67), -100, 100)
    keep = {}
    parameters = lambda out, into, size: (made((out, into, size, size)), made((out,)))
    split = lambda layer: list(zip(*(np.split(part, 2) for part in layer)))

    towers = [relu(pool(convolution(x, weight, bias, 4, 0))) for weight, bias in split(parameters(12, 3, 11))]
    towers = [normalise(tower) for tower in towers]
    keep["norm1"] = np.concatenate(towers, 1)
    towers = [relu(convolution(tower, weight, bias, 1, 2)) for tower, (weight, bias) in zip(towers, split(parameters(32, 6, 5)))]
    towers = [pool(normalise(tower)) for tower in towers]
    keep["pool2"] = np.concatenate(towers, 1)
    towers = halves(relu(convolution(np.concatenate(towers, 1), *parameters(48, 32, 3), 1, 1)))
    towers = [relu(convolution(tower, weight, bias, 1, 1)) for tower, (weight, bias) in zip(towers, split(parameters(48, 24, 3)))]
    towers = [relu(pool(convolution(tower, weight, bias, 1, 1))) for tower, (weight, bias) in zip(towers, split(parameters(32, 24, 3)))]
    x = np.concatenate(towers, 1).reshape(2, -1)
    keep["flatten"] = x
    for features, last in [(32, False), (32, False), (10, True)]:
        weight, bias = made((features, x.shape[1])), made((features,))
        x = x @ weight.T + bias
        if not last:
            x = 0.5 * relu(x)
    keep["fc8"] = x
    path = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/krizhevsky2012.safetensors"
    safetensors.numpy.save_file({name: np.ascontiguousarray(value) for name, value in keep.items()}, path)
    print(path.stat().st_size, "bytes", keep["fc8"])


if __name__ == "__main__":
    main()
