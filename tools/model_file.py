"""Our model files in Python: an independent reader, written after docs/model-file.md, and the network in PyTorch, in float64.

As a program: model_file.py MODEL PICTURE... prints the three largest scores of each picture.
model_file.py MODEL --golden OUT PICTURE... writes all scores as OUT, a safetensors file with the pictures' names in its metadata.
Needs torch, torchvision and Pillow.
"""
import argparse
import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

# The engine computes in float32: sums of some thousand products, each rounded to 6e-8.
MAX_GOLDEN_DIFFERENCE = 1e-5
DTYPES = {"F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1"}


def read_tensors(path):
    """The metadata, and every tensor as an array; BF16 as float32."""
    data = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = data[8 + size + begin : 8 + size + end]
        if entry["dtype"] == "BF16":
            array = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            array = np.frombuffer(raw, DTYPES[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return metadata, tensors


def unpacked(mask, values, length):
    """The dense rows of sparse int8, as a plain loop over rows would make them."""
    bits = np.unpackbits(mask, axis=1, bitorder="little")
    assert not bits[:, length:].any(), "a bit behind the end of a row"
    bits = bits[:, :length].astype(bool)
    dense = np.zeros(bits.shape, np.int8)
    dense[bits] = values
    return dense


def weight(tensors, name, shape):
    """The parameter as float64, whatever its storage. int8 is widened in float32, as the engine does it."""
    if name + ".mask" in tensors:
        rows = unpacked(tensors[name + ".mask"], tensors[name + ".values"], int(np.prod(shape[1:])))
    else:
        rows = tensors[name].reshape(shape[0], -1)
    if rows.dtype == np.int8:
        rows = rows.astype(np.float32) * tensors[name + ".scale"][:, None]
    return torch.from_numpy(rows.reshape(shape).astype(np.float64))


def lrn(x, local_size=5, alpha=1e-4, beta=0.75, k=1.0):
    assert local_size % 2 == 1
    return F.local_response_norm(x, local_size, alpha, beta, k)


def layer(tensors, x, name, kind, inputs, **p):
    """One layer of the graph; unknown parameters raise TypeError."""

    def convolution(out_channels, kernel, stride=(1, 1), padding=(0, 0, 0, 0), groups=1):
        top, left, bottom, right = padding
        w = weight(tensors, name + ".weight", (out_channels, x.shape[1] // groups, *kernel))
        b = weight(tensors, name + ".bias", (out_channels,))
        return F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, stride, groups=groups)

    def max_pool(kernel, stride=(1, 1), rounding="floor"):
        return F.max_pool2d(x, kernel, stride, ceil_mode=rounding == "ceil")

    def linear(out_features):
        return F.linear(x, weight(tensors, name + ".weight", (out_features, x.shape[1])), weight(tensors, name + ".bias", (out_features,)))

    return {
        "convolution": convolution,
        "relu": lambda: F.relu(x),
        "lrn": lambda **q: lrn(x, **q),
        "max_pool": max_pool,
        "adaptive_average_pool": lambda output: F.adaptive_avg_pool2d(x, output),
        "flatten": lambda: x.flatten(1),
        "dropout": lambda ratio=0.5: x,
        "linear": linear,
        "softmax": lambda axis=1: F.softmax(x, axis),
    }[kind](**p)


class Model:
    def __init__(self, path):
        self.metadata, self.tensors = read_tensors(path)
        assert self.metadata["alexnet.format"] == "1"
        self.graph = json.loads(self.metadata["alexnet.graph"])
        self.labels = json.loads(self.metadata["alexnet.labels"])
        self.steps = json.loads(self.metadata["alexnet.preprocess"])

    def preprocess(self, picture):
        """A PIL picture, or an array of uint8 (height, width, 3), as float32 (3, height, width)."""
        from PIL import Image
        from torchvision.transforms import v2
        from torchvision.transforms import functional

        x = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        for step in self.steps:
            step = dict(step)
            match step.pop("step"):
                case "resize":
                    x = v2.Resize(step.get("size") or step["shorter"])(x)
                case "center_crop":
                    x = v2.CenterCrop(step["size"])(x)
                case "channels":
                    x = functional.pil_to_tensor(x).float().flip(0) if step["order"] == "bgr" else x
                case "divide":
                    x = functional.pil_to_tensor(x).float() / step["by"]
                case "normalize":
                    x = functional.normalize(x, step["mean"], step.get("std", [1, 1, 1]))
                case unknown:
                    raise ValueError(unknown)
        return x

    @torch.inference_mode()
    def run(self, data):
        """Every layer's output, by name, for a batch of preprocessed pictures; computed in float64."""
        outputs = {self.graph["inputs"][0]["name"]: data.double()}
        for node in self.graph["layers"]:
            outputs[node["name"]] = layer(self.tensors, outputs[node["inputs"][0]], **node)
        return outputs

    def scores(self, picture):
        """The logits: what the softmax reads."""
        softmax = next(node for node in self.graph["layers"] if node["kind"] == "softmax")
        return self.run(self.preprocess(picture)[None])[softmax["inputs"][0]][0]


def main():
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("pictures", nargs="+", type=pathlib.Path)
    parser.add_argument("--golden", type=pathlib.Path)
    args = parser.parse_args()
    model = Model(args.model)
    rows = []
    for path in args.pictures:
        scores = model.scores(Image.open(path).convert("RGB"))
        best = scores.argsort(descending=True)[:3].tolist()
        print(path.name, *(f"{i} {model.labels[i]['label'].split(',')[0]} {scores[i]:.6f}" for i in best), sep=", ")
        rows.append(scores)
    if "golden.input" in model.tensors:
        stored = torch.from_numpy(model.tensors["golden.logits"].astype(np.float64))
        off = (model.scores(model.tensors["golden.input"]) - stored).abs().max() / stored.abs().max()
        print(f"golden input: largest difference to the stored logits {off:.1e} of the largest logit")
        if off > MAX_GOLDEN_DIFFERENCE:
            sys.exit("the stored logits are wrong")
    if args.golden:
        import safetensors.numpy

        made_by = f"tools/model_file.py with torch {torch.__version__.split('+')[0]} in float64"
        metadata = {"pictures": json.dumps([path.name for path in args.pictures]), "made_by": made_by}
        safetensors.numpy.save_file({"logits": torch.stack(rows).float().numpy()}, args.golden, metadata)


if __name__ == "__main__":
    main()
