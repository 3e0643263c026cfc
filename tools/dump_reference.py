#!/usr/bin/env python3
"""Writes the logits that PyTorch gives in float64 for the architectures with generated weights: tests/golden/runtime.

dump_reference.py [--photos FOLDER [--all]]: without --photos, ARCHITECTURE.safetensors: `logits` for generated inputs, and
`middle`, every 101st element behind the last pooling. With it, photos.safetensors: ARCHITECTURE/FILE for a few of the
photographs, or for all of them. Needs torch, torchvision, pillow, numpy and safetensors.

Weights and inputs are not stored: generated() of make_layer_golden.py makes them, with the 32-bit FNV-1a hash of the tensor's
name as seed, and so does tests/runtime/generated.cc. Weights are uniform within sqrt(6 / fan-in) (He et al. 2015), biases
within 0.1, inputs within 200, so that response normalisation does something.
"""
import argparse
import json
import math
import pathlib

import numpy as np
import PIL.Image
import safetensors.numpy
import torch
import torch.nn.functional as F
import torchvision.transforms.functional as TF

from make_layer_golden import generated

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden/runtime"
ARCHITECTURES = ["paper", "bvlc", "caffenet", "torchvision", "krizhevsky2012"]
PHOTOS = ["n01774750_tarantula", "n02123045_tabby", "n04146614_school_bus"]
INPUTS = 2
STEP = 101


def seed(name):
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def made(name, shape, limit):
    return torch.from_numpy(generated(shape, seed(name), -limit, limit).astype(np.float64))


class Network:
    """A graph of our JSON with generated weights, computed plainly in float64."""

    def __init__(self, name):
        self.description = json.loads((ROOT / f"models/{name}.json").read_text())
        self.weights = {}

    def weight(self, name, shape):
        if name not in self.weights:
            limit = math.sqrt(6 / (math.prod(shape) // shape[0])) if name.endswith(".weight") else 0.1
            self.weights[name] = made(name, shape, limit)
        return self.weights[name]

    def layer(self, layer, x):
        name, kind = layer["name"], layer["kind"]
        if kind == "convolution":
            groups, out = layer.get("groups", 1), layer["out_channels"]
            top, left, bottom, right = layer.get("padding", [0] * 4)
            weight = self.weight(f"{name}.weight", (out, x.shape[1] // groups, *layer["kernel"]))
            bias = self.weight(f"{name}.bias", (out,))
            return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, layer.get("stride", 1), groups=groups)
        if kind == "linear":
            weight = self.weight(f"{name}.weight", (layer["out_features"], x.shape[1]))
            return F.linear(x, weight, self.weight(f"{name}.bias", (layer["out_features"],)))
        if kind == "relu":
            return F.relu(x)
        if kind == "lrn":
            towers = x.chunk(layer.get("groups", 1), dim=1)
            return torch.cat([F.local_response_norm(t, layer["local_size"], layer["alpha"], layer["beta"], layer["k"]) for t in towers], 1)
        if kind == "max_pool":
            return F.max_pool2d(x, layer["kernel"], layer["stride"], ceil_mode=layer.get("rounding") == "ceil")
        if kind == "adaptive_average_pool":
            return F.adaptive_avg_pool2d(x, layer["output"])
        if kind == "flatten":
            return x.flatten(1)
        if kind == "dropout":
            return x
        if kind == "scale":
            return x * layer["factor"]
        raise ValueError(f"{name}: no such kind here: {kind}")

    def __call__(self, x):
        """The logits, and the values behind the last layer before they are flattened."""
        values = {self.description["graph"]["inputs"][0]["name"]: x}
        for layer in self.description["graph"]["layers"]:
            (source,) = layer["inputs"]
            if layer["kind"] == "softmax":
                return values[source], middle
            if layer["kind"] == "flatten":
                middle = values[source]
            values[layer["name"]] = self.layer(layer, values[source])
        return values[layer["name"]], middle

    def preprocessed(self, path):
        image = PIL.Image.open(path).convert("RGB")
        x = None
        for step in self.description["preprocess"]:
            kind = step["step"]
            if kind == "resize":
                image = TF.resize(image, step["size"] if "size" in step else step["shorter"])
            elif kind == "center_crop" and step.get("rounding") == "down":
                height, width = step["size"]
                image = TF.crop(image, (image.height - height) // 2, (image.width - width) // 2, height, width)
            elif kind == "center_crop":
                image = TF.center_crop(image, step["size"])
            else:
                if x is None:
                    x = torch.from_numpy(np.array(image)).permute(2, 0, 1).to(torch.float32)
                if kind == "channels":
                    x = x.flip(0) if step["order"] == "bgr" else x
                elif kind == "divide":
                    x = x / step["by"]
                elif kind == "normalize":
                    mean, std = (torch.tensor(step.get(key, [1.0] * 3), dtype=torch.float32) for key in ("mean", "std"))
                    x = (x - mean[:, None, None]) / std[:, None, None]
                else:
                    raise ValueError(f"no such step here: {kind}")
        return x[None].to(torch.float64)


def save(name, tensors):
    GOLDEN.mkdir(parents=True, exist_ok=True)
    path = GOLDEN / f"{name}.safetensors"
    safetensors.numpy.save_file(tensors, path, {"made_by": f"tools/dump_reference.py with PyTorch {torch.__version__}"})
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    photos = {}
    for name in ARCHITECTURES:
        network = Network(name)
        if arguments.photos is None:
            (data,) = network.description["graph"]["inputs"]
            logits, middle = network(made("data", (INPUTS, *data["shape"]), 200))
            save(name, {"logits": logits.numpy(), "middle": middle.flatten()[::STEP].numpy().copy()})
            continue
        for path in sorted(arguments.photos.glob("*.JPEG")):
            if arguments.all or path.stem in PHOTOS:
                logits, _ = network(network.preprocessed(path))
                photos[f"{name}/{path.name}"] = logits[0].numpy().astype(np.float32)
    if photos:
        save("photos", photos)


if __name__ == "__main__":
    main()
