#!/usr/bin/env python3
"""Writes what each layer kind must compute, as PyTorch, onnxruntime or NumPy compute it: tests/golden/layers/KIND.safetensors.

make_layer_golden.py [KIND...]: all kinds when none is named. Needs torch, numpy, scipy, safetensors and onnxruntime.

The truth is computed in float64 from inputs that are exact in float32. Inputs are not stored but made by the same
generator here and in tests/layers/golden.cc, unless their values matter. Of large outputs every n-th element is stored, with
the sum of all. The metadata lists, per case: name, layer (our JSON), inputs, parameters, output and source.
"""
import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/layers"
MAX_STORED = 150


def generated(shape, seed, low=-1.0, high=1.0):
    """Uniform values in [low, high), as SplitMix64 gives them, rounded to float32."""
    with np.errstate(over="ignore"):
        z = (np.arange(np.prod(shape, dtype=np.uint64), dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(seed) * np.uint64(0xD1B54A32D192ED03)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    uniform = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
    return (low + (high - low) * uniform).astype(np.float32).reshape(shape)


def stored_step(size):
    """Of that many elements every how many-th is stored: without small factors, to visit all rows, columns and channels."""
    step = 1 if size <= MAX_STORED else int(size // MAX_STORED) | 1
    while step > 1 and any(step % p == 0 for p in (3, 5, 7, 11, 13)):
        step += 2
    return step


class Made:
    """A tensor that the test makes for itself."""

    def __init__(self, shape, low=-1.0, high=1.0):
        self.shape, self.low, self.high = list(shape), low, high


class Golden:
    """The cases of one kind, on their way to a file."""

    def __init__(self, kind):
        self.kind, self.cases, self.tensors, self.seed = kind, [], {}, 0

    def _resolve(self, name, tensor):
        if isinstance(tensor, Made):
            self.seed += 1
            entry = {"shape": tensor.shape, "seed": self.seed, "low": tensor.low, "high": tensor.high}
            return generated(tensor.shape, self.seed, tensor.low, tensor.high), entry
        values = np.asarray(tensor, dtype=np.float32)
        self.tensors[name] = np.ascontiguousarray(values)
        return values, {"tensor": name}

    def case(self, name, layer, inputs, compute, parameters=None, source="torch"):
        """compute(*inputs, **parameters) gets float64 arrays (torch tensors for source torch) and returns the truth."""
        index = len(self.cases)
        entry = {"name": name, "layer": {"kind": self.kind, **layer}, "inputs": [], "parameters": {}, "source": source}
        arrays, named = [], {}
        for i, tensor in enumerate(inputs):
            values, described = self._resolve(f"{index}.input{i}", tensor)
            entry["inputs"].append(described)
            arrays.append(values.astype(np.float64))
        for key, tensor in (parameters or {}).items():
            values, described = self._resolve(f"{index}.{key}", tensor)
            entry["parameters"][key] = described
            named[key] = values.astype(np.float64)
        if source == "torch":
            arrays = [torch.from_numpy(a) for a in arrays]
            named = {key: torch.from_numpy(a) for key, a in named.items()}
        with np.errstate(all="ignore"):
            truth = np.asarray(compute(*arrays, **named), dtype=np.float64)
        step = stored_step(truth.size)
        self.tensors[f"{index}.output"] = np.ascontiguousarray(truth.reshape(-1)[::step])
        entry["output"] = {"shape": list(truth.shape), "step": step, "sum": float(truth.sum()) if np.isfinite(truth).all() else None}
        self.cases.append(entry)

    def write(self):
        FOLDER.mkdir(parents=True, exist_ok=True)
        versions = f"torch {torch.__version__.split('+')[0]}, numpy {np.__version__}"
        # One key: the order of several is not the same from run to run.
        metadata = {"golden": json.dumps({"made_by": f"tools/make_layer_golden.py with {versions}", "cases": self.cases})}
        safetensors.numpy.save_file(self.tensors, FOLDER / f"{self.kind}.safetensors", metadata)
        print(f"{self.kind}: {len(self.cases)} cases, {(FOLDER / f'{self.kind}.safetensors').stat().st_size} bytes")


# N, C, H, W all different; sizes of 1; one past a vector.
SHAPES = [(2, 3, 5, 7), (1, 1, 1, 1), (3, 1, 4, 1), (1, 17, 3, 2), (2, 8, 1, 9)]


def pad2(x, padding, value=0.0):
    top, left, bottom, right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def convolution(g):
    def add(name, shape, out, kernel, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1, bias=True):
        layer = {"out_channels": out, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation,
                 "groups": groups, "bias": bias}
        parameters = {"weight": Made([out, shape[1] // groups, *kernel])}
        if bias:
            parameters["bias"] = Made([out])
        g.case(name, layer, [Made(shape)],
               lambda x, weight, bias=None: F.conv2d(pad2(x, padding), weight, bias, stride, 0, dilation, groups), parameters)

    add("one element", (1, 1, 1, 1), 1, (1, 1))
    add("plain", (2, 3, 5, 7), 4, (3, 2))
    add("no bias", (2, 3, 5, 7), 4, (3, 2), bias=False)
    add("stride", (2, 3, 9, 8), 5, (3, 2), stride=(2, 3))
    add("padding", (2, 3, 5, 7), 4, (3, 3), padding=(1, 1, 1, 1))
    add("asymmetric padding", (2, 3, 5, 7), 4, (4, 3), padding=(3, 0, 1, 2), stride=(2, 1))
    add("padding as large as the kernel", (1, 2, 3, 4), 3, (1, 2), padding=(1, 2, 1, 2))
    add("padding beyond a small input", (1, 2, 1, 1), 3, (5, 5), padding=(4, 3, 2, 4))
    add("dilation", (2, 3, 9, 8), 4, (3, 2), dilation=(2, 3), padding=(2, 0, 1, 3))
    add("groups", (2, 6, 5, 7), 4, (3, 3), groups=2, padding=(1, 1, 1, 1))
    add("depthwise", (2, 5, 6, 4), 10, (3, 3), groups=5)
    add("groups without bias", (3, 4, 5, 6), 6, (2, 3), groups=2, bias=False)
    add("kernel of the input's size", (2, 3, 5, 7), 4, (5, 7))
    add("large values", (1, 9, 4, 5), 3, (3, 3))
    add("vector widths", (1, 17, 6, 6), 33, (3, 3), padding=(1, 1, 1, 1))
    add("conv1 of bvlc", (1, 3, 227, 227), 96, (11, 11), stride=(4, 4))
    add("conv1 of torchvision", (1, 3, 224, 224), 64, (11, 11), stride=(4, 4), padding=(2, 2, 2, 2))
    add("conv2 of bvlc", (1, 96, 27, 27), 256, (5, 5), padding=(2, 2, 2, 2), groups=2)
    add("conv2 of torchvision", (1, 64, 27, 27), 192, (5, 5), padding=(2, 2, 2, 2))
    add("conv3", (1, 256, 13, 13), 384, (3, 3), padding=(1, 1, 1, 1))
    add("conv4 of bvlc", (1, 384, 13, 13), 384, (3, 3), padding=(1, 1, 1, 1), groups=2)
    add("conv5 of bvlc", (1, 384, 13, 13), 256, (3, 3), padding=(1, 1, 1, 1), groups=2)


def out_size(size, before, after, kernel, stride, ceil):
    room = size + before + after - kernel
    out = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (out - 1) * stride >= size + before:
        out -= 1
    return out


def windows(x, kernel, stride, padding, dilation, ceil, reduce):
    """Each output of a pool as reduce(values inside the input, number of taps inside the padded input)."""
    top, left, bottom, right = padding
    (h, w), (kh, kw), (sh, sw), (dh, dw) = x.shape[2:], kernel, stride, dilation
    oh = out_size(h, top, bottom, (kh - 1) * dh + 1, sh, ceil)
    ow = out_size(w, left, right, (kw - 1) * dw + 1, sw, ceil)
    y = np.zeros((*x.shape[:2], oh, ow))
    for i in range(oh):
        rows = [i * sh - top + r * dh for r in range(kh)]
        for j in range(ow):
            columns = [j * sw - left + s * dw for s in range(kw)]
            padded = sum(r < h + bottom for r in rows) * sum(c < w + right for c in columns)
            inside = x[:, :, [r for r in rows if 0 <= r < h]][:, :, :, [c for c in columns if 0 <= c < w]]
            y[:, :, i, j] = reduce(inside.reshape(*x.shape[:2], -1), padded)
    return y


def onnx_pool(op, x, kernel, stride, padding, dilation, ceil, count=False):
    import onnx
    import onnxruntime
    attributes = {"kernel_shape": kernel, "strides": stride, "pads": padding, "dilations": dilation, "ceil_mode": int(ceil)}
    if op == "AveragePool":
        attributes["count_include_pad"] = int(count)
    node = onnx.helper.make_node(op, ["x"], ["y"], **attributes)
    info = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy"]
    graph = onnx.helper.make_graph([node], "pool", info[:1], info[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 19)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x.astype(np.float32)})[0]


POOLS = [
    # name, shape, kernel, stride, padding, ceil
    ("one element", (1, 1, 1, 1), (1, 1), (1, 1), (0, 0, 0, 0), False),
    ("plain", (2, 3, 5, 7), (3, 2), (2, 3), (0, 0, 0, 0), False),
    ("remainder cut by floor", (2, 3, 6, 8), (3, 3), (2, 2), (0, 0, 0, 0), False),
    ("remainder kept by ceil", (2, 3, 6, 8), (3, 3), (2, 2), (0, 0, 0, 0), True),
    ("padding", (2, 3, 5, 7), (3, 3), (2, 2), (1, 1, 1, 1), False),
    ("padding with ceil", (2, 3, 6, 8), (3, 3), (2, 2), (1, 1, 1, 1), True),
    ("clip: the last window would begin in the padding", (2, 3, 3, 5), (2, 2), (2, 2), (1, 1, 1, 1), True),
    ("clip: stride beyond the kernel", (1, 2, 5, 8), (2, 2), (4, 5), (0, 0, 0, 0), True),
    ("window of the whole input", (2, 3, 4, 5), (4, 5), (1, 1), (0, 0, 0, 0), False),
    ("overlap", (1, 17, 9, 9), (3, 3), (1, 1), (1, 1, 1, 1), False),
    ("pool1 of AlexNet", (1, 96, 55, 55), (3, 3), (2, 2), (0, 0, 0, 0), False),
    ("pool2 of AlexNet", (1, 256, 27, 27), (3, 3), (2, 2), (0, 0, 0, 0), True),
    ("pool5 of AlexNet", (2, 256, 13, 13), (3, 3), (2, 2), (0, 0, 0, 0), False),
]
ASYMMETRIC_POOLS = [
    ("asymmetric", (2, 3, 5, 7), (3, 4), (2, 1), (2, 0, 1, 3), False),
    ("asymmetric with ceil", (2, 3, 6, 7), (3, 4), (2, 3), (0, 2, 2, 1), True),
    ("asymmetric, after only", (1, 2, 4, 4), (2, 3), (2, 2), (0, 0, 1, 2), True),
]


def max_pool(g):
    def layer(kernel, stride, padding, dilation, ceil):
        return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "rounding": "ceil" if ceil else "floor"}

    dilated = [("dilation", (2, 3, 9, 8), (3, 2), (2, 2), (1, 1, 1, 1), False), ("dilation, ceil", (2, 3, 8, 9), (2, 3), (2, 2), (0, 0, 0, 0), True)]
    for name, shape, kernel, stride, padding, ceil in POOLS + dilated:
        dilation = (2, 3) if (name, shape, kernel, stride, padding, ceil) in dilated else (1, 1)
        g.case(name, layer(kernel, stride, padding, dilation, ceil), [Made(shape)],
               lambda x: F.max_pool2d(x, kernel, stride, padding[:2], dilation, ceil))
    for name, shape, kernel, stride, padding, ceil in ASYMMETRIC_POOLS:
        def brute(x):
            y = windows(x, kernel, stride, padding, (1, 1), ceil, lambda inside, _: inside.max(-1))
            assert (y == onnx_pool("MaxPool", x, kernel, stride, padding, (1, 1), ceil)).all(), name
            return y
        g.case(name, layer(kernel, stride, padding, (1, 1), ceil), [Made(shape)], brute, source="numpy")
    nan, inf = np.nan, np.inf
    special = np.array([[1, nan, 3, -inf, inf, -inf], [-1, -2, -3, -inf, 2, -inf]]).reshape(1, 2, 1, 6)
    g.case("NaN and infinities", layer((1, 2), (1, 2), (0, 0, 0, 0), (1, 1), False), [special],
           lambda x: F.max_pool2d(x, (1, 2), (1, 2)))
    g.case("all below zero, padded", layer((3, 3), (1, 1), (1, 1, 1, 1), (1, 1), False), [Made((1, 2, 3, 4), -9.0, -8.0)],
           lambda x: F.max_pool2d(x, 3, 1, 1))


def average_pool(g):
    def layer(kernel, stride, padding, dilation, ceil, count):
        return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation,
                "rounding": "ceil" if ceil else "floor", "count_padding": count}

    for count in (False, True):
        suffix = ", padding counted" if count else ""
        for name, shape, kernel, stride, padding, ceil in POOLS:
            g.case(name + suffix, layer(kernel, stride, padding, (1, 1), ceil, count), [Made(shape)],
                   lambda x: F.avg_pool2d(x, kernel, stride, padding[:2], ceil, count))
        for name, shape, kernel, stride, padding, ceil in ASYMMETRIC_POOLS + [
                ("dilation", (2, 3, 9, 8), (3, 2), (2, 2), (1, 1, 1, 1), False),
                ("dilation with ceil", (1, 2, 8, 7), (2, 3), (3, 2), (1, 0, 1, 2), True)]:
            dilation = (2, 3) if "dilation" in name else (1, 1)
            def brute(x):
                y = windows(x, kernel, stride, padding, dilation, ceil,
                            lambda inside, padded: inside.sum(-1) / (padded if count else inside.shape[-1]))
                # onnxruntime counts what hangs over the end too.
                if not (ceil and count):
                    assert np.allclose(y, onnx_pool("AveragePool", x, kernel, stride, padding, dilation, ceil, count), atol=1e-6), name
                return y
            g.case(name + suffix, layer(kernel, stride, padding, dilation, ceil, count), [Made(shape)], brute, source="numpy")


def adaptive_average_pool(g):
    for shape, output in [((1, 1, 1, 1), (1, 1)), ((2, 3, 5, 7), (2, 3)), ((2, 3, 5, 7), (5, 7)), ((2, 3, 5, 7), (1, 1)),
                          ((1, 2, 3, 4), (5, 9)), ((1, 256, 6, 6), (6, 6)), ((1, 256, 13, 13), (6, 6)), ((2, 17, 7, 6), (6, 7))]:
        g.case(f"{shape} to {output}", {"output": output}, [Made(shape)], lambda x: F.adaptive_avg_pool2d(x, output))


def batch_norm(g):
    for shape in SHAPES + [(3, 5), (2, 3, 4), (2, 3, 4, 5, 6), (1, 96, 55, 55)]:
        for scale, offset in [(True, True), (False, True), (True, False), (False, False)]:
            if not (scale and offset) and shape != SHAPES[0]:
                continue
            c = [shape[1]]
            parameters = {"mean": Made(c, -2, 2), "variance": Made(c, 0.01, 4)}
            parameters |= {"scale": Made(c, -2, 2)} if scale else {}
            parameters |= {"offset": Made(c)} if offset else {}
            g.case(f"{shape}{'' if scale else ' no scale'}{'' if offset else ' no offset'}", {"scale": scale, "offset": offset}, [Made(shape)],
                   lambda x, mean, variance, scale=None, offset=None: F.batch_norm(x, mean, variance, scale, offset, eps=1e-5), parameters)
    c = [4]
    g.case("zero variance", {"epsilon": 1e-3}, [Made((2, 4, 3, 5), -1e4, 1e4)],
           lambda x, mean, variance, scale, offset: F.batch_norm(x, mean, variance, scale, offset, eps=1e-3),
           {"mean": Made(c, -1e4, 1e4), "variance": np.zeros(4), "scale": Made(c), "offset": Made(c)})
    g.case("zero variance and epsilon", {"epsilon": 0, "scale": False, "offset": False}, [np.array([[1, 2, -3, 2]])],
           lambda x, mean, variance: (x - mean) / torch.sqrt(variance), {"mean": [1, 1, 1, 2], "variance": [4, 0, 0, 0]})


def dropout(g):
    for shape in [(2, 3, 5, 7), (1, 4096), (1, 1)]:
        g.case(str(shape), {"ratio": 0.25}, [Made(shape)], lambda x: F.dropout(x, 0.25, training=False))


def flatten(g):
    for shape in SHAPES + [(3, 5), (2, 3, 4), (2, 256, 6, 6)]:
        g.case(str(shape), {}, [Made(shape)], lambda x: torch.flatten(x, 1))


def linear(g):
    for shape, out, bias in [((1, 1), 1, True), ((2, 3), 5, True), ((2, 3), 5, False), ((5, 17), 33, True), ((1, 9216), 64, True),
                             ((3, 4096), 200, True)]:
        parameters = {"weight": Made([out, shape[1]])} | ({"bias": Made([out])} if bias else {})
        g.case(f"{shape} to {out}{'' if bias else ' no bias'}", {"out_features": out, "bias": bias}, [Made(shape)],
               lambda x, weight, bias=None: F.linear(x, weight, bias), parameters)


def lrn_by_hand(x, region, size, alpha, beta, k, before, after, groups=1):
    """x / (k + alpha / m * sum of squares)^beta, by the definition."""
    squares, total = x * x, np.zeros_like(x)
    if region == "across_channels":
        tower = x.shape[1] // groups
        for c in range(x.shape[1]):
            first = c // tower * tower
            total[:, c] = squares[:, max(c - before, first):min(c + after + 1, first + tower)].sum(1)
        divisor = size
    else:
        h, w = x.shape[2:]
        for i in range(h):
            for j in range(w):
                total[:, :, i, j] = squares[:, :, max(i - before, 0):i + after + 1, max(j - before, 0):j + after + 1].sum((2, 3))
        divisor = size * size
    return x / (k + alpha / divisor * total) ** beta


def lrn(g):
    # Even and odd windows, wider than the channels, sizes of 1.
    for n in (1, 2, 3, 4, 5, 6, 9):
        for shape in [(2, 3, 5, 7), (1, 7, 1, 1), (1, 17, 3, 2), (3, 1, 2, 4)]:
            g.case(f"PyTorch n={n} {shape}", {"local_size": n, "alpha": 1, "beta": 0.75, "k": 1}, [Made(shape, -4, 4)],
                   lambda x: F.local_response_norm(x, n, 1, 0.75, 1))
            if n % 2 == 0:
                g.case(f"ONNX n={n} {shape}", {"local_size": n, "alpha": 2, "beta": 0.5, "k": 2, "even_window": "after"},
                       [Made(shape, -4, 4)],
                       lambda x: lrn_by_hand(x, "across_channels", n, 2, 0.5, 2, (n - 1) // 2, n // 2), source="numpy")
                g.case(f"oneDNN n={n} {shape}", {"local_size": n, "alpha": 2, "beta": 0.5, "k": 2, "even_window": "none"},
                       [Made(shape, -4, 4)],
                       lambda x: lrn_by_hand(x, "across_channels", n, 2, 0.5, 2, (n - 1) // 2, (n - 1) // 2), source="numpy")
    for rank, shape in [(2, (3, 9)), (3, (2, 6, 5)), (5, (2, 6, 2, 3, 2))]:
        def any_rank(x):
            flat = x.reshape(x.shape[0], x.shape[1], -1)
            return F.local_response_norm(flat, 5, 1e-4, 0.75, 2).reshape(x.shape)
        g.case(f"rank {rank}", {"k": 2}, [Made(shape, -9, 9)], any_rank)
    for beta in (0.25, 0.5, 0.6, 1, 1.5, 2):
        g.case(f"beta {beta}", {"alpha": 0.3, "beta": beta, "k": 1.5}, [Made((2, 9, 3, 4), -4, 4)],
               lambda x: F.local_response_norm(x, 5, 0.3, beta, 1.5))
    for groups, n in [(2, 5), (2, 4), (4, 3)]:
        g.case(f"{groups} towers, n={n}", {"local_size": n, "alpha": 1, "groups": groups}, [Made((2, 16, 3, 5), -4, 4)],
               lambda x: torch.cat([F.local_response_norm(part, n, 1, 0.75, 1) for part in x.chunk(groups, 1)], 1))
    for n in (1, 3, 4, 5, 9):
        for shape in [(2, 3, 5, 7), (1, 1, 1, 1), (1, 2, 3, 1)]:
            g.case(f"within n={n} {shape}", {"region": "within_channel", "local_size": n, "alpha": 1, "k": 2, "even_window": "none"},
                   [Made(shape, -4, 4)],
                   lambda x: lrn_by_hand(x, "within_channel", n, 1, 0.75, 2, (n - 1) // 2, (n - 1) // 2), source="numpy")
    def caffe_within(x, n):  # lrn_layer.cpp: x * (1 + alpha * average pool of the squares, padding counted)^-beta
        return x * (1 + 0.5 * F.avg_pool2d(x * x, n, 1, (n - 1) // 2, count_include_pad=True)) ** -0.75
    for n in (3, 5):
        g.case(f"Caffe within n={n}", {"region": "within_channel", "local_size": n, "alpha": 0.5, "k": 1}, [Made((2, 3, 5, 7), -4, 4)],
               lambda x: caffe_within(x, n))
    g.case("values to 1e4", {"alpha": 1e-4, "k": 2}, [Made((2, 9, 3, 4), -1e4, 1e4)], lambda x: F.local_response_norm(x, 5, 1e-4, 0.75, 2))
    zeros = np.array([0, 0, 0, 3, 0, 0, 0, -2, 0]).reshape(1, 9, 1, 1)
    g.case("k = 0: 0/0 as PyTorch gives it", {"local_size": 3, "alpha": 1, "k": 0}, [zeros],
           lambda x: F.local_response_norm(x, 3, 1, 0.75, 0))
    g.case("k = 0, beta = 0", {"local_size": 3, "alpha": 1, "beta": 0, "k": 0}, [zeros], lambda x: F.local_response_norm(x, 3, 1, 0, 0))
    for name, shape, k in [("norm1 of bvlc", (1, 96, 55, 55), 1), ("norm2 of paper", (1, 256, 27, 27), 2), ("norm1 of caffenet", (2, 96, 27, 27), 1)]:
        g.case(name, {"k": k}, [Made(shape, 0, 100)], lambda x: F.local_response_norm(x, 5, 1e-4, 0.75, k))


def relu(g):
    for shape in SHAPES + [(5,), (2, 4096)]:
        g.case(str(shape), {}, [Made(shape)], F.relu)
    g.case("NaN, infinities, zeros", {}, [np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45])], F.relu)


def softmax(g):
    for shape, axis in [((1, 1), 1), ((2, 3), 1), ((2, 1000), 1), ((2, 3, 5, 7), 1), ((2, 3, 5, 7), 2), ((2, 3, 5, 7), 3), ((1, 17, 1), 2)]:
        g.case(f"{shape} axis {axis}", {"axis": axis}, [Made(shape, -8, 8)], lambda x: F.softmax(x, axis))
    g.case("values to 1e4", {}, [Made((3, 9), -1e4, 1e4)], lambda x: F.softmax(x, 1))
    g.case("equal values", {}, [np.full((2, 5), 1e4)], lambda x: F.softmax(x, 1))
    g.case("NaN and infinities", {}, [np.array([[1, np.nan, 3], [-np.inf, 2, -np.inf], [np.inf, 1, 2], [-np.inf] * 3])], lambda x: F.softmax(x, 1))


def elementwise(g, compute):
    for shape in SHAPES + [(5,), (3, 4096)]:
        g.case(f"two of {shape}", {}, [Made(shape), Made(shape)], compute)
    g.case("three", {}, [Made((2, 3, 4)), Made((2, 3, 4)), Made((2, 3, 4))], compute)
    for a, b in [((2, 3, 5, 7), (2, 3, 1, 1)), ((2, 1, 5, 7), (2, 3, 5, 7)), ((2, 3, 1, 7), (2, 1, 5, 1)), ((4, 3, 2), (1, 3, 2))]:
        g.case(f"{a} with {b}", {}, [Made(a), Made(b)], compute)
    g.case("NaN and infinities", {}, [[[1, np.nan, np.inf, np.inf, 0]], [[np.nan, 2, 1, -np.inf, np.inf]]], compute)


def add(g):
    elementwise(g, lambda *inputs: sum(inputs))


def multiply(g):
    elementwise(g, lambda first, *others: others[0] * first if len(others) == 1 else first * others[0] * others[1])


def clip(g):
    for lowest, highest in [(-0.5, 0.25), (0, 6), (0.5, -0.5), (-2, 2)]:
        g.case(f"{lowest} to {highest}", {"lowest": lowest, "highest": highest}, [Made((2, 3, 5, 7))],
               lambda x: np.minimum(np.maximum(x, lowest), highest), source="numpy")
    g.case("from above only", {"highest": 0.1}, [Made((3, 5))], lambda x: np.minimum(x, 0.1), source="numpy")
    g.case("NaN and infinities", {"lowest": -1, "highest": 1}, [[np.nan, np.inf, -np.inf, 0.5]], lambda x: torch.clamp(x, -1, 1))


def concat(g):
    for axis, shapes in [(1, [(2, 3, 5, 7), (2, 1, 5, 7), (2, 4, 5, 7)]), (3, [(2, 3, 4, 1), (2, 3, 4, 5)]), (2, [(2, 3, 1), (2, 3, 6)]),
                         (1, [(3, 5), (3, 5)]), (1, [(2, 3)])]:
        g.case(f"axis {axis} of {shapes}", {"axis": axis}, [Made(shape) for shape in shapes], lambda *inputs: torch.cat(inputs, axis))


def slice(g):
    for shape, axis, begin, count, step in [((2, 6, 3, 4), 1, 0, 3, 1), ((2, 6, 3, 4), 1, 3, 3, 1), ((2, 3, 5, 7), 3, 1, 3, 2),
                                            ((2, 9), 1, 8, 9, -1), ((1, 7, 2), 1, 5, 3, -2), ((3, 4, 5), 2, 4, 1, 1)]:
        g.case(f"{count} from {begin} by {step} on axis {axis} of {shape}", {"axis": axis, "begin": begin, "count": count, "step": step},
               [Made(shape)], lambda x: np.take(x, [begin + i * step for i in range(count)], axis), source="numpy")


def pad(g):
    for shape, before, after, value in [((2, 3, 5, 7), [0, 1, 2], [0, 3, 0], 0), ((2, 3, 4), [2, 0], [1, 5], -1.5), ((1, 4), [0], [0], 2),
                                        ((2, 1, 1, 1), [1, 1, 1], [1, 1, 1], np.inf)]:
        g.case(f"{before} and {after} around {shape}", {"before": before, "after": after, "value": value if np.isfinite(value) else 1e30},
               [Made(shape)], lambda x: np.pad(x, [(0, 0), *zip(before, after)], constant_values=np.float32(value if np.isfinite(value) else 1e30)),
               source="numpy")


def transpose(g):
    for shape, permutation in [((2, 3, 5, 7), [2, 3, 1]), ((2, 3, 5, 7), [3, 1, 2]), ((2, 3, 5, 7), [1, 3, 2]), ((3, 4), [1]),
                               ((2, 3, 4), [2, 1]), ((1, 2, 3, 4, 5), [4, 2, 3, 1])]:
        g.case(f"{permutation} of {shape}", {"permutation": permutation}, [Made(shape)], lambda x: x.permute(0, *permutation))


def reshape(g):
    for shape, to in [((2, 3, 5, 7), [105]), ((2, 12), [3, 4]), ((2, 3, 4), [4, 1, 3]), ((1, 1, 1), [1])]:
        g.case(f"{shape} to {to}", {"shape": to}, [Made(shape)], lambda x: x.reshape(x.shape[0], *to))


def scale_shift(g):
    for shape in SHAPES + [(3, 5), (2, 3, 4)]:
        for scale, offset in [(True, True), (True, False), (False, True), (False, False)]:
            if shape != SHAPES[0] and not (scale and offset):
                continue
            parameters = ({"scale": Made([shape[1]], -2, 2)} if scale else {}) | ({"offset": Made([shape[1]])} if offset else {})
            def compute(x, scale=None, offset=None):
                along = (1, -1) + (1,) * (x.ndim - 2)
                x = x if scale is None else x * scale.reshape(along)
                return x if offset is None else x + offset.reshape(along)
            g.case(f"{shape}{'' if scale else ' no scale'}{'' if offset else ' no offset'}", {"scale": scale, "offset": offset}, [Made(shape)],
                   compute, parameters)


def matmul(g):
    for a, b in [((1, 1, 1), (1, 1, 1)), ((2, 3, 5), (2, 5, 4)), ((2, 3, 2, 5), (2, 3, 5, 4)), ((1, 3, 1, 2, 5), (1, 1, 4, 5, 3)),
                 ((2, 1, 17), (2, 17, 33))]:
        g.case(f"{a} by {b}", {}, [Made(a), Made(b)], torch.matmul)


def along_channels(values, x):
    return values.reshape((1, -1) + (1,) * (x.ndim - 2))


def affine(y, scale, offset):
    y = y if scale is None else y * along_channels(scale, y)
    return y if offset is None else y + along_channels(offset, y)


def affine_cases(g, shapes, compute, layer=lambda shape: {}, stored=lambda shape: {}, size=lambda shape: [shape[1]]):
    """Scale and offset present and absent, zero variance, values up to 1e4: compute(x, epsilon, layer, scale, offset, ...)."""
    def add(name, shape, scale=True, offset=True, epsilon=1e-5, values=None, low=-3.0, high=5.0):
        fields = layer(shape)
        parameters = stored(shape)
        parameters |= {"scale": Made(size(shape), -2, 2)} if scale else {}
        parameters |= {"offset": Made(size(shape))} if offset else {}
        g.case(name, {"epsilon": epsilon, "scale": scale, "offset": offset, **fields}, [Made(shape, low, high) if values is None else values],
               lambda x, scale=None, offset=None, **others: compute(x, epsilon, fields, scale, offset, **others), parameters)

    for shape in shapes:
        add(f"{shape}", shape)
    for scale, offset in [(False, True), (True, False), (False, False)]:
        add(f"{shapes[0]}{'' if scale else ' no scale'}{'' if offset else ' no offset'}", shapes[0], scale, offset)
    add("values to 1e4", shapes[0], low=-1e4, high=1e4)
    add("values to 1e4 far from zero", shapes[0], low=9.9e3, high=1e4)
    add("zero variance", shapes[0], values=np.full(shapes[0], 1e4), epsilon=1e-6)
    add("zeros", shapes[0], values=np.zeros(shapes[0]), epsilon=1e-6)
    add("epsilon of 0", shapes[0], epsilon=0)
    add("zero variance and epsilon of 0", shapes[0], values=np.full(shapes[0], 3), epsilon=0)


MAPS = [(2, 6, 5, 7), (3, 2, 1, 9), (1, 4, 3, 1), (2, 8, 1, 2), (2, 4, 6), (1, 2, 3, 4, 2), (1, 96, 27, 27)]
PIXELS = [(2, 4, 1, 1), (1, 2, 1, 1)]


def by_statistics(x, axes, epsilon):
    return (x - x.mean(axes, keepdim=True)) / torch.sqrt(x.var(axes, correction=0, keepdim=True) + epsilon)


def instance_norm(g):
    def compute(x, epsilon, fields, scale, offset):
        if x[0, 0].numel() == 1 or epsilon == 0:  # which PyTorch refuses
            return affine(by_statistics(x, tuple(range(2, x.ndim)), epsilon), scale, offset)
        return F.instance_norm(x, weight=scale, bias=offset, eps=epsilon)
    affine_cases(g, MAPS + PIXELS, compute)


def group_norm(g):
    groups = {2: 2, 4: 2, 6: 3, 8: 4, 96: 32}
    affine_cases(g, MAPS + PIXELS + [(3, 6)], lambda x, epsilon, fields, scale, offset: torch.group_norm(x, fields["groups"], scale, offset, epsilon),
                 layer=lambda shape: {"groups": groups[shape[1]]})
    for count in (1, 2, 6):
        g.case(f"{count} of 6", {"groups": count}, [Made((2, 6, 5, 7))], lambda x, scale, offset: torch.group_norm(x, count, scale, offset, 1e-5),
               {"scale": Made([6]), "offset": Made([6])})


def layer_norm(g):
    for axis in (1, 2, 3):
        shapes = [shape for shape in MAPS + PIXELS + [(3, 6), (2, 1)] if len(shape) > axis]
        affine_cases(g, shapes, lambda x, epsilon, fields, scale, offset: F.layer_norm(x, x.shape[axis:], scale, offset, epsilon),
                     layer=lambda shape: {"axis": axis}, size=lambda shape: list(shape[axis:]))


def batch_statistics_norm(g):
    def compute(x, epsilon, fields, scale, offset):
        if x.numel() == x.shape[1] or epsilon == 0:  # which PyTorch refuses
            return affine(by_statistics(x, tuple(a for a in range(x.ndim) if a != 1), epsilon), scale, offset)
        return F.batch_norm(x, None, None, scale, offset, training=True, eps=epsilon)
    affine_cases(g, MAPS + PIXELS + [(3, 6), (7, 2)], compute)


def switchable_norm(g):
    # The forward pass of SwitchNorm (github.com/switchablenorms), whose parts are averages for `stored`.
    def compute(x, epsilon, fields, scale, offset, mean_weight, variance_weight, mean=None, variance=None):
        shape = x.shape
        x = x.reshape(shape[0], shape[1], -1)
        mean_in, var_in = x.mean(-1, keepdim=True), x.var(-1, keepdim=True)
        if x.shape[2] == 1:  # 0 / 0 there
            var_in = torch.zeros_like(var_in)
        mean_ln, temp = mean_in.mean(1, keepdim=True), var_in + mean_in**2
        var_ln = temp.mean(1, keepdim=True) - mean_ln**2
        means, variances = [mean_in, mean_ln], [var_in, var_ln]
        if fields["batch_part"] == "stored":
            means.append(mean.reshape(1, -1, 1)), variances.append(variance.reshape(1, -1, 1))
        elif fields["batch_part"] == "of_batch":
            mean_bn = mean_in.mean(0, keepdim=True)
            means.append(mean_bn), variances.append(temp.mean(0, keepdim=True) - mean_bn**2)
        m, v = torch.softmax(mean_weight, 0), torch.softmax(variance_weight, 0)
        mean = sum(weight * part for weight, part in zip(m, means))
        variance = sum(weight * part for weight, part in zip(v, variances))
        return affine((x - mean) / torch.sqrt(variance + epsilon), scale, offset).reshape(shape)

    for part in ("stored", "of_batch", "none"):
        count = 2 if part == "none" else 3
        stored = lambda shape: {"mean_weight": Made([count], -2, 2), "variance_weight": Made([count], -2, 2)} | (
            {"mean": Made([shape[1]], -2, 2), "variance": Made([shape[1]], 0.1, 4)} if part == "stored" else {})
        affine_cases(g, [shape for shape in MAPS + PIXELS if len(shape) > 2], compute, layer=lambda shape: {"batch_part": part}, stored=stored)


def filter_response_norm(g):
    def add(name, shape, threshold=True, learned=False, scale=True, offset=True, epsilon=1e-6, values=None, low=-3.0, high=5.0):
        c = [shape[1]]
        parameters = ({"threshold": Made(c)} if threshold else {}) | ({"epsilon": Made(c, -1e-3, 1e-3)} if learned else {})
        parameters |= ({"scale": Made(c, -2, 2)} if scale else {}) | ({"offset": Made(c)} if offset else {})
        constant = epsilon
        def compute(x, threshold=None, epsilon=None, scale=None, offset=None):
            nu2 = (x * x).mean(tuple(range(2, x.ndim)), keepdim=True) if x.ndim > 2 else x * x
            eps = torch.as_tensor(constant) if epsilon is None else along_channels(epsilon, x)
            y = affine(x / torch.sqrt(nu2 + torch.abs(eps)), scale, offset)
            return y if threshold is None else torch.maximum(y, along_channels(threshold, x))
        g.case(name, {"threshold": threshold, "learned_epsilon": learned, "scale": scale, "offset": offset, "epsilon": epsilon},
               [Made(shape, low, high) if values is None else values], compute, parameters)

    for shape in MAPS + PIXELS + [(3, 6)]:
        add(f"{shape}", shape)
    for flags in [(False, True, True, True), (True, True, False, True), (True, False, True, False), (False, False, False, False)]:
        add(f"threshold, learned epsilon, scale, offset: {flags}", (2, 6, 5, 7), *flags)
    add("values to 1e4", (2, 6, 5, 7), low=-1e4, high=1e4)
    add("zeros", (2, 6, 5, 7), values=np.zeros((2, 6, 5, 7)))
    add("a negative epsilon counts as positive", (2, 6, 5, 7), epsilon=-0.5)
    add("zeros and epsilon of 0", (2, 3, 2, 2), threshold=False, epsilon=0, values=np.zeros((2, 3, 2, 2)))


def moving_average_batch_norm(g):
    def compute(x, epsilon, fields, scale, offset, moment):
        return affine(x / torch.sqrt(along_channels(moment, x) + epsilon), scale, offset)
    affine_cases(g, MAPS + PIXELS + [(3, 6)], compute, stored=lambda shape: {"moment": Made([shape[1]], 0.01, 4)})
    g.case("moment and epsilon of 0", {"epsilon": 0, "scale": False, "offset": False}, [np.array([[1, 0, -3, 2]])],
           lambda x, moment: compute(x, 0, {}, None, None, moment), {"moment": [0, 0, 0, 4]})


def neighbourhood_mean(x, size, sigma, across):
    """The weighted mean around each pixel of (N, C, H, W), by SciPy: what is absent has no weight."""
    import scipy.ndimage
    at = np.arange(size) - size // 2
    weights = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * sigma**2))
    correlate = lambda plane: scipy.ndimage.correlate(plane, weights, mode="constant", cval=0.0)
    present = correlate(np.ones(x.shape[2:]))
    means = np.stack([np.stack([correlate(plane) / present for plane in sample]) for sample in x])
    return means.mean(1, keepdims=True) if across else means


def neighbourhood_cases(g, compute, epsilons):
    for shape in [(2, 3, 5, 7), (1, 1, 1, 1), (3, 2, 1, 9), (1, 2, 12, 11), (1, 4, 3, 1)]:
        for size, sigma in [(1, 2), (3, 1), (9, 2), (5, 0.5)]:
            for across in (False, True):
                g.case(f"{size}, {sigma}{', across channels' if across else ''} on {shape}",
                       {"local_size": size, "sigma": sigma, "across_channels": across, **epsilons}, [Made(shape, -3, 5)],
                       lambda x: compute(x, size, sigma, across, **epsilons), source="numpy")
    g.case("values to 1e4", epsilons, [Made((1, 2, 12, 11), -1e4, 1e4)], lambda x: compute(x, 9, 2, False, **epsilons), source="numpy")
    g.case("zeros", epsilons, [np.zeros((1, 2, 4, 5))], lambda x: compute(x, 9, 2, False, **epsilons), source="numpy")


def local_contrast_norm(g):
    def compute(x, size, sigma, across, epsilon=1e-4):
        v = x - neighbourhood_mean(x, size, sigma, across)
        deviation = np.sqrt(neighbourhood_mean(v * v, size, sigma, across))
        return v / np.maximum(np.maximum(deviation, deviation.mean((2, 3), keepdims=True)), epsilon)
    neighbourhood_cases(g, compute, {"epsilon": 1e-3})
    g.case("one large deviation", {}, [np.pad([[[[100.0]]]], [(0, 0), (0, 0), (7, 6), (5, 9)])], lambda x: compute(x, 9, 2, False), source="numpy")
    g.case("zeros and epsilon of 0", {"epsilon": 0}, [np.zeros((1, 2, 4, 5))], lambda x: compute(x, 9, 2, False, 0), source="numpy")


def local_mean_subtraction(g):
    neighbourhood_cases(g, lambda x, size, sigma, across: x - neighbourhood_mean(x, size, sigma, across), {})


def scale(g):
    for shape in SHAPES + [(5,), (2, 4096)]:
        g.case(str(shape), {"factor": 0.5}, [Made(shape)], lambda x: 0.5 * x)
    g.case("a factor that rounds", {"factor": 1 / 3}, [Made((2, 7), -1e4, 1e4)], lambda x: x / 3)


KINDS = [
    adaptive_average_pool,
    add,
    average_pool,
    batch_norm,
    batch_statistics_norm,
    clip,
    concat,
    convolution,
    dropout,
    filter_response_norm,
    flatten,
    group_norm,
    instance_norm,
    layer_norm,
    linear,
    local_contrast_norm,
    local_mean_subtraction,
    lrn,
    matmul,
    max_pool,
    moving_average_batch_norm,
    multiply,
    pad,
    relu,
    reshape,
    scale,
    scale_shift,
    slice,
    softmax,
    switchable_norm,
    transpose,
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
