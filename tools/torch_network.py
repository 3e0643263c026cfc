"""Networks of this project in PyTorch: each layer kind and preprocessing step of docs/model-file.md, written after that page.

Network(graph, parameter) builds the graph of a model file or of models/NAME.json; parameter(name, shape) gives its weights.
tests/tools/torch_network_test.py holds every kind against tests/golden/layers.
"""
import numpy as np
import torch
import torch.nn.functional as F


def along_channels(values, x):
    return values.reshape((1, -1) + (1,) * (x.ndim - 2))


def affine(y, p, shape, scale, offset):
    if scale:
        factor = p("scale", shape)
        y = y * (along_channels(factor, y) if len(shape) == 1 else factor)
    if offset:
        shift = p("offset", shape)
        y = y + (along_channels(shift, y) if len(shape) == 1 else shift)
    return y


def by_moments(x, axes, epsilon):
    return (x - x.mean(axes, keepdim=True)) / torch.sqrt(x.var(axes, correction=0, keepdim=True) + epsilon)


def convolution(x, p, out_channels, kernel, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1, bias=True):
    top, left, bottom, right = padding
    weight = p("weight", (out_channels, x.shape[1] // groups, *kernel))
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, p("bias", (out_channels,)) if bias else None, stride, 0, dilation, groups)


def linear(x, p, out_features, bias=True):
    return F.linear(x, p("weight", (out_features, x.shape[1])), p("bias", (out_features,)) if bias else None)


def pooled_extent(size, before, after, reach, stride, rounding):
    room = size + before + after - reach
    count = (-(-room // stride) if rounding == "ceil" else room // stride) + 1
    return count - 1 if rounding == "ceil" and (count - 1) * stride >= size + before else count


def pooling_pads(x, kernel, stride, padding, dilation, rounding):
    """What F.pad needs around x so that windows without any rounding end with the last one; below 0 it crops."""
    pads = []
    for axis in (1, 0):
        size, before, reach = x.shape[2 + axis], padding[axis], (kernel[axis] - 1) * dilation[axis] + 1
        count = pooled_extent(size, before, padding[2 + axis], reach, stride[axis], rounding)
        pads += [before, (count - 1) * stride[axis] + reach - size - before]
    return pads


def max_pool(x, p, kernel, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), rounding="floor"):
    pads = pooling_pads(x, kernel, stride, padding, dilation, rounding)
    return F.max_pool2d(F.pad(x, pads, value=-torch.inf), kernel, stride, 0, dilation)


def average_pool(x, p, kernel, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), rounding="floor", count_padding=False):
    top, left, bottom, right = padding
    pads = pooling_pads(x, kernel, stride, padding, dilation, rounding)
    taps = torch.ones(1, 1, *kernel, dtype=x.dtype)

    def sums(maps):
        return F.conv2d(maps.flatten(0, 1)[:, None], taps, None, stride, 0, dilation).unflatten(0, maps.shape[:2])[:, :, 0]

    counted = torch.ones_like(x[:1, :1])
    if count_padding:
        counted = F.pad(counted, (left, right, top, bottom), value=1)
        counted = F.pad(counted, (0, pads[1] - right, 0, pads[3] - bottom))
    else:
        counted = F.pad(counted, pads)
    return sums(F.pad(x, pads)) / sums(counted)


def window_sums(x, axes, before, after):
    """The sum over the neighbours from `before` below to `after` above each element, along each of the axes."""
    for axis in axes:
        size = x.shape[axis]
        pads = [0, 0] * (x.ndim - 1 - axis) + [before, after]
        padded = F.pad(x, pads)
        x = sum(padded.narrow(axis, i, size) for i in range(before + after + 1))
    return x


def lrn(x, p, region="across_channels", local_size=5, alpha=1e-4, beta=0.75, k=1.0, even_window="before", groups=1):
    across = region == "across_channels"
    if across and x.ndim > 2 and (local_size % 2 == 1 or even_window == "before"):
        return torch.cat([F.local_response_norm(tower, local_size, alpha, beta, k) for tower in x.chunk(groups, 1)], 1)
    low = (local_size - 1) // 2
    more = 1 - local_size % 2
    before = low + more * (even_window == "before")
    after = low + more * (even_window == "after")
    divisor = local_size if across else local_size**2
    sums = [window_sums(tower * tower, (1,) if across else (2, 3), before, after) for tower in x.chunk(groups, 1)]
    return x / (k + alpha / divisor * torch.cat(sums, 1)) ** beta


def batch_norm(x, p, epsilon=1e-5, scale=True, offset=True):
    c = (x.shape[1],)
    y = (x - along_channels(p("mean", c), x)) / torch.sqrt(along_channels(p("variance", c), x) + epsilon)
    return affine(y, p, c, scale, offset)


def moving_average_batch_norm(x, p, epsilon=1e-5, scale=True, offset=True):
    c = (x.shape[1],)
    return affine(x / torch.sqrt(along_channels(p("moment", c), x) + epsilon), p, c, scale, offset)


def batch_statistics_norm(x, p, epsilon=1e-5, scale=True, offset=True):
    return affine(by_moments(x, [a for a in range(x.ndim) if a != 1], epsilon), p, (x.shape[1],), scale, offset)


def instance_norm(x, p, epsilon=1e-5, scale=True, offset=True):
    return affine(by_moments(x, list(range(2, x.ndim)), epsilon), p, (x.shape[1],), scale, offset)


def group_norm(x, p, groups=1, epsilon=1e-5, scale=True, offset=True):
    return affine(torch.group_norm(x, groups, None, None, epsilon), p, (x.shape[1],), scale, offset)


def layer_norm(x, p, axis=1, epsilon=1e-5, scale=True, offset=True):
    shape = tuple(x.shape[axis:])
    weight, bias = (p(name, shape) if wanted else None for name, wanted in (("scale", scale), ("offset", offset)))
    return F.layer_norm(x, shape, weight, bias, epsilon)


def filter_response_norm(x, p, epsilon=1e-6, learned_epsilon=False, threshold=True, scale=True, offset=True):
    c = (x.shape[1],)
    moment = (x * x).mean(list(range(2, x.ndim)), keepdim=True) if x.ndim > 2 else x * x
    least = along_channels(p("epsilon", c), x).abs() if learned_epsilon else abs(epsilon)
    y = affine(x / torch.sqrt(moment + least), p, c, scale, offset)
    return torch.maximum(y, along_channels(p("threshold", c), x)) if threshold else y


def switchable_norm(x, p, epsilon=1e-5, batch_part="stored", scale=True, offset=True):
    c, maps = (x.shape[1],), x.flatten(2)
    mean = maps.mean(2, keepdim=True)
    variance = maps.var(2, keepdim=True) if maps.shape[2] > 1 else torch.zeros_like(mean)
    moment = variance + mean**2
    means, variances = [mean, mean.mean(1, keepdim=True)], [variance, moment.mean(1, keepdim=True) - mean.mean(1, keepdim=True) ** 2]
    if batch_part == "stored":
        means.append(p("mean", c).reshape(1, -1, 1))
        variances.append(p("variance", c).reshape(1, -1, 1))
    elif batch_part == "of_batch":
        means.append(mean.mean(0, keepdim=True))
        variances.append(moment.mean(0, keepdim=True) - mean.mean(0, keepdim=True) ** 2)
    mixture = [
        sum(weight * part for weight, part in zip(F.softmax(p(name, (len(parts),)), 0), parts))
        for name, parts in (("mean_weight", means), ("variance_weight", variances))
    ]
    return affine(((maps - mixture[0]) / torch.sqrt(mixture[1] + epsilon)).reshape(x.shape), p, c, scale, offset)


def neighbourhood_mean(x, local_size, sigma, across_channels):
    at = torch.arange(local_size, dtype=x.dtype) - local_size // 2
    line = torch.exp(-(at**2) / (2 * sigma**2))
    weights = (line[:, None] * line[None, :])[None, None]

    def weighted(maps):
        return F.conv2d(maps, weights, padding=local_size // 2)

    means = (weighted(x.flatten(0, 1)[:, None]) / weighted(torch.ones_like(x[:1, :1]))).reshape(x.shape)
    return means.mean(1, keepdim=True) if across_channels else means


def local_mean_subtraction(x, p=None, local_size=9, sigma=2, across_channels=False):
    return x - neighbourhood_mean(x, local_size, sigma, across_channels)


def local_contrast_norm(x, p=None, local_size=9, sigma=2, across_channels=False, epsilon=1e-4):
    v = local_mean_subtraction(x, p, local_size, sigma, across_channels)
    deviation = torch.sqrt(neighbourhood_mean(v * v, local_size, sigma, across_channels))
    return v / torch.maximum(deviation, deviation.mean((2, 3), keepdim=True)).clamp(min=epsilon)


def scale_shift(x, p, scale=True, offset=True):
    return affine(x, p, (x.shape[1],), scale, offset)


def clip(x, p, lowest=-3.4028234663852886e38, highest=3.4028234663852886e38):
    return torch.clamp(x, lowest, highest)


def pad(x, p, before, after, value=0.0):
    return F.pad(x, [n for pair in reversed(list(zip(before, after))) for n in pair], value=float(np.float32(value)))


def product(*inputs):
    y = inputs[0]
    for x in inputs[1:]:
        y = y * x
    return y


# The layer kinds: f(inputs..., p, **options), p(name, shape) being a parameter.
KINDS = {
    "adaptive_average_pool": lambda x, p, output: F.adaptive_avg_pool2d(x, output),
    "add": lambda *inputs: sum(inputs[:-1]),
    "average_pool": average_pool,
    "batch_norm": batch_norm,
    "batch_statistics_norm": batch_statistics_norm,
    "clip": clip,
    "concat": lambda *inputs, axis=1: torch.cat(inputs[:-1], axis),
    "convolution": convolution,
    "dropout": lambda x, p, ratio=0.5: x,
    "filter_response_norm": filter_response_norm,
    "flatten": lambda x, p: x.flatten(1),
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "layer_norm": layer_norm,
    "linear": linear,
    "local_contrast_norm": local_contrast_norm,
    "local_mean_subtraction": local_mean_subtraction,
    "lrn": lrn,
    "matmul": lambda a, b, p: a @ b,
    "max_pool": max_pool,
    "moving_average_batch_norm": moving_average_batch_norm,
    "multiply": lambda *inputs: product(*inputs[:-1]),
    "pad": pad,
    "relu": lambda x, p: F.relu(x),
    "reshape": lambda x, p, shape: x.reshape(x.shape[0], *shape),
    "scale": lambda x, p, factor=1.0: x * factor,
    "scale_shift": scale_shift,
    "slice": lambda x, p, axis=1, begin=0, count=0, step=1: x.index_select(axis, begin + step * torch.arange(count)),
    "softmax": lambda x, p, axis=1: F.softmax(x, axis),
    "switchable_norm": switchable_norm,
    "transpose": lambda x, p, permutation: x.permute(0, *permutation),
}


def computed(layer, inputs, parameter):
    """What a layer, as model files describe it, makes of its inputs; parameter(name, shape) gives conv1.weight and so on."""
    options = {key: value for key, value in layer.items() if key not in ("name", "kind", "inputs")}
    return KINDS[layer["kind"]](*inputs, lambda name, shape: parameter(f"{layer.get('name', '')}.{name}", shape), **options)


class Network(torch.nn.Module):
    """The outputs of all layers by name, and of the input, which comes as a batch; in its type."""

    def __init__(self, graph, parameter):
        super().__init__()
        self.graph, self.parameter = graph, parameter
        (self.input,) = (entry["name"] for entry in graph["inputs"])
        self.layers = in_order(graph)
        self.scores = score_name(graph)

    def forward(self, data):
        outputs = {self.input: data}
        for layer in self.layers:
            outputs[layer["name"]] = computed(layer, [outputs[name] for name in layer["inputs"]], self.parameter)
        return outputs


def in_order(graph):
    known, left, order = {entry["name"] for entry in graph["inputs"]}, list(graph["layers"]), []
    while left:
        ready = [layer for layer in left if known.issuperset(layer["inputs"])]
        if not ready:
            raise ValueError(f"the graph has a cycle or lacks an input of {left[0]['name']}")
        order += ready
        known |= {layer["name"] for layer in ready}
        left = [layer for layer in left if layer["name"] not in known]
    return order


def score_name(graph):
    """The first output, or what it reads if it is a softmax."""
    first = next((layer for layer in graph["layers"] if layer["name"] == graph["outputs"][0]), None)
    return first["inputs"][0] if first and first["kind"] == "softmax" else graph["outputs"][0]


def resized(picture, shorter=None, size=None, filter="bilinear", antialias=True, pass_order="pillow13"):
    from torchvision.transforms import functional

    if filter != "bilinear" or not antialias or pass_order != "pillow13":
        raise ValueError("Pillow 13 resizes bilinearly, antialiased, in the order pillow13")
    return functional.resize(picture, list(size) if size else shorter)


def cropped(picture, size, rounding="half_even"):
    from torchvision.transforms import functional

    (height, width), (full_width, full_height) = size, picture.size
    if rounding == "down" and full_height >= height and full_width >= width:
        return functional.crop(picture, (full_height - height) // 2, (full_width - width) // 2, height, width)
    return functional.center_crop(picture, list(size))


def contrast_normalised(x, scale=1.0, epsilon=1e-8, **others):
    v = x.double() - x.double().mean()
    return (scale * v / torch.sqrt(others.get("lambda", 0) + (v * v).mean()).clamp(min=epsilon)).float()


def whitened(x, matrix, mean):
    rows = x.flatten(1) if len(mean) == 3 else x.reshape(-1, 1)
    return (matrix.double() @ (rows.double() - mean.double()[:, None])).float().reshape(x.shape)


def preprocessed(steps, tensor, picture):
    """A PIL picture in RGB as float32 (channels, height, width); tensor(name) gives a tensor that a step names."""
    image, x = picture, None
    for step in steps:
        kind, options = step["step"], {key: value for key, value in step.items() if key != "step"}
        if kind == "resize":
            image = resized(image, **options)
            continue
        if kind == "center_crop":
            image = cropped(image, **options)
            continue
        if x is None:
            x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        if kind == "channels":
            x = x.flip(0) if options["order"] == "bgr" else x
        elif kind == "divide":
            x = x / options["by"]
        elif kind == "normalize":
            mean, std = (torch.tensor(options.get(key, [default] * 3)) for key, default in (("mean", 0.0), ("std", 1.0)))
            x = (x - mean[:, None, None]) / std[:, None, None]
        elif kind == "mean_image":
            x = x - tensor(options["tensor"])
        elif kind == "gcn":
            x = contrast_normalised(x, **options)
        elif kind == "lcn":
            x = local_contrast_norm(x[None].double(), **options)[0].float()
        elif kind == "local_mean_subtraction":
            x = local_mean_subtraction(x[None].double(), **options)[0].float()
        elif kind == "zca":
            x = whitened(x, tensor(options["matrix"]), tensor(options["mean"]))
        else:
            raise ValueError(f"no such preprocessing step: {kind}")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() if x is None else x
