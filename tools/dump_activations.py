#!/usr/bin/env python3
"""Writes what a PyTorch or ONNX model computes, layer by layer, as a reference dump (docs/reference-dump.md).

dump_activations.py SOURCE -o DUMP.npz (--input FILE.npy | --random N) [--seed S] [--names MAP.json] [--double]

SOURCE is a network of torchvision by name (torchvision:alexnet, with --weights FILE.pth for its state_dict), a Python file and a
function in it that returns a torch.nn.Module (net.py:make, likewise), a file of torch.save that holds a whole module (it is
unpickled: only for files that you trust), or an ONNX file.
--random N makes N inputs of the shape --shape (3,224,224), normally distributed. --double computes in float64 (PyTorch).

Layers of PyTorch models are called as alexnet calls those of its architectures, by their kinds and in the order in which they run:
conv1, conv1.relu, norm1, pool1, ..., fc6, fc6.relu, ..., prob; --names gives a JSON object {module: name} for others. Those of ONNX
models are called as `alexnet inspect MODEL.onnx` lists them. Needs numpy, and torch or onnx and onnxruntime.
"""
import argparse
import ast
import importlib.util
import json
import pathlib

import numpy as np

KINDS = {"MaxPool2d": "pool", "AvgPool2d": "pool", "LocalResponseNorm": "norm", "BatchNorm2d": "bn"}


class Namer:
    """conv1, conv1.relu, pool1, ...: layers are counted where they have weights that matter."""

    def __init__(self):
        self.count = 0
        self.last = "data"
        self.taken = set()

    def __call__(self, kind):
        if kind in ("Conv2d", "Linear"):
            self.count += 1
            self.last = f"{'conv' if kind == 'Conv2d' else 'fc'}{self.count}"
            return self.unique(self.last)
        if kind == "ReLU":
            return self.unique(f"{self.last}.relu")
        if kind in KINDS:
            return self.unique(f"{KINDS[kind]}{self.count}")
        return {"AdaptiveAvgPool2d": "avgpool", "Flatten": "flatten", "Dropout": f"drop{self.count + 1}", "Softmax": "prob"}.get(kind)

    def unique(self, name):
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def torch_module(source, weights):
    import torch

    place, _, name = source.rpartition(":")
    if place == "torchvision":
        import torchvision

        module = getattr(torchvision.models, name)()
    elif place.endswith(".py"):
        spec = importlib.util.spec_from_file_location("network", place)
        python = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(python)
        module = getattr(python, name)()
    else:
        module = torch.load(source, map_location="cpu", weights_only=False)
    if weights:
        module.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return module.eval()


def dump_torch(arguments, data):
    import torch

    module = torch_module(arguments.source, arguments.weights)
    names = json.loads(pathlib.Path(arguments.names).read_text()) if arguments.names else {}
    namer = Namer()
    arrays = {}

    def keep(path):
        def hook(layer, _, output):
            name = names.get(path) or namer(type(layer).__name__)
            if name and isinstance(output, torch.Tensor):
                arrays[name] = output.detach().clone().numpy()  # a copy: what follows may work in place

        return hook

    for path, layer in module.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(keep(path))
    dtype = torch.float64 if arguments.double else torch.float32
    with torch.no_grad():
        module.to(dtype)(torch.from_numpy(data).to(dtype))
    return {"data": data, **arrays}


def onnx_name(node, initializers):
    """What src/import/onnx_names.cc calls what the node computes."""
    if len(node.input) > 1 and node.input[1] in initializers:
        for ending in (".weight", "_w_0"):
            if node.input[1].endswith(ending):
                return node.input[1].removesuffix(ending)
    scopes = {entry.key: entry.value for entry in node.metadata_props}.get("pkg.torch.onnx.name_scopes")
    if scopes and len(ast.literal_eval(scopes)) > 1 and ast.literal_eval(scopes)[-2]:
        return ast.literal_eval(scopes)[-2]
    parts = node.name.split("/")
    if node.name.startswith("/") and len(parts) > 2 and parts[-2]:
        return parts[-2]
    return node.output[0].removesuffix("_output_0").removeprefix("/")


def dump_onnx(arguments, data):
    import onnx
    import onnxruntime

    model = onnx.load(arguments.source)
    (given,) = [i for i in model.graph.input if i.name not in {t.name for t in model.graph.initializer}]
    initializers = {t.name for t in model.graph.initializer}
    layers = {o.name: o.name for o in model.graph.output}
    for node in model.graph.node:
        value, name = node.output[0], onnx_name(node, initializers)
        if value not in layers:
            model.graph.output.append(onnx.ValueInfoProto(name=value))
            layers[value] = name if name not in layers.values() else value
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    # A batch that the file fixes is run row by row.
    extent = session.get_inputs()[0].shape[0]
    step = extent if isinstance(extent, int) else len(data)
    rows = [session.run(None, {given.name: data[i : i + step].astype(np.float32)}) for i in range(0, len(data), step)]
    arrays = {given.name: data}
    for i, output in enumerate(session.get_outputs()):
        if all(np.ndim(row[i]) and np.asarray(row[i]).dtype.kind == "f" and len(row[i]) == step for row in rows):
            arrays[layers[output.name]] = np.concatenate([row[i] for row in rows])
    return arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--input", help="an .npy of shape (N, channels, height, width)")
    parser.add_argument("--random", type=int, metavar="N")
    parser.add_argument("--shape", default="3,224,224")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weights")
    parser.add_argument("--names")
    parser.add_argument("--double", action="store_true")
    arguments = parser.parse_args()
    if arguments.input:
        data = np.load(arguments.input)
    elif arguments.random:
        shape = [arguments.random, *map(int, arguments.shape.split(","))]
        data = np.random.default_rng(arguments.seed).standard_normal(shape, dtype=np.float32)
    else:
        parser.error("--input or --random is needed")
    arrays = dump_onnx(arguments, data) if arguments.source.endswith(".onnx") else dump_torch(arguments, data)
    np.savez(arguments.output, **arrays)
    print(f"{arguments.output}: {', '.join(arrays)}")


if __name__ == "__main__":
    main()
