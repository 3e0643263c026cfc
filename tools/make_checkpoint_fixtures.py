#!/usr/bin/env python3
"""Writes small checkpoints and what PyTorch computes with them: tests/golden/import/pytorch, for the importer's tests.

make_checkpoint_fixtures.py [FOLDER [FILE...]]: needs PyTorch and NumPy; safetensors files need safetensors. The files of pytorch/
were made with PyTorch 2.15.0. pytorch-1.13/ has a selection, FILE..., as Debian 12's python3-torch writes it.

The networks are AlexNets with few channels. logits.npz has, by name, what a network gives in float64 for the pictures of
pictures(), which the tests make too. Files of one network in many wrappings share an entry.
"""
import argparse
import copy
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

warnings.simplefilter("ignore")


def pictures(side, count=2):
    """Values in [-0.5, 0.5), exact in float32: a multiplicative hash of the position."""
    index = np.arange(count * 3 * side * side, dtype=np.uint64)
    values = (index * np.uint64(2654435761) % np.uint64(2**32)) >> np.uint64(16)
    return torch.from_numpy(values.astype(np.float64) / 65536 - 0.5).reshape(count, 3, side, side)


# -- networks --

NARROW = (2, 3, 2, 3, 2)


def linears(inputs, features, classes):
    return nn.Sequential(
        nn.Dropout(0.5), nn.Linear(inputs, features), nn.ReLU(inplace=True),
        nn.Dropout(0.5), nn.Linear(features, features), nn.ReLU(inplace=True), nn.Linear(features, classes),
    )


class Torchvision(nn.Module):
    """torchvision.models.AlexNet; with norm, a normalisation behind each convolution."""

    def __init__(self, norm=None, bias=True, widths=NARROW, features=4, classes=5):
        super().__init__()
        layers = []
        windows = [(11, 4, 2, True), (5, 1, 2, True), (3, 1, 1, False), (3, 1, 1, False), (3, 1, 1, True)]
        for inputs, outputs, (kernel, stride, padding, pool) in zip((3, *widths), widths, windows):
            layers.append(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias))
            layers += [norm(outputs)] if norm else []
            layers.append(nn.ReLU(inplace=True))
            layers += [nn.MaxPool2d(3, 2)] if pool else []
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = linears(36 * widths[-1], features, classes)

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Dansuh(nn.Module):
    """The network of dansuh17/alexnet-pytorch: response normalisation with k = 2."""

    def __init__(self, widths=NARROW, features=4, classes=5):
        super().__init__()
        a, b, c, d, e = widths
        self.net = nn.Sequential(
            nn.Conv2d(3, a, 11, stride=4), nn.ReLU(), nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2), nn.MaxPool2d(3, 2),
            nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2), nn.MaxPool2d(3, 2),
            nn.Conv2d(b, c, 3, padding=1), nn.ReLU(),
            nn.Conv2d(c, d, 3, padding=1), nn.ReLU(),
            nn.Conv2d(d, e, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )
        self.classifier = linears(36 * e, features, classes)

    def forward(self, x):
        return self.classifier(self.net(x).view(x.shape[0], -1))


class Caffe(nn.Module):
    """The layers of the Caffe networks under their names; what stands between them is chosen by `kind`."""

    def __init__(self, kind="bvlc"):
        super().__init__()
        self.kind = kind
        self.conv1 = nn.Conv2d(3, 4, 11, stride=4)
        self.conv2 = nn.Conv2d(4, 4, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(4, 4, 3, padding=1)
        self.conv4 = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(4, 2, 3, padding=1, groups=2)
        self.fc6, self.fc7, self.fc8 = nn.Linear(72, 4), nn.Linear(4, 4), nn.Linear(4, 5)

    def norm(self, x):
        if self.kind != "krizhevsky2012":
            return F.local_response_norm(x, 5, k=1)
        return torch.cat([F.local_response_norm(tower, 5, k=2) for tower in x.chunk(2, 1)], 1)

    def forward(self, x):
        pool = lambda maps: F.max_pool2d(maps, 3, 2, ceil_mode=self.kind != "krizhevsky2012")
        order = {"bvlc": "npnp", "caffenet": "pnpn", "krizhevsky2012": "pnnp"}[self.kind]
        steps = {"n": self.norm, "p": pool}
        x = F.relu(self.conv1(x))
        x = steps[order[1]](steps[order[0]](x))
        x = F.relu(self.conv2(x))
        x = steps[order[3]](steps[order[2]](x))
        x = F.relu(self.conv5(F.relu(self.conv4(F.relu(self.conv3(x))))))
        half = 0.5 if self.kind == "krizhevsky2012" else 1
        x = F.relu(self.fc6(pool(x).flatten(1))) * half
        return self.fc8(F.relu(self.fc7(x)) * half)


class Blocks(nn.Module):
    """As tutorials write it: a block for each layer, with batch normalisation instead of response normalisation."""

    def __init__(self):
        super().__init__()
        block = lambda conv, *pool: nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(), *pool)
        self.layer1 = block(nn.Conv2d(3, 2, 11, 4, 2), nn.MaxPool2d(3, 2))
        self.layer2 = block(nn.Conv2d(2, 3, 5, 1, 2), nn.MaxPool2d(3, 2))
        self.layer3 = block(nn.Conv2d(3, 2, 3, 1, 1))
        self.layer4 = block(nn.Conv2d(2, 3, 3, 1, 1))
        self.layer5 = block(nn.Conv2d(3, 2, 3, 1, 1), nn.MaxPool2d(3, 2))
        self.fc = nn.Sequential(nn.Dropout(0.5), nn.Linear(72, 4), nn.ReLU())
        self.fc1 = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4), nn.ReLU())
        self.fc2 = nn.Sequential(nn.Linear(4, 5))

    def forward(self, x):
        x = self.layer5(self.layer4(self.layer3(self.layer2(self.layer1(x)))))
        return self.fc2(self.fc1(self.fc(x.flatten(1))))


class Functional(nn.Module):
    """What a whole module does not tell: its forward() calls functions."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 2, 11, 4), nn.Conv2d(2, 3, 5)
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 2).flatten(1))


# -- normalisations that PyTorch does not have, as their papers' code writes them --

class FilterResponseNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        shape = (1, channels, 1, 1)
        self.gamma, self.beta, self.tau = (nn.Parameter(torch.empty(shape)) for _ in range(3))
        self.eps = nn.Parameter(torch.tensor([1e-4]))

    def forward(self, x):
        nu2 = x.pow(2).mean((2, 3), keepdim=True)
        return torch.max(self.gamma * x * torch.rsqrt(nu2 + self.eps.abs()) + self.beta, self.tau)


class CentredConv2d(nn.Conv2d):
    def forward(self, x):
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class MovingAverageBatchNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        shape = (1, channels, 1, 1)
        self.weight, self.bias = nn.Parameter(torch.empty(shape)), nn.Parameter(torch.empty(shape))
        self.register_buffer("running_var", torch.ones(shape))

    def forward(self, x):
        return self.weight * x / (self.running_var + 1e-5).sqrt() + self.bias


class SwitchableNorm2d(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.empty(1, channels, 1, 1)) for _ in range(2))
        self.mean_weight, self.var_weight = nn.Parameter(torch.empty(3)), nn.Parameter(torch.empty(3))
        self.register_buffer("running_mean", torch.zeros(1, channels, 1))
        self.register_buffer("running_var", torch.ones(1, channels, 1))

    def forward(self, x):
        n, c, h, w = x.shape
        x = x.view(n, c, -1)
        mean_in, var_in = x.mean(-1, keepdim=True), x.var(-1, keepdim=True)
        temp = var_in + mean_in**2
        mean_ln = mean_in.mean(1, keepdim=True)
        var_ln = temp.mean(1, keepdim=True) - mean_ln**2
        a, b = F.softmax(self.mean_weight, 0), F.softmax(self.var_weight, 0)
        mean = a[0] * mean_in + a[1] * mean_ln + a[2] * self.running_mean
        var = b[0] * var_in + b[1] * var_ln + b[2] * self.running_var
        return ((x - mean) / (var + 1e-5).sqrt()).view(n, c, h, w) * self.weight + self.bias


class WithinChannelLrn(nn.Module):
    """Caffe's WITHIN_CHANNEL."""

    def forward(self, x):
        return x / (1 + 5e-2 * F.avg_pool2d(x * x, 3, 1, 1)).pow(0.75)


def neighbourhood_mean(x, size=9, sigma=2):
    """Gaussian mean of the pixels around each one; what lies outside the map has no weight."""
    along = torch.exp(-((torch.arange(size, dtype=x.dtype) - size // 2) ** 2) / (2 * sigma**2))
    kernel = torch.outer(along, along).expand(x.shape[1], 1, size, size)
    total = lambda maps: F.conv2d(maps, kernel, padding=size // 2, groups=x.shape[1])
    return total(x) / total(torch.ones_like(x))


class LocalMeanSubtraction(nn.Module):
    def forward(self, x):
        return x - neighbourhood_mean(x)


class LocalContrastNorm(nn.Module):
    """Jarrett et al. 2009: the centred map by its local deviation, which counts as no less than its mean over the map."""

    def forward(self, x):
        v = x - neighbourhood_mean(x)
        sigma = neighbourhood_mean(v * v).sqrt()
        return v / torch.maximum(sigma, sigma.mean((2, 3), keepdim=True)).clamp(min=1e-4)


def normed(norm, conv=nn.Conv2d):
    """A short network; norm makes a layer for (channels, side of the maps)."""
    return nn.Sequential(
        conv(3, 4, 11, stride=4), norm(4, 55), nn.ReLU(), nn.MaxPool2d(3, 2),
        conv(4, 6, 5, padding=2), norm(6, 27), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(24, 5),
    )


def normed_architecture(norm):
    """The same for the importer, with the layers named as nn.Sequential numbers them."""
    layers = [
        {"name": "0", "kind": "convolution", "out_channels": 4, "kernel": [11, 11], "stride": [4, 4]},
        {"name": "1", **norm}, {"name": "2", "kind": "relu"}, {"name": "3", "kind": "max_pool", "kernel": [3, 3], "stride": [2, 2]},
        {"name": "4", "kind": "convolution", "out_channels": 6, "kernel": [5, 5], "padding": [2, 2, 2, 2]},
        {"name": "5", **norm}, {"name": "6", "kind": "relu"}, {"name": "7", "kind": "adaptive_average_pool", "output": [2, 2]},
        {"name": "8", "kind": "flatten"}, {"name": "9", "kind": "linear", "out_features": 5}, {"name": "prob", "kind": "softmax"},
    ]
    for before, layer in zip([{"name": "data"}, *layers], layers):
        layer["inputs"] = [before["name"]]
    return {"name": "normed", "origin": [], "preprocess": [], "graph": {"inputs": [{"name": "data", "shape": [3, 227, 227]}], "layers": layers, "outputs": ["prob"]}}


# -- files --

class Fixtures:
    def __init__(self, folder, selection):
        self.folder = folder
        self.selection = selection
        self.logits = {}
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, name, value, **options):
        if not self.selection or name in self.selection:
            torch.save(value, self.folder / name, **options)

    def expect(self, name, net, side):
        with torch.no_grad():
            self.logits[name] = net.double()(pictures(side)).numpy()
            net.float()

    def finish(self):
        np.savez(self.folder / "logits.npz", **self.logits)


def randomised(net, seed):
    """Parameters that make every layer matter, exact in float16; activations of some hundreds in front of normalisations."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
            if name.endswith("num_batches_tracked"):
                continue
            if name.endswith(("running_var", "gamma", "eps")) or (tensor.dim() == 1 and name.endswith("weight")):
                tensor.uniform_(0.5, 2)
            elif tensor.dim() < 2 or tensor.numel() == tensor.shape[1]:
                tensor.uniform_(-0.5, 0.5)
            else:
                # Spread like uniform numbers that keep the size of what they are multiplied with.
                fan = tensor.numel() / tensor.shape[0]
                tensor.uniform_(-1, 1).mul_((4 / fan) ** 0.5)
                if tensor.shape[1:] == (3, 11, 11):
                    tensor.mul_(60)
            tensor.copy_(tensor.half().float())
    return net.eval()


def wrappings(out):
    net = randomised(Torchvision(), 1)
    out.expect("torchvision", net, 224)
    state = net.state_dict()
    out.save("torchvision.pth", state)
    out.save("torchvision_legacy.pth", state, _use_new_zipfile_serialization=False)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    training = {"epoch": 7, "arch": "alexnet", "best_acc1": torch.tensor(56.5), "optimizer": optimizer.state_dict()}
    out.save("wrapped_state_dict.pth.tar", {**training, "state_dict": {"module." + key: value for key, value in state.items()}})
    out.save("wrapped_model_state_dict.pt", {**training, "model_state_dict": state, "loss": 0.5})
    out.save("wrapped_net.pth", {"net": state, "acc": 90.5, "epoch": 3})
    halved = {key: value / 2 for key, value in state.items()}
    out.save("model_and_ema.pth", {"model": halved, "model_ema": state, "epoch": 3})
    out.save("nested_ema.pth", {"ema": {"module": state, "updates": 5}})
    inner = {key.replace("features.", "features.module."): value for key, value in state.items()}
    out.save("features_module.pth.tar", {"epoch": 1, "state_dict": inner})
    out.save("compiled.pt", {"_orig_mod.module." + key: value for key, value in state.items()})
    lightning = {
        "epoch": 1, "global_step": 500, "pytorch-lightning_version": "2.1.0",
        "state_dict": {"model." + key: value for key, value in state.items()},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.25)}},
        "optimizer_states": [optimizer.state_dict()], "hyper_parameters": argparse.Namespace(lr=0.1, names={"a"}),
    }
    out.save("lightning.ckpt", lightning)
    out.save("list.pt", list(state.values()))
    out.save("module.pth", net)
    # The old format carries each class's source and where it was.
    torch.serialization.get_source_lines_and_file = lambda cls, *_: ([f"class {cls.__name__}: pass\n"], 0, "net.py")
    out.save("module_legacy.pth", net, _use_new_zipfile_serialization=False)
    out.save("module_parallel.pth", {"model": nn.DataParallel(net), "epoch": 3})
    out.save("float64.pth", {key: value.double() for key, value in state.items()})
    out.save("float16.pth", {key: value.half() for key, value in state.items()})
    views = {key: value.t().contiguous().t() if value.dim() == 2 else value for key, value in state.items()}
    views["features.0.weight"] = state["features.0.weight"].contiguous(memory_format=torch.channels_last)
    shared = torch.cat([torch.zeros(3), state["classifier.6.weight"].flatten(), state["classifier.6.bias"]])
    views["classifier.6.weight"], views["classifier.6.bias"] = shared[3:23].view(5, 4), shared[23:]
    out.save("views.pth", views)

    rounded = randomised(Torchvision(), 2)
    with torch.no_grad():
        for tensor in rounded.parameters():
            tensor.copy_(tensor.bfloat16().float())
    out.expect("bfloat16", rounded, 224)
    out.save("bfloat16.pth", {key: value.bfloat16() for key, value in rounded.state_dict().items()})

    # As a network trained on channels-last data flattens.
    last = copy.deepcopy(net)
    last.forward = lambda x: last.classifier(last.avgpool(last.features(x)).permute(0, 2, 3, 1).flatten(1))
    out.expect("flatten_hwc", last, 224)
    return state


def bad(out, state):
    out.save("quantised.pth", {**state, "features.3.weight": torch.quantize_per_tensor(state["features.3.weight"], 0.1, 0, torch.qint8)})
    nan = {**state, "classifier.4.bias": torch.full((4,), float("nan"))}
    out.save("nan.pth", nan)
    out.save("zero_conv1.pth", {**state, "features.0.weight": torch.zeros(2, 3, 11, 11)})
    wrong = {("features.11.weight" if key == "features.10.weight" else key): value for key, value in state.items()}
    wrong["classifier.1.weight"] = torch.zeros(4, 50)
    wrong["extra.weight"] = torch.zeros(2, 2)
    out.save("wrong_tensors.pth", wrong)
    out.save("functional.pth", randomised(Functional(), 9))


def others(out):
    dansuh = randomised(Dansuh(), 3)
    out.expect("dansuh17", dansuh, 227)
    state = dansuh.state_dict()
    optimizer = torch.optim.Adam(dansuh.parameters(), lr=0.0001)
    parallel = {"module." + key: value for key, value in state.items()}
    out.save("alexnet_states_e10.pkl", {"epoch": 10, "total_steps": 2001, "optimizer": optimizer.state_dict(), "model": parallel, "seed": 1234})
    out.save("dansuh17_module.pth", dansuh)

    norm = randomised(Torchvision(nn.BatchNorm2d, bias=False), 4)
    out.expect("batch_norm", norm, 224)
    out.save("batch_norm.pth", norm.state_dict())
    out.save("batch_norm_legacy.pth", {"state_dict": norm.state_dict()}, _use_new_zipfile_serialization=False)
    out.save("batch_norm_module.pth", norm)

    caffe = randomised(Caffe(), 5)
    for kind in ("bvlc", "caffenet", "krizhevsky2012"):
        caffe.kind = kind
        out.expect(kind, caffe, 227)
    out.save("caffe_names.pth", caffe.state_dict())

    blocks = randomised(Blocks(), 6)
    out.expect("blocks", blocks, 224)
    out.save("blocks.pth", blocks.state_dict())

    plain = randomised(Torchvision(), 7)
    old = copy.deepcopy(plain)
    for layer in (old.features[0], old.classifier[1]):
        nn.utils.weight_norm(layer)
    out.expect("weight_norm", old, 224)
    out.save("weight_norm.pth", old.state_dict())
    out.save("weight_norm_module.pth", old)
    if hasattr(nn.utils.parametrizations, "weight_norm"):
        for layer in (plain.features[0], plain.classifier[1]):
            nn.utils.parametrizations.weight_norm(layer)
        out.save("weight_norm_parametrized.pth", plain.state_dict())


def normalisations(out):
    """Whole modules where PyTorch has the layer, else a state dict and an architecture."""
    whole = {
        "batch": lambda channels, side: nn.BatchNorm2d(channels, eps=1e-3),
        "batch_statistics": lambda channels, side: nn.BatchNorm2d(channels, track_running_stats=False),
        "instance": lambda channels, side: nn.InstanceNorm2d(channels, affine=True),
        "instance_tracked": lambda channels, side: nn.InstanceNorm2d(channels, affine=True, track_running_stats=True),
        "layer": lambda channels, side: nn.LayerNorm((channels, side, side), elementwise_affine=False),
        "group": lambda channels, side: nn.GroupNorm(2, channels),
        "response": lambda channels, side: nn.LocalResponseNorm(4, alpha=2e-2, beta=0.6, k=1.5),
        "batch_plain": lambda channels, side: nn.BatchNorm2d(channels, affine=False),
        "instance_plain": lambda channels, side: nn.InstanceNorm2d(channels),
    }
    for seed, (name, norm) in enumerate(whole.items()):
        net = normed(norm)
        if name == "layer":
            net.insert(9, nn.LayerNorm(24))
        net = randomised(net, 20 + seed)
        out.expect("norm_" + name, net, 227)
        out.save(f"norm_{name}.pth", net)
    custom = {
        "filter_response": (lambda c, s: FilterResponseNorm(c), nn.Conv2d, {"kind": "filter_response_norm", "learned_epsilon": True}),
        "moving_average": (lambda c, s: MovingAverageBatchNorm(c), CentredConv2d, {"kind": "moving_average_batch_norm"}),
        "switchable": (lambda c, s: SwitchableNorm2d(c), nn.Conv2d, {"kind": "switchable_norm"}),
        "within_channel": (lambda c, s: WithinChannelLrn(), nn.Conv2d, {"kind": "lrn", "region": "within_channel", "local_size": 3, "alpha": 5e-2}),
        "local_contrast": (lambda c, s: LocalContrastNorm(), nn.Conv2d, {"kind": "local_contrast_norm"}),
        "local_mean": (lambda c, s: LocalMeanSubtraction(), nn.Conv2d, {"kind": "local_mean_subtraction"}),
    }
    for seed, (name, (norm, conv, layer)) in enumerate(custom.items()):
        net = randomised(normed(norm, conv), 40 + seed)
        out.expect("norm_" + name, net, 227)
        out.save(f"norm_{name}.pth", net.state_dict())
        if not out.selection:
            (out.folder / f"norm_{name}.json").write_text(json.dumps(normed_architecture(layer), indent=1) + "\n")


def safetensors_files(out, state):
    try:
        from safetensors.torch import save_file
    except ImportError:
        return
    state = {"model." + key: value for key, value in state.items()}
    save_file(state, out.folder / "torchvision.safetensors", metadata={"format": "pt"})
    parts = {"sharded-00001-of-00002.safetensors": {}, "sharded-00002-of-00002.safetensors": {}}
    weight_map = {key: list(parts)["classifier" in key] for key in state}
    for key, value in state.items():
        parts[weight_map[key]][key] = value
    for name, tensors in parts.items():
        save_file(tensors, out.folder / name, metadata={"format": "pt"})
    index = {"metadata": {"total_size": sum(value.nbytes for value in state.values())}, "weight_map": weight_map}
    (out.folder / "sharded.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def main():
    default = Path(__file__).parent.parent / "tests/golden/import/pytorch"
    out = Fixtures(Path(sys.argv[1]) if len(sys.argv) > 1 else default, sys.argv[2:])
    state = wrappings(out)
    bad(out, state)
    others(out)
    normalisations(out)
    if not out.selection:
        safetensors_files(out, state)
    out.finish()


if __name__ == "__main__":
    main()
