"""Writes tests/golden/formats/pickle and tests/golden/formats/pytorch: what torch.save writes, for the readers' tests.

Usage: make_checkpoints.py [FOLDER]. Needs PyTorch and NumPy; the files of pytorch/ were made with PyTorch 2.15.0. With
an older PyTorch, what it can't do is left out: pytorch-1.13/ has a selection of what Debian 12's python3-torch (1.13.1)
makes, with the same weights.

For NAME.pth, expected/NAME.npz has the tensors that a reader must find (bfloat16 as its bits in uint16, since NumPy
lacks it); files that hold the same tensors share one, as EXPECTED in the test says.
"""

import argparse
import collections
import pickle
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn


def plain(value):
    """The value as the test prints it: sets and tuples marked, bytes in hex, dictionaries as lists of pairs."""
    if isinstance(value, bytes):
        return "x" + value.hex()
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return "big" + value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True).hex()
    if isinstance(value, dict):
        return "{" + ",".join(plain(k) + ":" + plain(v) for k, v in value.items()) + "}"
    for kind, (before, after) in {list: "[]", tuple: "()", set: "<>", frozenset: "<>"}.items():
        if isinstance(value, kind):
            return before + ",".join(map(plain, value)) + after
    return str(value)


def pickles(folder):
    """The same values in every protocol, and as text."""
    shared = [1, 2]
    values = {
        "nothing": None,
        "truth": [True, False],
        "integers": [0, 255, 256, 65535, 65536, -1, 2**31 - 1, -(2**31), 2**31, -(2**40), 2**63 - 1, -(2**63), 2**70],
        "floats": [0.5, -1e300],
        "text": ["", "a", "\u6f22\u5b57", "x" * 300],
        "bytes": [b"", b"\x00\xff", b"y" * 300],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "sets": [set(), {7}, frozenset({8})],
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "shared": [shared, shared],
        3: list(range(1001)),
        "many": {str(i): None for i in range(1001)},
    }
    for protocol in range(2, 6):
        (folder / f"values_{protocol}.pkl").write_bytes(pickle.dumps(values, protocol))
    (folder / "values.txt").write_text(plain(values) + "\n", encoding="utf-8")


class Net(nn.Module):
    """torchvision's AlexNet with few channels."""

    def __init__(self, batch_norm=False):
        super().__init__()
        norm = [nn.BatchNorm2d(2)] if batch_norm else []
        self.features = nn.Sequential(
            nn.Conv2d(3, 2, kernel_size=11, stride=4, padding=2),
            *norm,
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(2, 3, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(3, 4, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(4, 3, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(3, 2, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(2 * 6 * 6, 8),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(8, 8),
            nn.ReLU(inplace=True),
            nn.Linear(8, 5),
        )

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Checkpoints:
    def __init__(self, folder):
        self.folder = folder
        (folder / "expected").mkdir(parents=True, exist_ok=True)

    def save(self, name, value, **options):
        torch.save(value, self.folder / f"{name}.pth", **options)

    def expect(self, name, tensors):
        arrays = {}
        for key, tensor in tensors.items():
            tensor = tensor.detach().contiguous()
            if tensor.dtype == torch.bfloat16:
                arrays[key] = tensor.view(torch.int16).numpy().view(np.uint16)
            else:
                arrays[key] = tensor.numpy()
        np.savez(self.folder / "expected" / f"{name}.npz", **arrays)


def containers(out, net):
    """The same state dict in both containers, in every protocol, and with the zip writer's options."""
    state = net.state_dict()
    out.expect("plain", state)
    out.save("plain", state)
    out.save("legacy", state, _use_new_zipfile_serialization=False)
    for protocol in range(0, 6):
        if protocol != 2:
            small = state if protocol in (4, 5) else {"a": torch.zeros(1)}
            out.save(f"protocol{protocol}", small, pickle_protocol=protocol)
            out.save(f"legacy_protocol{protocol}", small, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    few = {"a": torch.arange(3.0), "b": torch.arange(4.0)}
    out.expect("few", few)
    out.save("few", few)
    out.save("few_legacy", few, _use_new_zipfile_serialization=False)
    if hasattr(torch.serialization, "set_crc32_options"):
        torch.serialization.set_crc32_options(False)
        out.save("few_no_crc", few)
        torch.serialization.set_crc32_options(True)
    try:
        import torch.utils.serialization.config as config

        config.save.storage_alignment = 1024
        out.save("few_aligned", few)
        config.save.storage_alignment = 64
    except ImportError:
        pass
    torchscript(out.folder / "torchscript.pth")


def torchscript(path):
    """A TorchScript archive without its debug records, which name this machine's folders."""
    whole = path.with_suffix(".tmp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(nn.Linear(2, 1)).save(str(whole))
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            if not name.endswith(".debug_pkl"):
                target.writestr(zipfile.ZipInfo(name.replace(whole.stem, path.stem)), source.read(name))
    whole.unlink()


def wrappers(out, net):
    """What training programs put around a state dict."""
    state = net.state_dict()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    net(torch.zeros(1, 3, 95, 95)).sum().backward()
    optimizer.step()
    # The optimiser has changed the weights, in place: the state dict follows.
    out.expect("trained", state)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 60])
    training = {"epoch": 7, "best_acc1": 56.5, "arch": "alexnet", "none": None, "done": False}
    out.save("wrapped_state_dict", {**training, "state_dict": state, "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})
    out.save(
        "wrapped_state_dict_legacy",
        {**training, "state_dict": state, "optimizer": optimizer.state_dict()},
        _use_new_zipfile_serialization=False,
    )
    torch.save(
        {"epoch": 10, "total_steps": 2001, "optimizer": optimizer.state_dict(), "model": state, "seed": 1234},
        out.folder / "dansuh17_states_e10.pkl",
    )
    out.save("wrapped_model_state_dict", {"model_state_dict": state, "loss": torch.tensor(0.5)})
    doubled = {key: value * 2 for key, value in state.items()}
    out.expect("doubled", doubled)
    out.save("two_candidates", {"model": state, "model_ema": doubled, "epoch": 3})
    out.save("nested_ema", {"ema": {"module": state, "updates": 5}, "epoch": 3})
    out.save(
        "lightning",
        {
            "epoch": 1,
            "global_step": 500,
            "pytorch-lightning_version": "2.1.0",
            "state_dict": {"model." + key: value for key, value in state.items()},
            "loops": {"fit_loop": {"state_dict": {}}},
            "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.25), "kth": {"a.ckpt": torch.tensor(1.0)}}},
            "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [scheduler.state_dict()],
            "hyper_parameters": argparse.Namespace(
                lr=0.1, size=torch.Size([1, 2]), dtype=torch.float32, device=torch.device("cpu"), names={"a"}, blob=b"\x00\xff", path=Path("x")
            ),
        },
    )
    out.save("data_parallel", nn.DataParallel(net).state_dict())
    out.save("compiled", {"_orig_mod." + key: value for key, value in state.items()})
    out.save("list", [value for value in state.values()])
    out.save("tuple_of_dicts", (state, optimizer.state_dict(), 3))
    out.save("parameters", {key: nn.Parameter(value) for key, value in state.items()})


def modules(out):
    """Whole modules, of classes that no reader of the file has."""
    torch.manual_seed(5)
    net = Net(batch_norm=True).eval()
    net.features[1].running_mean.copy_(torch.tensor([0.25, -0.5]))
    net.features[1].running_var.copy_(torch.tensor([2.0, 0.125]))
    out.expect("module", net.state_dict())
    out.save("module", net)
    # The legacy format carries each class's source and where it was.
    torch.serialization.get_source_lines_and_file = lambda cls: ([f"class {cls.__name__}: pass\n"], 0, "net.py")
    out.save("module_legacy", net, _use_new_zipfile_serialization=False)
    out.save("module_wrapped", {"model": net, "epoch": 2})
    out.save("batch_norm", net.state_dict())
    tower = nn.Sequential(nn.Conv2d(4, 4, (3, 1), stride=(2, 1), padding=(1, 0), groups=2, bias=False), nn.LocalResponseNorm(5, alpha=2e-4, k=2.0))
    tower.register_buffer("kept", torch.ones(2))
    tower.register_buffer("dropped", torch.ones(3), persistent=False)
    out.expect("tower", tower.state_dict())
    out.save("tower", tower)


def weight_norms(out):
    torch.manual_seed(6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nn.Sequential(nn.utils.weight_norm(nn.Conv2d(2, 3, 3)), nn.utils.weight_norm(nn.Linear(4, 2)))
    out.expect("weight_norm_old", old.state_dict())
    out.save("weight_norm_old", old.state_dict())
    if hasattr(nn.utils.parametrizations, "weight_norm"):
        wrap = nn.utils.parametrizations.weight_norm
        new = nn.Sequential(wrap(nn.Conv2d(2, 3, 3)), wrap(nn.Linear(4, 2)))
        out.expect("weight_norm_new", new.state_dict())
        out.save("weight_norm_new", new.state_dict())


def tensors(out):
    """Every element type, every kind of view."""
    names = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool uint16 uint32 uint64"
    kinds = {name: getattr(torch, name) for name in names.split() if hasattr(torch, name)}
    types = {name: torch.tensor([[0, 1, 2], [3, 100, 5]]).to(kind) for name, kind in kinds.items()}
    types["float32"] = torch.tensor([[0.1, -0.0, float("nan")], [float("inf"), 1e-40, 3.4e38]])
    out.expect("types", types)
    out.save("types", types)
    older = {name: tensor for name, tensor in types.items() if name not in ("uint16", "uint32", "uint64")}
    out.expect("types_legacy", older)
    out.save("types_legacy", older, _use_new_zipfile_serialization=False)

    base = torch.arange(24.0).reshape(4, 6)
    views = {
        "base": base,
        "transposed": base.t(),
        "slice": base[1:3, 2:5],
        "column": base[:, 1],
        "expanded": base[0, :3].expand(4, 3),
        "scalar": base[3, 5],
        "empty": base[:, :0],
        "channels_last": torch.arange(120.0).reshape(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "ones": base[:1].as_strided((1, 6), (77, 1)),
        "zero_dim": torch.tensor(7),
    }
    out.expect("views", views)
    out.save("views", views)
    out.save("views_legacy", views, _use_new_zipfile_serialization=False)
    out.expect("tensor", {"": base.t()})
    out.save("tensor", base.t())

    attribute = torch.arange(3.0)
    attribute.note = "kept by torch.save"
    special = {"attribute": attribute, "parameter": nn.Parameter(torch.arange(2.0))}
    special["parameter"].note = "also kept"
    if hasattr(nn, "Buffer"):
        special["buffer"] = nn.Buffer(torch.arange(4.0))
    special["caf\u00e9\n"] = torch.arange(5.0)
    out.expect("special", special)
    out.save("special", special)

    # What is no tensor of numbers is passed over if it is not a tensor, and refused by name if it is one.
    out.expect("others", {"weight": torch.arange(2.0)})
    others = {"weight": torch.arange(2.0), "numpy": np.arange(3.0), "number": np.float32(0.5), "text": "x", 5: torch.zeros(1)}
    out.save("others", others)
    refused = {
        "quantized": torch.quantize_per_tensor(torch.arange(3.0), 0.1, 0, torch.qint8),
        "quantized_per_channel": torch.quantize_per_channel(
            torch.ones(2, 2), torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8
        ),
        "sparse": torch.eye(3).to_sparse(),
        "complex": torch.zeros(2, dtype=torch.complex64),
        "negative": torch._neg_view(torch.arange(3.0)),
        "conjugate": torch.zeros(2, dtype=torch.complex64).conj(),
    }
    if hasattr(torch, "float8_e4m3fn"):
        refused["float8"] = torch.zeros(2).to(torch.float8_e4m3fn)
    for name, tensor in refused.items():
        out.save(f"refused_{name}", {"w": tensor})


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "tests/golden/formats")
    (folder / "pickle").mkdir(parents=True, exist_ok=True)
    pickles(folder / "pickle")
    torch.manual_seed(4)
    net = Net().eval()
    out = Checkpoints(folder / "pytorch")
    containers(out, net)
    wrappers(out, net)
    modules(out)
    weight_norms(out)
    tensors(out)


main()
