"""A network of this project as an ONNX model whose outputs are those of all its layers, under their names. Kinds that ONNX
cannot state with one or two of its own operators are refused by name.
"""
import numpy as np
import onnx
from onnx import helper, numpy_helper

import torch_network

OPSET = 18


class Builder:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, op, inputs, outputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))


def window(layer, rounding=False):
    attributes = {"kernel_shape": layer["kernel"], "strides": layer.get("stride", [1, 1]), "pads": layer.get("padding", [0] * 4),
                  "dilations": layer.get("dilation", [1, 1])}
    if rounding:
        attributes["ceil_mode"] = int(layer.get("rounding") == "ceil")
    return attributes


def add_lrn(builder, layer, source, channels):
    size = layer.get("local_size", 5)
    if layer.get("region", "across_channels") != "across_channels" or size % 2 == 0:
        raise ValueError(f"{layer['name']}: ONNX has no response normalisation like this")
    options = {"size": size, "alpha": layer.get("alpha", 1e-4), "beta": layer.get("beta", 0.75), "bias": float(layer.get("k", 1))}
    groups, name = layer.get("groups", 1), layer["name"]
    if groups == 1:
        builder.add("LRN", [source], [name], **options)
        return
    towers = [f"{name}/tower{i}" for i in range(groups)]
    builder.add("Split", [source, builder.constant(f"{name}/sizes", np.full(groups, channels // groups, np.int64))], towers, axis=1)
    for tower in towers:
        builder.add("LRN", [tower], [f"{tower}/normalised"], **options)
    builder.add("Concat", [f"{tower}/normalised" for tower in towers], [name], axis=1)


def add_adaptive_average_pool(builder, layer, source, shape):
    (height, width), (oh, ow) = shape[2:], layer["output"]
    if height % oh or width % ow:
        raise ValueError(f"{layer['name']}: ONNX has no adaptive average pool from {height}x{width} to {oh}x{ow}")
    kernel = [height // oh, width // ow]
    builder.add("AveragePool", [source], [layer["name"]], kernel_shape=kernel, strides=kernel)


def add_layer(builder, layer, parameter, shape):
    """shape is that of the first input."""
    kind, name, inputs = layer["kind"], layer["name"], list(layer["inputs"])
    c = (shape[1],)

    def tensor(suffix, wanted):
        return builder.constant(f"{name}.{suffix}", parameter(f"{name}.{suffix}", wanted).numpy().astype(np.float32))

    if kind == "convolution":
        groups, out = layer.get("groups", 1), layer["out_channels"]
        inputs.append(tensor("weight", (out, c[0] // groups, *layer["kernel"])))
        inputs += [tensor("bias", (out,))] if layer.get("bias", True) else []
        builder.add("Conv", inputs, [name], group=groups, **window(layer))
    elif kind == "linear":
        inputs.append(tensor("weight", (layer["out_features"], c[0])))
        inputs += [tensor("bias", (layer["out_features"],))] if layer.get("bias", True) else []
        builder.add("Gemm", inputs, [name], transB=1)
    elif kind == "lrn":
        add_lrn(builder, layer, inputs[0], c[0])
    elif kind == "max_pool":
        builder.add("MaxPool", inputs, [name], **window(layer, rounding=True))
    elif kind == "average_pool":
        builder.add("AveragePool", inputs, [name], count_include_pad=int(layer.get("count_padding", False)), **window(layer, rounding=True))
    elif kind == "adaptive_average_pool":
        add_adaptive_average_pool(builder, layer, inputs[0], shape)
    elif kind == "batch_norm":
        factor = tensor("scale", c) if layer.get("scale", True) else builder.constant(f"{name}.scale", np.ones(c, np.float32))
        offset = tensor("offset", c) if layer.get("offset", True) else builder.constant(f"{name}.offset", np.zeros(c, np.float32))
        inputs += [factor, offset, tensor("mean", c), tensor("variance", c)]
        builder.add("BatchNormalization", inputs, [name], epsilon=layer.get("epsilon", 1e-5))
    elif kind == "scale":
        builder.add("Mul", [*inputs, builder.constant(f"{name}/factor", np.float32(layer.get("factor", 1)))], [name])
    elif kind == "reshape":
        builder.add("Reshape", [*inputs, builder.constant(f"{name}/shape", np.array([0, *layer["shape"]], np.int64))], [name])
    elif kind == "transpose":
        builder.add("Transpose", inputs, [name], perm=[0, *layer["permutation"]])
    elif kind in ("concat", "softmax", "flatten"):
        builder.add(kind.capitalize(), inputs, [name], axis=layer.get("axis", 1))
    elif kind in PLAIN:
        builder.add(PLAIN[kind], inputs, [name])
    else:
        raise ValueError(f"{name}: {kind} is not exported to ONNX")


PLAIN = {"relu": "Relu", "dropout": "Identity", "add": "Sum", "matmul": "MatMul"}


def exported(graph, parameter, shapes):
    """shapes: of all layers and the input, by name, each with a batch in front (the sizes of one run in PyTorch)."""
    builder = Builder()
    for layer in torch_network.in_order(graph):
        add_layer(builder, layer, parameter, shapes[layer["inputs"][0]])

    def info(name):
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *shapes[name][1:]])

    inputs, outputs = ([info(entry["name"]) for entry in entries] for entries in (graph["inputs"], graph["layers"]))
    body = helper.make_graph(builder.nodes, "alexnet", inputs, outputs, builder.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model
