#!/usr/bin/env python3
"""Full-size networks exported by both of PyTorch's ONNX exporters become the same tensors as their checkpoints.

full_size_exports.py ALEXNET. Networks are torchvision's AlexNet and dansuh17's, with random weights. Exits with 77 where PyTorch, torchvision
or onnxscript is not installed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

try:
    import onnxscript  # noqa: F401 (the newer exporter needs it)
    import torch
    import torchvision
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


class Dansuh17(nn.Module):
    """As dansuh17/alexnet-pytorch, model.py."""

    def __init__(self):
        super().__init__()
        lrn = [nn.LocalResponseNorm(size=5, alpha=0.0001, beta=0.75, k=2) for _ in range(2)]
        self.net = nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(), lrn[0], nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(), lrn[1], nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2))
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Linear(4096, 1000))

    def forward(self, x):
        return self.classifier(self.net(x).view(-1, 256 * 6 * 6))


class Test:
    def __init__(self, alexnet, folder):
        self.alexnet = alexnet
        self.folder = folder
        self.failures = 0

    def check(self, ok, what):
        print(f"{'ok  ' if ok else 'FAIL'} {what}", flush=True)
        self.failures += not ok

    def run(self, *arguments):
        done = subprocess.run([self.alexnet, *arguments], capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            self.check(False, f"{' '.join(arguments)}: {done.stderr.strip()}")
        return done.returncode == 0

    def convert(self, source):
        return self.run("convert", source, "--no-golden", "-o", "model.safetensors")

    def tensors(self):
        data = (self.folder / "model.safetensors").read_bytes()
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        header.pop("__metadata__")
        return {name: data[8 + size + e["data_offsets"][0] : 8 + size + e["data_offsets"][1]] for name, e in header.items()}


def export(net, x, path, dynamo):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x,), path, dynamo=dynamo, verbose=False)


def main():
    networks = {"torchvision": (torchvision.models.alexnet, 224), "dansuh17": (Dansuh17, 227)}
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        folder = pathlib.Path(name)
        test = Test(str(pathlib.Path(sys.argv[1]).resolve()), folder)
        for network, (make, side) in networks.items():
            net = make().eval()
            torch.save(net.state_dict(), folder / "net.pth")
            if not test.convert("net.pth"):
                continue
            tensors = test.tensors()
            for dynamo in (True, False):
                export(net, torch.zeros(1, 3, side, side), folder / "net.onnx", dynamo)
                if test.convert("net.onnx"):
                    found = test.tensors()
                    differing = sorted(name for name in {*found, *tensors} if found.get(name) != tensors.get(name))
                    what = f"{network}, {'newer' if dynamo else 'older'} exporter: the {len(tensors)} tensors of the checkpoint"
                    test.check(not differing, what + (f", but for {', '.join(differing)}" if differing else ""))
                for path in folder.glob("net.onnx*"):
                    path.unlink()
    print(f"{test.failures} failures")
    return 1 if test.failures else 0


if __name__ == "__main__":
    sys.exit(main())
