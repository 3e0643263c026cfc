"""The form of the golden files of layers: cases, with inputs that the tests make for themselves.

The truth is computed in float64 from inputs that are exact in float32. Inputs are not stored but made by the same
generator here and in tests/layers/golden.cc, unless their values matter. Of large outputs every n-th element is stored, with
the sum of all. The metadata lists, per case: name, layer (our JSON), inputs, parameters, output and source.
"""
import json
import pathlib

import numpy as np
import safetensors.numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/layers"
MAX_STORED = 150


def generated(shape, seed, low=-1.0, high=1.0):
    """Uniform values in [low, high), as SplitMix64 gives them, rounded to float32."""
    with np.errstate(over="ignore"):
        z = (np.arange(np.prod(shape, dtype=np.uint64), dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(seed) * np.uint64(0xD1B54A32D192ED03)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    uniform = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
    return (low + (high - low) * uniform).astype(np.float32).reshape(shape)


def stored_step(size):
    """Of that many elements every how many-th is stored: without small factors, to visit all rows, columns and channels."""
    step = 1 if size <= MAX_STORED else int(size // MAX_STORED) | 1
    while step > 1 and any(step % p == 0 for p in (3, 5, 7, 11, 13)):
        step += 2
    return step


class Made:
    """A tensor that the test makes for itself."""

    def __init__(self, shape, low=-1.0, high=1.0):
        self.shape, self.low, self.high = list(shape), low, high


class Golden:
    """The cases of one kind, on their way to a file."""

    def __init__(self, kind):
        self.kind, self.cases, self.tensors, self.seed = kind, [], {}, 0

    def _resolve(self, name, tensor):
        if isinstance(tensor, Made):
            self.seed += 1
            entry = {"shape": tensor.shape, "seed": self.seed, "low": tensor.low, "high": tensor.high}
            return generated(tensor.shape, self.seed, tensor.low, tensor.high), entry
        values = np.asarray(tensor, dtype=np.float32)
        self.tensors[name] = np.ascontiguousarray(values)
        return values, {"tensor": name}

    def case(self, name, layer, inputs, compute, parameters=None, source="torch"):
        """compute(*inputs, **parameters) gets float64 arrays (torch tensors for source torch) and returns the truth."""
        index = len(self.cases)
        entry = {"name": name, "layer": {"kind": self.kind, **layer}, "inputs": [], "parameters": {}, "source": source}
        arrays, named = [], {}
        for i, tensor in enumerate(inputs):
            values, described = self._resolve(f"{index}.input{i}", tensor)
            entry["inputs"].append(described)
            arrays.append(values.astype(np.float64))
        for key, tensor in (parameters or {}).items():
            values, described = self._resolve(f"{index}.{key}", tensor)
            entry["parameters"][key] = described
            named[key] = values.astype(np.float64)
        if source == "torch":
            arrays = [torch.from_numpy(a) for a in arrays]
            named = {key: torch.from_numpy(a) for key, a in named.items()}
        with np.errstate(all="ignore"):
            truth = np.asarray(compute(*arrays, **named), dtype=np.float64)
        step = stored_step(truth.size)
        self.tensors[f"{index}.output"] = np.ascontiguousarray(truth.reshape(-1)[::step])
        entry["output"] = {"shape": list(truth.shape), "step": step, "sum": float(truth.sum()) if np.isfinite(truth).all() else None}
        self.cases.append(entry)

    def write(self):
        FOLDER.mkdir(parents=True, exist_ok=True)
        versions = f"torch {torch.__version__.split('+')[0]}, numpy {np.__version__}"
        # One key: the order of several is not the same from run to run.
        metadata = {"golden": json.dumps({"made_by": f"tools/make_layer_golden.py with {versions}", "cases": self.cases})}
        safetensors.numpy.save_file(self.tensors, FOLDER / f"{self.kind}.safetensors", metadata)
        print(f"{self.kind}: {len(self.cases)} cases, {(FOLDER / f'{self.kind}.safetensors').stat().st_size} bytes")


# N, C, H, W all different; sizes of 1; one past a vector.
SHAPES = [(2, 3, 5, 7), (1, 1, 1, 1), (3, 1, 4, 1), (1, 17, 3, 2), (2, 8, 1, 9)]
