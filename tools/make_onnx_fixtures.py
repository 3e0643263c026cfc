#!/usr/bin/env python3
"""Writes small ONNX models and what they compute: tests/golden/import/onnx/NAME.onnx and NAME.npz.

make_onnx_fixtures.py [NAME...]: all when none is named. Needs torch, torchvision, onnx, onnxscript and onnxruntime.

The networks are shaped as AlexNet is, with fewer channels. Those that PyTorch exports are computed by PyTorch in float64; the
others, which stand for files of other tools, by onnxruntime. An .npz holds the graph's inputs and outputs under their names.
Of what the dynamo exporter notes about nodes only the modules' names are kept: its stack traces are most of a small file.
"""

import logging
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/import/onnx"


class Narrow(nn.Module):
    """As dansuh17's AlexNet: response normalisation behind the first two convolutions; the second one has two groups."""

    def __init__(self, size=5, pool=None):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.LocalResponseNorm(size, alpha=1e-1, beta=0.75, k=2), nn.MaxPool2d(3, 2),
            nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False), nn.ReLU(), nn.LocalResponseNorm(size, alpha=1e-1, beta=0.75, k=2),
            nn.MaxPool2d(3, 2))
        self.pool = pool
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(8 * 2 * 2, 12), nn.ReLU(), nn.Linear(12, 5))

    def forward(self, x):
        x = self.net(x)
        if self.pool is not None:
            x = self.pool(x)
        return self.classifier(torch.flatten(x, 1))


class Normalised(nn.Module):
    """With batch normalisation, ceil rounding, softmax and a flatten by view."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = nn.Conv2d(6, 4, 3, dilation=2)
        self.bn2 = nn.BatchNorm2d(4, affine=True)
        self.fc = nn.Linear(4 * 4 * 4, 5)

    def forward(self, x):
        x = self.pool1(torch.relu(self.bn1(self.conv1(x))))
        x = torch.relu(self.bn2(self.conv2(x)))
        return torch.softmax(self.fc(x.view(-1, 64)), 1)


class Norms(nn.Module):
    """Normalisations by statistics of the input: instance, group and layer, each with and without learned numbers."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2), nn.InstanceNorm2d(6, affine=True, eps=1e-3), nn.ReLU(), nn.GroupNorm(3, 6),
            nn.Conv2d(6, 4, 3), nn.InstanceNorm2d(4), nn.LayerNorm([4, 5, 6]), nn.GroupNorm(1, 4, affine=False), nn.LayerNorm(6, bias=False))
        self.head = nn.Sequential(nn.Linear(120, 9), nn.LayerNorm(9, elementwise_affine=False), nn.Linear(9, 5))

    def forward(self, x):
        return self.head(torch.flatten(self.net(x), 1))


class OneDimensional(nn.Module):
    """Signals instead of pictures."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 6, 5, stride=2)
        self.norm = nn.LocalResponseNorm(3, alpha=0.5)
        self.fc = nn.Linear(6 * 4, 3)

    def forward(self, x):
        x = nn.functional.max_pool1d(self.norm(torch.relu(self.conv(x))), 3, 2)
        return self.fc(nn.functional.adaptive_avg_pool1d(x, 4).flatten(1))


def torchvision_narrow():
    """torchvision's AlexNet with few channels, for small pictures."""
    from torchvision.models import AlexNet
    net = AlexNet(num_classes=5)
    narrow = {64: 6, 192: 8, 384: 8, 256: 6}
    layers = []
    channels = 3
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):
            out = narrow[layer.out_channels]
            layer = nn.Conv2d(channels, out, layer.kernel_size if channels != 3 else 5, 1, layer.padding)
            channels = out
        layers.append(layer)
    net.features = nn.Sequential(*layers)
    net.avgpool = nn.AdaptiveAvgPool2d(2)
    net.classifier = nn.Sequential(nn.Dropout(), nn.Linear(6 * 2 * 2, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 5))
    return net


def settled(net, seed=7):
    """The network in inference mode with weights (and statistics) that let every layer matter."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
        if tensor.dtype != torch.float32:
            continue
        with torch.no_grad():
            values = torch.randn(tensor.shape, generator=generator) * (0.5 if tensor.dim() > 1 else 0.2)
            tensor.copy_(values.abs() + 0.5 if "var" in name or name.endswith(("bn1.weight", "bn2.weight")) else values)
    return net.eval()


def exported(name, net, shape, dynamo, dynamic=False, external=False, opset=None, **options):
    """Exports with one of PyTorch's exporters, and writes what the network computes."""
    net = settled(net)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    path = FOLDER / f"{name}.onnx"
    if dynamo:
        options |= {"dynamic_shapes": ({0: "batch"},)} if dynamic else {}
        program = torch.onnx.export(net, (x,), dynamo=True, opset_version=opset, verbose=False, **options)
        for node in program.model.graph.all_nodes():
            for key in [key for key in node.metadata_props if key != "pkg.torch.onnx.name_scopes"]:
                del node.metadata_props[key]
        program.save(path, external_data=external)
    else:
        options |= {"dynamic_axes": {"input": {0: "batch"}}} if dynamic else {}
        torch.onnx.export(net, (x,), str(path), dynamo=False, opset_version=opset, input_names=["input"], output_names=["scores"], **options)
    model = onnx.load(path)
    batch = torch.randn((2 if dynamic else shape[0], *shape[1:]), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        y = net.double()(batch.double())
    save_arrays(name, {model.graph.input[0].name: batch.numpy(), model.graph.output[0].name: y.numpy()})


def save_arrays(name, arrays):
    np.savez(FOLDER / f"{name}.npz", **arrays)
    files = sorted(FOLDER.glob(f"{name}.*"))
    print(", ".join(f"{path.name} {path.stat().st_size}" for path in files))


class Graph:
    """An ONNX graph built by hand."""

    def __init__(self, name, opset, seed=1):
        self.name, self.opset, self.nodes, self.initializers, self.inputs = name, opset, [], [], []
        self.random = np.random.default_rng(seed)

    def input(self, name, shape, kind=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def tensor(self, name, values):
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def weights(self, name, *shape, scale=0.5, dtype=np.float32):
        return self.tensor(name, (self.random.standard_normal(shape) * scale).astype(dtype))

    def node(self, op, inputs, outputs, **attributes):
        outputs = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(op, inputs, outputs, **attributes))
        return outputs[0]

    def write(self, outputs, feeds, ir_version=8):
        """onnxruntime computes the outputs."""
        import onnxruntime
        inputs = self.inputs
        free = any(not dim.HasField("dim_value") for value in self.inputs for dim in value.type.tensor_type.shape.dim)

        def model(shapes):
            values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip(outputs, shapes)]
            graph = helper.make_graph(self.nodes, self.name, inputs, values, self.initializers)
            return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], producer_name="made by hand",
                                     ir_version=ir_version)

        session = onnxruntime.InferenceSession(model([None] * len(outputs)).SerializeToString(), providers=["CPUExecutionProvider"])
        results = session.run(outputs, feeds)
        final = model([["N", *result.shape[1:]] if free else result.shape for result in results])
        onnx.checker.check_model(final)
        onnx.save(final, FOLDER / f"{self.name}.onnx")
        save_arrays(self.name, feeds | dict(zip(outputs, results)))


def numbers(shape, seed=5):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def zoo():
    """As the files that Caffe2 made of bvlc_alexnet: operator set 3, every initializer an input, masks of dropouts."""
    g = Graph("zoo_caffe2", 3)
    g.input("data_0", (2, 3, 19, 19))
    x = g.node("Conv", ["data_0", g.weights("conv1_w_0", 6, 3, 3, 3), g.weights("conv1_b_0", 6)], "conv1_1", kernel_shape=[3, 3], strides=[2, 2],
               pads=[0, 0, 0, 0])
    x = g.node("Relu", [x], "conv1_2")
    x = g.node("LRN", [x], "norm1_1", size=5, alpha=0.5, beta=0.75, bias=1.0)
    x = g.node("MaxPool", [x], "pool1_1", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
    x = g.node("Conv", [x, g.weights("conv2_w_0", 4, 3, 3, 3), g.weights("conv2_b_0", 4)], "conv2_1", kernel_shape=[3, 3], group=2,
               pads=[1, 1, 1, 1])
    x = g.node("Relu", [x], "conv2_2")
    x = g.node("Reshape", [x], "OC2_DUMMY_0", shape=[2, 64])
    x = g.node("Gemm", [x, g.weights("fc6_w_0", 8, 64), g.weights("fc6_b_0", 8)], "fc6_1", transB=1, broadcast=1)
    x = g.node("Relu", [x], "fc6_2")
    x = g.node("Dropout", [x], ["fc6_3", "_fc6_mask_1"], ratio=0.5, is_test=1)
    x = g.node("Gemm", [x, g.weights("fc8_w_0", 5, 8), g.weights("fc8_b_0", 5)], "fc8_1", transB=1, broadcast=1)
    g.node("Softmax", [x], "prob_1")
    # onnxruntime no longer runs operator sets before 7 with these attributes: the same graph in operator set 7 is computed.
    write_as(g, ["prob_1"], {"data_0": numbers((2, 3, 19, 19))})


def write_as(g, outputs, feeds):
    """Writes the graph in its own operator set and has its counterpart in operator set 7 computed."""
    import onnxruntime
    inputs = g.inputs + [helper.make_tensor_value_info(each.name, each.data_type, list(each.dims)) for each in g.initializers]
    values = [helper.make_tensor_value_info(output, TensorProto.FLOAT, (2, 5)) for output in outputs]
    graph = helper.make_graph(g.nodes, g.name, inputs, values, g.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", g.opset)], producer_name="made by hand", ir_version=3)
    onnx.checker.check_model(model)
    onnx.save(model, FOLDER / f"{g.name}.onnx")
    for node in model.graph.node:
        if node.op_type == "Reshape":
            shape = next(a for a in node.attribute if a.name == "shape")
            model.graph.initializer.append(numpy_helper.from_array(np.array(shape.ints), "the_shape"))
            node.input.append("the_shape")
        kept = [a for a in node.attribute if a.name not in ("shape", "broadcast", "is_test")]
        del node.attribute[:]
        node.attribute.extend(kept)
    model.opset_import[0].version, model.ir_version = 7, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    save_arrays(g.name, feeds | dict(zip(outputs, session.run(outputs, feeds))))


def towers():
    """Grouped convolutions written out, as tools without groups do: Split, two convolutions, Concat; and the same with Slice."""
    g = Graph("towers", 13)
    g.input("x", ("N", 4, 9, 9))
    a, b = "a", "b"
    g.node("Split", ["x", g.tensor("sizes", np.array([2, 2]))], [a, b], axis=1)
    a = g.node("Conv", [a, g.weights("wa", 3, 2, 3, 3), g.weights("ba", 3)], "conv_a")
    b = g.node("Conv", [b, g.weights("wb", 3, 2, 3, 3), g.weights("bb", 3)], "conv_b")
    x = g.node("Relu", [g.node("Concat", [a, b], "joined", axis=1)], "relu")
    first = g.node("Slice", [x, g.tensor("s0", np.array([0])), g.tensor("e0", np.array([3])), g.tensor("axis", np.array([1]))], "first")
    second = g.node("Slice", [x, g.tensor("s1", np.array([-3])), g.tensor("e1", np.array([2**31 - 1])), "axis"], "second")
    first = g.node("Conv", [first, g.weights("wc", 2, 3, 1, 1)], "conv_c")
    second = g.node("Conv", [second, g.weights("wd", 2, 3, 1, 1)], "conv_d")
    g.node("Concat", [first, second], "y", axis=-3)
    g.write(["y"], {"x": numbers((2, 4, 9, 9))})


def nhwc():
    """As converters from TensorFlow write: pictures with channels last, transposed in front, and transposed back to flatten."""
    g = Graph("nhwc", 15)
    g.input("picture", (None, 8, 8, 3))
    x = g.node("Transpose", ["picture"], "nchw", perm=[0, 3, 1, 2])
    x = g.node("Conv", [x, g.weights("kernel", 5, 3, 3, 3), g.weights("bias", 5)], "conv", auto_pad="SAME_UPPER", strides=[2, 2])
    x = g.node("Clip", [x, g.tensor("zero", np.float32(0)), g.tensor("six", np.float32(1.5))], "relu6")
    x = g.node("Transpose", [x], "back", perm=[0, 2, 3, 1])
    x = g.node("Reshape", [x, g.tensor("flat", np.array([-1, 80]))], "flattened")
    x = g.node("MatMul", [x, g.weights("dense/kernel", 80, 6)], "product")
    x = g.node("Add", [x, g.weights("dense/bias", 6)], "dense")
    x = g.node("MatMul", [x, g.node("Transpose", [g.weights("out/kernel", 4, 6)], "turned", perm=[1, 0])], "scores")
    g.node("Softmax", [x], "probabilities")
    g.write(["probabilities"], {"picture": numbers((3, 8, 8, 3))})


def arithmetic():
    """Constants of every supported shape, both operands from the network, pads and global pools."""
    g = Graph("arithmetic", 17)
    g.input("x", ("N", 3, 6, 5))
    x = g.node("Sub", ["x", g.tensor("mean", np.array([0.1, 0.2, 0.3], np.float32).reshape(3, 1, 1))], "centred")
    x = g.node("Div", [x, g.tensor("deviation", np.array([0.5, 2, 4], np.float32).reshape(1, 3, 1, 1))], "scaled")
    x = g.node("Mul", [g.tensor("two", np.float32(2)), x], "doubled")
    x = g.node("Pad", [x, g.tensor("pads", np.array([0, 0, 1, 2, 0, 1, 0, 3])), g.tensor("fill", np.float32(0.5))], "padded")
    x = g.node("Add", [g.tensor("one", np.ones((1, 1, 1, 1), np.float32)), x], "raised")
    y = g.node("Sub", [g.tensor("minus", np.float32(-1)), x], "turned")
    x = g.node("Add", [x, g.node("Relu", [y], "rectified")], "sum")
    x = g.node("Mul", [x, y], "product")
    x = g.node("Sub", [x, y], "difference")
    averages = g.node("GlobalAveragePool", [x], "averages")
    largest = g.node("GlobalMaxPool", [x], "largest")
    weighted = g.node("Mul", [x, averages], "weighted")
    flat = g.node("Flatten", [weighted], "flat")
    joined = g.node("Concat", [g.node("Squeeze", [averages, g.tensor("last", np.array([2, 3]))], "a"), g.node("Flatten", [largest], "b"), flat],
                    "joined", axis=1)
    g.node("Identity", [joined], "y")
    g.node("ReduceMean", [weighted], "means", axes=[-1, -2], keepdims=0)
    g.write(["y", "means", "averages"], {"x": numbers((2, 3, 6, 5))})


def group_norm():
    """The operator itself, as it is since operator set 21."""
    g = Graph("group_norm", 21)
    g.input("x", ("N", 6, 4, 5))
    g.node("GroupNormalization", ["x", g.weights("scale", 6), g.weights("bias", 6)], "y", num_groups=3, epsilon=1e-3)
    g.write(["y"], {"x": numbers((2, 6, 4, 5))}, ir_version=10)


def layer_norm():
    """Over the last axis, as by default, and over all but the batch; a signal's instance normalisation in front."""
    g = Graph("layer_norm", 17)
    g.input("x", ("N", 3, 7))
    x = g.node("InstanceNormalization", ["x", g.weights("is", 3), g.weights("ib", 3)], "instance")
    x = g.node("LayerNormalization", [x, g.weights("ls", 7)], "last", epsilon=1e-2)
    g.node("LayerNormalization", [x, g.weights("as", 3, 7), g.weights("ab", 3, 7)], "y", axis=1)
    g.write(["last", "y"], {"x": numbers((2, 3, 7))})


def old_softmax():
    """Softmax before operator set 13 takes the axes from its own on together."""
    g = Graph("old_softmax", 11)
    g.input("x", (2, 3, 4, 5))
    g.node("Softmax", ["x"], "all_behind_batch")
    g.node("Softmax", ["x"], "last_two", axis=2)
    g.node("Softmax", ["x"], "last", axis=3)
    g.write(["all_behind_batch", "last_two", "last"], {"x": numbers((2, 3, 4, 5))}, ir_version=6)


def half():
    """Weights in float16, cast where they are used."""
    g = Graph("half", 13)
    g.input("x", ("N", 2, 5, 5))
    w = g.node("Cast", [g.weights("w16", 3, 2, 3, 3, dtype=np.float16)], "w", to=TensorProto.FLOAT)
    x = g.node("Conv", ["x", w], "conv")
    x = g.node("Reshape", [x, g.tensor("flat", np.array([0, -1]))], "flat_x")
    b = g.node("Cast", [g.weights("b64", 4, dtype=np.float64)], "b", to=TensorProto.FLOAT)
    g.node("Gemm", [x, g.weights("fc.weight", 27, 4), b], "y", alpha=0.5, beta=2.0)
    g.write(["y"], {"x": numbers((2, 2, 5, 5))})


def shared():
    """One weight in two places, one value with two names, an output that is an input's neighbour, an initializer that nothing uses."""
    g = Graph("shared", 16)
    g.input("x", ("N", 3, 4, 4))
    g.weights("conv.weight", 3, 3, 1, 1)
    x = g.node("Conv", ["x", "conv.weight"], "once")
    x = g.node("Conv", [x, "conv.weight"], "twice")
    g.node("Identity", [x], "same")
    g.weights("stale", 2, 2)
    g.write(["same", "twice"], {"x": numbers((1, 3, 4, 4))})


def whole():
    """Operators that mix the samples: only as one array of a fixed size."""
    g = Graph("whole", 13)
    g.input("a", (3, 2, 4))
    g.input("b", (2, 2, 4))
    x = g.node("Concat", ["a", "b"], "ab", axis=0)
    x = g.node("Transpose", [x], "turned", perm=[2, 0, 1])
    x = g.node("Softmax", [x], "soft", axis=0)
    x = g.node("Reshape", [x, g.tensor("to", np.array([2, 20]))], "rows")
    y = g.node("Slice", [x, g.tensor("from", np.array([1])), g.tensor("until", np.array([2])), g.tensor("axis", np.array([0]))], "second")
    g.node("MatMul", [x, g.node("Transpose", [y], "column")], "product")
    g.write(["product", "second"], {"a": numbers((3, 2, 4)), "b": numbers((2, 2, 4), 6)})


def make_all():
    return {
        "dynamo": lambda: exported("dynamo", Narrow(), (1, 3, 29, 29), True),
        "dynamo_external": lambda: exported("dynamo_external", Narrow(4), (1, 3, 29, 29), True, external=True),
        "dynamo_dynamic": lambda: exported("dynamo_dynamic", Narrow(), (2, 3, 29, 29), True, dynamic=True),
        "dynamo_plain": lambda: exported("dynamo_plain", Normalised(), (1, 3, 31, 31), True, optimize=False, opset=18),
        "dynamo_torchvision": lambda: exported("dynamo_torchvision", torchvision_narrow(), (1, 3, 23, 23), True),
        "dynamo_1d": lambda: exported("dynamo_1d", OneDimensional(), (2, 2, 23), True, dynamic=True),
        "script": lambda: exported("script", Narrow(), (1, 3, 29, 29), False),
        "script_dynamic": lambda: exported("script_dynamic", Narrow(4), (1, 3, 29, 29), False, dynamic=True, opset=17),
        "script_11": lambda: exported("script_11", Narrow(3), (2, 3, 29, 29), False, opset=11),
        "script_batch_norm": lambda: exported("script_batch_norm", Normalised(), (1, 3, 31, 31), False, dynamic=True, opset=13,
                                              do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE),
        "script_torchvision": lambda: exported("script_torchvision", torchvision_narrow(), (1, 3, 23, 23), False, dynamic=True),
        "dynamo_norms": lambda: exported("dynamo_norms", Norms(), (2, 3, 15, 17), True, dynamic=True),
        "script_norms": lambda: exported("script_norms", Norms(), (2, 3, 15, 17), False, dynamic=True, opset=17),
        "group_norm": group_norm, "layer_norm": layer_norm, "zoo_caffe2": zoo, "towers": towers, "nhwc": nhwc, "arithmetic": arithmetic, "old_softmax": old_softmax, "half": half,
        "shared": shared, "whole": whole,
    }


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    FOLDER.mkdir(parents=True, exist_ok=True)
    fixtures = make_all()
    wanted = sys.argv[1:] or list(fixtures)
    if unknown := set(wanted) - set(fixtures):
        sys.exit(f"no such fixture: {', '.join(sorted(unknown))}")
    for name in wanted:
        fixtures[name]()


if __name__ == "__main__":
    main()
