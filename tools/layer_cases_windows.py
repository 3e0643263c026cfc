"""Golden cases of convolutions and pools, for make_layer_golden.py."""
import numpy as np
import torch.nn.functional as F

from layer_cases import Made


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
