#!/usr/bin/env python3
"""Writes tests/golden/compare: what PyTorch computes, layer by layer, in float32 and float64, for the architectures with a sixteenth
of their channels and small inputs: ARCHITECTURE.json (structure and preprocessing), ARCHITECTURE_f32.npz and _f64.npz as
docs/reference-dump.md specifies them. Needs torch, torchvision, pillow, numpy and safetensors.

Weights are those of dump_reference.py: both sides make them from their names. paper_f32.npz holds two pictures that its data was made
from; the other _f32 files hold only layers that compute something.
"""
import json
import math

import numpy as np
import PIL.Image
import torch

import dump_reference
import torch_network

GOLDEN = dump_reference.ROOT / "tests/golden/compare"
SHARE = 16
HIDDEN = 64
CLASSES = 20
# The smallest inputs from which every layer has an output, and the resize before the crop.
SIDES = {"torchvision": 63}
SIDE = 67
SHORTER = 72
MOVE_ALONE = {"relu", "dropout", "flatten", "max_pool"}


def reduced(name):
    """The architecture's JSON with less in it."""
    description = json.loads((dump_reference.ROOT / f"models/{name}.json").read_text())
    side = SIDES.get(name, SIDE)
    description["origin"] = [f"models/{name}.json with a {SHARE}th of its channels (tools/make_compare_golden.py)."]
    description["graph"]["inputs"][0]["shape"] = [3, side, side]
    for layer in description["graph"]["layers"]:
        if "out_channels" in layer:
            layer["out_channels"] //= SHARE
        if "out_features" in layer:
            layer["out_features"] = CLASSES if layer["out_features"] == 1000 else HIDDEN
    for step in description["preprocess"]:
        if "size" in step:
            step["size"] = [SHORTER if step["step"] == "resize" else side] * 2
        if "shorter" in step:
            step["shorter"] = SHORTER
    return description


def parameter(dtype):
    """Generated weights in this type."""
    weights = {}

    def made(name, shape):
        if name not in weights:
            limit = math.sqrt(6 / (math.prod(shape) // shape[0])) if name.endswith(".weight") else 0.1
            weights[name] = dump_reference.made(name, shape, limit).to(dtype)
        return weights[name]

    return made


def pictures():
    """Noise of two shapes, smooth enough for resizing to matter."""
    random = np.random.default_rng(1)
    for width, height in ((40, 31), (29, 52)):
        small = PIL.Image.fromarray(random.integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8))
        yield np.asarray(small.resize((width, height), PIL.Image.Resampling.BICUBIC))


@torch.inference_mode()
def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in dump_reference.ARCHITECTURES:
        description = reduced(name)
        (GOLDEN / f"{name}.json").write_text(json.dumps(description) + "\n")
        side = description["graph"]["inputs"][0]["shape"]
        for dtype, suffix in ((torch.float32, "f32"), (torch.float64, "f64")):
            network = torch_network.Network(description["graph"], parameter(dtype))
            arrays = {}
            data = dump_reference.made("data", (1, *side), 200).round().to(torch.float32)
            if (name, suffix) == ("paper", "f32"):
                images = list(pictures())
                arrays = {f"images/{i}": image for i, image in enumerate(images)}
                arrays["paths"] = np.array(["first.png", "second.png"])
                data = torch.stack([torch_network.preprocessed(description["preprocess"], None, PIL.Image.fromarray(i)) for i in images])
            kinds = {layer["name"]: layer["kind"] for layer in description["graph"]["layers"]}
            few = suffix == "f32" and name != "paper"
            outputs = {**network(data.to(dtype)), "data": data}
            arrays |= {key: value.numpy() for key, value in outputs.items() if not (few and kinds.get(key) in MOVE_ALONE)}
            path = GOLDEN / f"{name}_{suffix}.npz"
            np.savez_compressed(path, **arrays)
            print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
