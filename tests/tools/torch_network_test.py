#!/usr/bin/env python3
"""Every layer kind of tools/torch_network.py computes what tests/golden/layers says."""
import json
import sys

from reference_python import TOP, go_on

go_on()

import numpy as np
import safetensors.numpy
import torch
from layer_cases import generated
from torch_network import KINDS, computed

# Both sides compute in float64, in other orders; some cases subtract values of 1e4 that agree in all but their last digits.
ALLOWED = 1e-9


def failures(path):
    stored = safetensors.numpy.load_file(path)
    golden = json.loads(safetensors.safe_open(path, "np").metadata()["golden"])
    for index, case in enumerate(golden["cases"]):

        def tensor(entry):
            values = stored[entry["tensor"]] if "tensor" in entry else generated(entry["shape"], entry["seed"], entry["low"], entry["high"])
            return torch.from_numpy(values.astype(np.float64))

        try:
            y = computed(case["layer"], [tensor(entry) for entry in case["inputs"]], lambda name, shape: tensor(case["parameters"][name[1:]]))
        except (TypeError, ValueError, RuntimeError) as error:
            yield f"{path.stem}, {case['name']}: {error}"
            continue
        wanted = stored[f"{index}.output"]
        found = y.numpy().reshape(-1)[:: case["output"]["step"]]
        if list(y.shape) != case["output"]["shape"] or not np.allclose(found, wanted, ALLOWED, ALLOWED, equal_nan=True):
            yield f"{path.stem}, {case['name']}: {found[:4]} instead of {wanted[:4]}"


def main():
    paths = {path.stem: path for path in sorted((TOP / "tests/golden/layers").glob("*.safetensors"))}
    failed = [f"only one side knows {kind}" for kind in paths.keys() ^ KINDS.keys()]
    for path in paths.values():
        failed += failures(path)
    print("\n".join(failed) or f"{len(paths)} kinds agree")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
