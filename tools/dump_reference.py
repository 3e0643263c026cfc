#!/usr/bin/env python3
"""Writes what PyTorch gives in float64 for the architectures with generated weights: tests/golden/runtime.

dump_reference.py [--photos FOLDER | --features]: without either, ARCHITECTURE.safetensors: `logits` for generated inputs, and `middle`,
every 101st element behind the last pooling. With --photos, photos.safetensors: for each ARCHITECTURE a row for each photograph of the
folder, with every 8th logit, beginning at the row's number modulo 8, so that eight photographs cover all classes;
ARCHITECTURE.largest, the largest magnitude among all its logits; ARCHITECTURE.best, the class of the largest. The photographs'
names are in the metadata. With --features, features/NAME.safetensors for the default model and for each architecture with an eighth
of its channels and a 64th of its features: of each layer's output for two sample photographs every step-th element; the metadata
has the layers' names, shapes, steps and largest magnitudes. Needs torch, torchvision, pillow, numpy and safetensors.

Weights and inputs are not stored: generated() of layer_cases.py makes them, with the 32-bit FNV-1a hash of the tensor's
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

import model_file
import torch_network
from layer_cases import generated, stored_step

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden/runtime"
ARCHITECTURES = ["paper", "bvlc", "caffenet", "torchvision", "krizhevsky2012"]
INPUTS = 2
STEP = 101
PHOTO_STEP = 8
SAMPLES = ["coffee.jpg", "chelsea.jpg"]


def seed(name):
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def made(name, shape, limit):
    return torch.from_numpy(generated(shape, seed(name), -limit, limit).astype(np.float64))


class Generated:
    """A graph of our JSON with generated weights, computed in float64."""

    def __init__(self, name, reduced=False):
        self.description = json.loads((ROOT / f"models/{name}.json").read_text())
        for layer in self.description["graph"]["layers"] if reduced else []:
            for key, divisor in (("out_channels", 8), ("out_features", 64)):
                if key in layer:
                    layer[key] //= divisor
        self.weights = {}
        self.network = torch_network.Network(self.description["graph"], self.weight)

    def weight(self, name, shape):
        if name not in self.weights:
            limit = math.sqrt(6 / (math.prod(shape) // shape[0])) if name.endswith(".weight") else 0.1
            self.weights[name] = made(name, shape, limit)
        return self.weights[name]

    def preprocess(self, picture):
        return torch_network.preprocessed(self.description["preprocess"], None, picture)

    def scores(self, path):
        x = self.preprocess(PIL.Image.open(path).convert("RGB"))[None].double()
        return self.network(x)[self.network.scores][0].numpy()


def photo_rows(network, paths):
    logits = [network.scores(path) for path in paths]
    return {
        "": np.stack([row[i % PHOTO_STEP :: PHOTO_STEP] for i, row in enumerate(logits)]).astype(np.float32),
        ".largest": np.array([np.abs(row).max() for row in logits], np.float32),
        ".best": np.array([row.argmax() for row in logits], np.int32),
    }


def save_features(name, network, preprocess):
    pictures = [preprocess(PIL.Image.open(ROOT / "data" / sample).convert("RGB")) for sample in SAMPLES]
    layers, tensors = [], {}
    for layer, output in network(torch.stack(pictures).double()).items():
        step = stored_step(output.numel())
        layers.append({"name": layer, "shape": list(output.shape), "step": step, "largest": float(output.abs().max())})
        tensors[layer] = output.flatten()[::step].numpy().astype(np.float32)
    save(f"features/{name}", tensors, layers=json.dumps(layers), pictures=json.dumps(SAMPLES))


def save(name, tensors, **metadata):
    path = GOLDEN / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    made_by = f"tools/dump_reference.py with PyTorch {torch.__version__}"
    safetensors.numpy.save_file(tensors, path, {"made_by": made_by, **metadata})
    print(f"{path.name}: {path.stat().st_size} bytes")


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=pathlib.Path)
    parser.add_argument("--features", action="store_true")
    arguments = parser.parse_args()
    if arguments.features:
        model = model_file.Model(ROOT / "models/alexnet-tiny200.safetensors")
        save_features("alexnet-tiny200", model.truth, model.preprocess)
        for name in ARCHITECTURES:
            reduced = Generated(name, reduced=True)
            save_features(name, reduced.network, reduced.preprocess)
        return
    paths = sorted(arguments.photos.glob("*.JPEG")) if arguments.photos else []
    photos = {}
    for name in ARCHITECTURES:
        network = Generated(name)
        if paths:
            photos |= {name + key: rows for key, rows in photo_rows(network, paths).items()}
            continue
        (data,) = network.description["graph"]["inputs"]
        outputs = network.network(made("data", (INPUTS, *data["shape"]), 200))
        (flatten,) = (layer for layer in network.network.layers if layer["kind"] == "flatten")
        middle = outputs[flatten["inputs"][0]].flatten()[::STEP].numpy().copy()
        save(name, {"logits": outputs[network.network.scores].numpy(), "middle": middle})
    if photos:
        save("photos", photos, pictures=json.dumps([path.name for path in paths]))


if __name__ == "__main__":
    main()
