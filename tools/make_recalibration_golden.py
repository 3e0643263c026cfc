#!/usr/bin/env python3
"""Writes what torch.optim.swa_utils.update_bn makes of a small network: tests/golden/tasks/recalibration.safetensors.

make_recalibration_golden.py: needs torch and safetensors. The network is conv1, bn1, relu1, conv2, bn2 in float64; all samples are
one batch, so that the statistics of bn2 are of what bn1 gives with its new ones. Stored are the samples, the weights and the running
statistics, the variances brought from PyTorch's divisor n - 1 to n.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

PATH = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/tasks/recalibration.safetensors"


def main():
    torch.manual_seed(5)
    net = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4))
    for norm in (net[1], net[4]):
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)
    x = torch.randn(6, 3, 9, 8) * 3 + 10
    tensors = {"x": x.clone()}
    for index, name in ((0, "conv1"), (3, "conv2")):
        tensors |= {f"{name}.weight": net[index].weight.detach().clone(), f"{name}.bias": net[index].bias.detach().clone()}
    for index, name in ((1, "bn1"), (4, "bn2")):
        tensors |= {f"{name}.scale": net[index].weight.detach().clone(), f"{name}.offset": net[index].bias.detach().clone()}
    net = net.double()
    torch.optim.swa_utils.update_bn([x.double()], net)
    for index, name, pixels in ((1, "bn1", 7 * 6), (4, "bn2", 5 * 4)):
        count = len(x) * pixels
        tensors[f"{name}.mean"] = net[index].running_mean.clone()
        tensors[f"{name}.variance"] = net[index].running_var * (count - 1) / count
    PATH.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, PATH, {"made_by": json.dumps(f"tools/make_recalibration_golden.py with torch {torch.__version__.split('+')[0]}")})
    print(PATH.name, PATH.stat().st_size)


if __name__ == "__main__":
    main()
