"""Our model files in Python: an independent reader, written after docs/model-file.md, and the network in PyTorch
(torch_network.py), in float64.

As a program: model_file.py MODEL PICTURE... prints the three largest scores of each picture.
model_file.py MODEL --golden OUT PICTURE... writes all scores as OUT, a safetensors file with the pictures' names in its metadata.
Needs torch, torchvision and Pillow.
"""
import argparse
import functools
import json
import pathlib
import struct
import sys

import numpy as np
import PIL.Image
import torch

import torch_network

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


class Model:
    def __init__(self, path):
        self.metadata, self.tensors = read_tensors(path)
        if self.metadata["alexnet.format"] != "1":
            raise ValueError(f"{path}: model file format {self.metadata['alexnet.format']}, not 1")
        self.graph = json.loads(self.metadata["alexnet.graph"])
        self.labels = json.loads(self.metadata.get("alexnet.labels", "[]"))
        self.steps = json.loads(self.metadata.get("alexnet.preprocess", "[]"))

    def network(self, dtype):
        """The network as a PyTorch module."""
        known = {}

        def parameter(name, shape):
            if name not in known:
                known[name] = weight(self.tensors, name, shape).to(dtype)
            return known[name]

        return torch_network.Network(self.graph, parameter)

    def preprocess(self, picture):
        """A PIL picture, or an array of uint8 (height, width, 3), as float32 (3, height, width)."""
        picture = picture if isinstance(picture, PIL.Image.Image) else PIL.Image.fromarray(picture)
        return torch_network.preprocessed(self.steps, lambda name: torch.from_numpy(self.tensors[name].copy()), picture)

    @functools.cached_property
    def truth(self):
        return self.network(torch.float64)

    @torch.inference_mode()
    def scores(self, picture):
        """The logits: what the softmax reads."""
        return self.truth(self.preprocess(picture)[None].double())[self.truth.scores][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("pictures", nargs="+", type=pathlib.Path)
    parser.add_argument("--golden", type=pathlib.Path)
    args = parser.parse_args()
    model = Model(args.model)
    rows = []
    for path in args.pictures:
        scores = model.scores(PIL.Image.open(path).convert("RGB"))
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
