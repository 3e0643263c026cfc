#!/usr/bin/env python3
"""Writes small Caffe networks and what they compute: tests/golden/import/caffe/NAME.{prototxt,caffemodel,npz}.

make_caffe_fixtures.py: needs torch and numpy. The binary files are encoded here by caffe.proto's field numbers; no Caffe is needed.
The truth is computed by PyTorch in float64, with Caffe's rules (its pools, its within-channel normalisation) written out.
"""
import pathlib
import struct

import numpy as np
import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/import/caffe"


# -- the wire format --

def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, payload):
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def blob(array, legacy=False, doubles=False):
    array = np.asarray(array)
    if legacy:  # four extents, ones in front
        shape = b"".join(number(i + 1, extent) for i, extent in enumerate((1,) * (4 - array.ndim) + array.shape))
    else:
        shape = data(7, data(1, b"".join(varint(extent) for extent in array.shape)))
    kind, field = ("<f8", 8) if doubles else ("<f4", 5)
    return shape + data(field, array.astype(kind).tobytes())


def caffemodel(name, layers, v1=False, **how):
    """Layers as (name, type, [arrays])."""
    out = data(1, name)
    for layer, kind, arrays in layers:
        if v1:
            out += data(2, data(4, layer) + number(5, kind) + b"".join(data(6, blob(a, legacy=True, **how)) for a in arrays))
        else:
            out += data(100, data(1, layer) + data(2, kind) + b"".join(data(7, blob(a, **how)) for a in arrays))
    return out


# -- what Caffe computes --

def pool(x, kernel, stride=1, pad=0, average=False):
    size = []
    for extent in x.shape[2:]:
        out = -(-(extent + 2 * pad - kernel) // stride) + 1
        if pad and (out - 1) * stride >= extent + pad:
            out -= 1
        size.append(out)
    y = torch.zeros(*x.shape[:2], *size, dtype=x.dtype)
    for i in range(size[0]):
        for j in range(size[1]):
            top, left = i * stride - pad, j * stride - pad
            bottom, right = min(top + kernel, x.shape[2] + pad), min(left + kernel, x.shape[3] + pad)
            window = x[:, :, max(top, 0):min(bottom, x.shape[2]), max(left, 0):min(right, x.shape[3])]
            y[:, :, i, j] = window.sum((2, 3)) / ((bottom - top) * (right - left)) if average else window.amax((2, 3))
    return y


def norm(x, size, alpha, beta, k=1.0):
    return F.local_response_norm(x, size, alpha, beta, k)


def norm_within(x, size, alpha, beta):
    return x * (1 + alpha * F.avg_pool2d(x * x, size, 1, (size - 1) // 2, count_include_pad=True)) ** -beta


class Weights:
    def __init__(self, seed):
        self.random, self.arrays = np.random.default_rng(seed), {}

    def __call__(self, layer, *shapes, scale=0.4, positive=False):
        arrays = [(self.random.standard_normal(shape) * scale).astype(np.float32) for shape in shapes]
        self.arrays[layer] = [np.abs(a) + np.float32(0.5) if positive else a for a in arrays]
        return [torch.from_numpy(a.astype(np.float64)) for a in self.arrays[layer]]


def picture(shape, seed=3):
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return x, torch.from_numpy(x.astype(np.float64))


def save(name, prototxt, model, **arrays):
    (FOLDER / f"{name}.prototxt").write_text(prototxt)
    (FOLDER / f"{name}.caffemodel").write_bytes(model)
    np.savez(FOLDER / f"{name}.npz", **{key: np.asarray(value) for key, value in arrays.items()})
    print(", ".join(f"{path.name} {path.stat().st_size}" for path in sorted(FOLDER.glob(f"{name}.*"))))


def alexnet():
    """As bvlc_alexnet's deploy.prototxt: conv, relu in place, norm, pool; groups; pools whose last window hangs over the end."""
    w = Weights(1)
    x, y = picture((2, 3, 24, 24))
    y = norm(F.relu(F.conv2d(y, *w("conv1", (6, 3, 5, 5), (6,)), stride=2)), 5, 0.1, 0.75)
    y = pool(y, 3, 2)
    y = norm(F.relu(F.conv2d(y, *w("conv2", (8, 3, 3, 3), (8,)), padding=1, groups=2)), 5, 0.1, 0.75)
    y = pool(y, 3, 2)
    y = F.relu(F.linear(y.flatten(1), *w("fc6", (10, 32), (10,))))
    y = torch.softmax(F.linear(y, *w("fc8", (5, 10), (5,))), 1)
    layers = [(name, "x", arrays) for name, arrays in w.arrays.items()]
    layers.insert(1, ("loss3/classifier", "InnerProduct", [np.zeros((2, 2), np.float32)]))  # Caffe ignores what the prototxt lacks
    save("alexnet", '''name: "AlexNet"  # V2
layer {
  name: "data"
  type: "Input"
  top: "data"
  input_param { shape: { dim: 10 dim: 3 dim: 24 dim: 24 } }
}
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 6 kernel_size: 5 stride: 2 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1" lrn_param { local_size: 5 alpha: 0.1 beta: 0.75 } }
layer { name: "pool1" type: "Pooling" bottom: "norm1" top: "pool1" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 8 pad: 1 kernel_size: 3 group: 2 } }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "norm2" type: "LRN" bottom: "conv2" top: "norm2" lrn_param { local_size: 5 alpha: 0.1 beta: 0.75 } }
layer { name: "pool2" type: "Pooling" bottom: "norm2" top: "pool2" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "fc6" type: "InnerProduct" bottom: "pool2" top: "fc6" inner_product_param { num_output: 10 } }
layer { name: "relu6" type: "ReLU" bottom: "fc6" top: "fc6" }
layer { name: "drop6" type: "Dropout" bottom: "fc6" top: "fc6" dropout_param { dropout_ratio: 0.5 } }
layer { name: "fc8" type: "InnerProduct" bottom: "fc6" top: "fc8" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc8" top: "prob" }
''', caffemodel("AlexNet", layers), data=x, prob=y)


def caffenet():
    """As bvlc_reference_caffenet, in the generation V1: pool before norm, old input and old shapes."""
    w = Weights(2)
    x, y = picture((1, 3, 23, 23), 4)
    y = norm(pool(F.relu(F.conv2d(y, *w("conv1", (6, 3, 5, 5), (6,)), stride=2)), 3, 2), 5, 0.1, 0.75)
    y = F.relu(F.conv2d(y, *w("conv2", (4, 6, 3, 3), (4,)), padding=1))
    y = F.linear(y.flatten(1), *w("fc8", (5, 100), (5,)))
    kinds = {"conv1": 4, "conv2": 4, "fc8": 14}
    save("caffenet_v1", '''name: 'CaffeNet'
input: "data"
input_dim: 10 input_dim: 3
input_dim: 23, input_dim: 23;
layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2
  convolution_param { num_output: 6 kernel_size: 5 stride: 2 weight_filler { type: "gaussian" std: 0.01 } } }
layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" }
layers { name: "pool1" type: 17 bottom: "conv1" top: "pool1" pooling_param < pool: MAX kernel_size: 3 stride: 2 > }
layers { name: "norm1" type: LRN bottom: "pool1" top: "norm1" lrn_param { alpha: 1e-1 beta: 0.75 } }
layers { name: "conv2" type: CONVOLUTION bottom: "norm1" top: "conv2" convolution_param { num_output: 4 pad: 1 kernel_size: 3 } }
layers { name: "relu2" type: RELU bottom: "conv2" top: "conv2" }
layers { name: "fc8" type: INNER_PRODUCT bottom: "conv2" top: "fc8" inner_product_param { num_output: 5 } }
''', caffemodel("CaffeNet", [(name, kinds[name], arrays) for name, arrays in w.arrays.items()], v1=True), data=x, fc8=y)


def train_val():
    """A network as it is trained: two data layers by phase, a loss, an accuracy, a dropout; doubles."""
    w = Weights(3)
    x, y = picture((2, 3, 8, 8), 5)
    y = F.relu(F.conv2d(y, w("conv", (4, 3, 3, 3))[0]))
    y = F.linear(y.flatten(1), *w("ip", (3, 144), (3,)))
    w.arrays["ip"][0] = np.ascontiguousarray(w.arrays["ip"][0].T)  # as the layer's `transpose` has it
    save("train_val", '''name: "Trained"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { mirror: true crop_size: 7 mean_value: 1 } data_param { source: "train" batch_size: 256 backend: LMDB } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { crop_size: 8 mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.5 } data_param { source: "val" batch_size: 50 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_h: 3 kernel_w: 3 bias_term: false } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "relu" }
layer { name: "noise" type: "Dropout" bottom: "relu" top: "relu" exclude { phase: TEST } }
layer { name: "ip" type: "InnerProduct" bottom: "relu" top: "ip" inner_product_param { num_output: 3 transpose: true } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
''', caffemodel("Trained", [(name, "x", arrays) for name, arrays in w.arrays.items()], doubles=True), data=x, ip=y)


def towers():
    """Everything else: batch normalisation with and without Scale, slices and joins, sums and products, averages, within-channel norms."""
    w = Weights(4)
    x, y = picture((2, 4, 9, 9), 6)
    y = F.conv2d(y, w("conv", (4, 4, 3, 3))[0], padding=1)
    mean, variance, factor = w("bn", (4,), (4,), (1,), positive=True)
    scale, offset = w("scale", (4,), (4,))
    y = F.batch_norm(y, mean / factor, variance / factor, scale, offset, eps=1e-3)
    a, b = y[:, :1], y[:, 1:]
    a = F.conv2d(a, *w("conv_a", (3, 1, 1, 1), (3,)))
    mean, variance, factor = w("bn_b", (3,), (3,), (1,), positive=True)
    b = F.batch_norm(b, mean / factor, variance / factor, None, None, eps=1e-5)
    total, product = a + b, a * b
    y = torch.cat([total, product, total], 1)
    y = y * w("gain", (9,))[0].reshape(1, -1, 1, 1)
    y = norm_within(y, 3, 0.5, 0.75)
    y = pool(y, 3, 2, 1, average=True)
    largest = y.amax((2, 3), keepdim=True).flatten(1)
    average = y.mean((2, 3), keepdim=True).reshape(2, 3, 3)
    save("towers", '''name: "Towers"
input: "x" input_shape { dim: 2 dim: 4 dim: 9 dim: 9 }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv" convolution_param { num_output: 4 kernel_size: [3, 3] pad: 1 bias_term: false } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { use_global_stats: true eps: 0.001 } }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "slice" type: "Slice" bottom: "conv" top: "a" top: "b" slice_param { axis: 1 slice_point: 1 } }
layer { name: "conv_a" type: "Convolution" bottom: "a" top: "conv_a" convolution_param { num_output: 3 kernel_size: 1 } }
layer { name: "bn_b" type: "BatchNorm" bottom: "b" top: "bn_b" }
layer { name: "sum" type: "Eltwise" bottom: "conv_a" bottom: "bn_b" top: "sum" }
layer { name: "product" type: "Eltwise" bottom: "conv_a" bottom: "bn_b" top: "product" eltwise_param { operation: PROD } }
layer { name: "twice" type: "Split" bottom: "sum" top: "sum_0" top: "sum_1" }
layer { name: "joined" type: "Concat" bottom: "sum_0" bottom: "product" bottom: "sum_1" top: "joined" }
layer { name: "gain" type: "Scale" bottom: "joined" top: "joined" }
layer { name: "norm" type: "LRN" bottom: "joined" top: "norm" lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.5 beta: 0.75 k: 7 } }
layer { name: "pool" type: "Pooling" bottom: "norm" top: "pool" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "largest" type: "Pooling" bottom: "pool" top: "largest" pooling_param { pool: MAX global_pooling: true } }
layer { name: "row" type: "Flatten" bottom: "largest" top: "row" }
layer { name: "average" type: "Pooling" bottom: "pool" top: "average" pooling_param { pool: AVE global_pooling: true } }
layer { name: "table" type: "Reshape" bottom: "average" top: "table" reshape_param { shape { dim: 0 dim: 3 dim: -1 } } }
''', caffemodel("Towers", [(name, "x", arrays) for name, arrays in w.arrays.items()]), x=x, row=largest, table=average)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in (alexnet, caffenet, train_val, towers):
        make()
    mean = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)
    (FOLDER / "mean.binaryproto").write_bytes(blob(mean, legacy=True))


if __name__ == "__main__":
    main()
