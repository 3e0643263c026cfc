#!/usr/bin/env python3
"""Writes docs/tensorflow-lrn.safetensors: a model file of one layer, tf.nn.lrn on a photograph of 800 x 600 pixels.

make_lrn_example.py: needs nothing but Python. A model file without weights is its header alone (docs/model-file.md).
"""
import json
import pathlib
import struct

PATH = pathlib.Path(__file__).resolve().parent.parent / "docs/tensorflow-lrn.safetensors"
SOURCE = {"convention": "tensorflow", "depth_radius": 2, "bias": 1, "alpha": 0.001 / 9, "beta": 0.75}
GRAPH = {
    "inputs": [{"name": "data", "shape": [3, 600, 800]}],
    # TensorFlow's radius is a window of 2 * 2 + 1, and its alpha is not divided by that.
    "layers": [{"name": "norm", "kind": "lrn", "inputs": ["data"], "local_size": 5, "alpha": 5 * SOURCE["alpha"], "beta": 0.75, "k": 1}],
    "outputs": ["norm"],
}
PREPROCESS = [{"step": "center_crop", "size": [420, 560]}, {"step": "resize", "size": [600, 800]}]


def main():
    metadata = {"alexnet.format": "1", "alexnet.graph": json.dumps(GRAPH), "alexnet.preprocess": json.dumps(PREPROCESS),
                "alexnet.lrn_source": json.dumps({"norm": SOURCE})}
    header = json.dumps({"__metadata__": metadata}).encode()
    header += b" " * (-len(header) % 8)
    PATH.write_bytes(struct.pack("<Q", len(header)) + header)
    print(PATH.name, PATH.stat().st_size)


if __name__ == "__main__":
    main()
