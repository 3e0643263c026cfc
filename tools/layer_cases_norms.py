"""Golden cases of the normalisations, for make_layer_golden.py."""
import numpy as np
import torch
import torch.nn.functional as F

from layer_cases import SHAPES, Made


def lrn_by_hand(x, region, size, alpha, beta, k, before, after, groups=1):
    """x / (k + alpha / m * sum of squares)^beta, by the definition."""
    squares, total = x * x, np.zeros_like(x)
    if region == "across_channels":
        tower = x.shape[1] // groups
        for c in range(x.shape[1]):
            first = c // tower * tower
            total[:, c] = squares[:, max(c - before, first):min(c + after + 1, first + tower)].sum(1)
        divisor = size
    else:
        h, w = x.shape[2:]
        for i in range(h):
            for j in range(w):
                total[:, :, i, j] = squares[:, :, max(i - before, 0):i + after + 1, max(j - before, 0):j + after + 1].sum((2, 3))
        divisor = size * size
    return x / (k + alpha / divisor * total) ** beta


def lrn(g):
    # Even and odd windows, wider than the channels, sizes of 1.
    for n in (1, 2, 3, 4, 5, 6, 9):
        for shape in [(2, 3, 5, 7), (1, 7, 1, 1), (1, 17, 3, 2), (3, 1, 2, 4)]:
            g.case(f"PyTorch n={n} {shape}", {"local_size": n, "alpha": 1, "beta": 0.75, "k": 1}, [Made(shape, -4, 4)],
                   lambda x: F.local_response_norm(x, n, 1, 0.75, 1))
            if n % 2 == 0:
                g.case(f"ONNX n={n} {shape}", {"local_size": n, "alpha": 2, "beta": 0.5, "k": 2, "even_window": "after"},
                       [Made(shape, -4, 4)],
                       lambda x: lrn_by_hand(x, "across_channels", n, 2, 0.5, 2, (n - 1) // 2, n // 2), source="numpy")
                g.case(f"oneDNN n={n} {shape}", {"local_size": n, "alpha": 2, "beta": 0.5, "k": 2, "even_window": "none"},
                       [Made(shape, -4, 4)],
                       lambda x: lrn_by_hand(x, "across_channels", n, 2, 0.5, 2, (n - 1) // 2, (n - 1) // 2), source="numpy")
    for rank, shape in [(2, (3, 9)), (3, (2, 6, 5)), (5, (2, 6, 2, 3, 2))]:
        def any_rank(x):
            flat = x.reshape(x.shape[0], x.shape[1], -1)
            return F.local_response_norm(flat, 5, 1e-4, 0.75, 2).reshape(x.shape)
        g.case(f"rank {rank}", {"k": 2}, [Made(shape, -9, 9)], any_rank)
    for beta in (0.25, 0.5, 0.6, 1, 1.5, 2):
        g.case(f"beta {beta}", {"alpha": 0.3, "beta": beta, "k": 1.5}, [Made((2, 9, 3, 4), -4, 4)],
               lambda x: F.local_response_norm(x, 5, 0.3, beta, 1.5))
    for groups, n in [(2, 5), (2, 4), (4, 3)]:
        g.case(f"{groups} towers, n={n}", {"local_size": n, "alpha": 1, "groups": groups}, [Made((2, 16, 3, 5), -4, 4)],
               lambda x: torch.cat([F.local_response_norm(part, n, 1, 0.75, 1) for part in x.chunk(groups, 1)], 1))
    for n in (1, 3, 4, 5, 9):
        for shape in [(2, 3, 5, 7), (1, 1, 1, 1), (1, 2, 3, 1)]:
            g.case(f"within n={n} {shape}", {"region": "within_channel", "local_size": n, "alpha": 1, "k": 2, "even_window": "none"},
                   [Made(shape, -4, 4)],
                   lambda x: lrn_by_hand(x, "within_channel", n, 1, 0.75, 2, (n - 1) // 2, (n - 1) // 2), source="numpy")
    def caffe_within(x, n):  # lrn_layer.cpp: x * (1 + alpha * average pool of the squares, padding counted)^-beta
        return x * (1 + 0.5 * F.avg_pool2d(x * x, n, 1, (n - 1) // 2, count_include_pad=True)) ** -0.75
    for n in (3, 5):
        g.case(f"Caffe within n={n}", {"region": "within_channel", "local_size": n, "alpha": 0.5, "k": 1}, [Made((2, 3, 5, 7), -4, 4)],
               lambda x: caffe_within(x, n))
    g.case("values to 1e4", {"alpha": 1e-4, "k": 2}, [Made((2, 9, 3, 4), -1e4, 1e4)], lambda x: F.local_response_norm(x, 5, 1e-4, 0.75, 2))
    zeros = np.array([0, 0, 0, 3, 0, 0, 0, -2, 0]).reshape(1, 9, 1, 1)
    g.case("k = 0: 0/0 as PyTorch gives it", {"local_size": 3, "alpha": 1, "k": 0}, [zeros],
           lambda x: F.local_response_norm(x, 3, 1, 0.75, 0))
    g.case("k = 0, beta = 0", {"local_size": 3, "alpha": 1, "beta": 0, "k": 0}, [zeros], lambda x: F.local_response_norm(x, 3, 1, 0, 0))
    for name, shape, k in [("norm1 of bvlc", (1, 96, 55, 55), 1), ("norm2 of paper", (1, 256, 27, 27), 2), ("norm1 of caffenet", (2, 96, 27, 27), 1)]:
        g.case(name, {"k": k}, [Made(shape, 0, 100)], lambda x: F.local_response_norm(x, 5, 1e-4, 0.75, k))
    for n in (1, 3, 4):
        g.case(f"within n={n}, k = 0: 0/0 where all are zeros", {"region": "within_channel", "local_size": n, "alpha": 1, "k": 0, "even_window": "none"},
               [zeros.reshape(1, 1, 3, 3)], lambda x: lrn_by_hand(x, "within_channel", n, 1, 0.75, 0, (n - 1) // 2, (n - 1) // 2), source="numpy")
    g.case("within, values to 1e4", {"region": "within_channel", "local_size": 3, "alpha": 1e-4, "k": 2}, [Made((2, 3, 5, 7), -1e4, 1e4)],
           lambda x: lrn_by_hand(x, "within_channel", 3, 1e-4, 0.75, 2, 1, 1), source="numpy")
    g.case("a constant of 1e4", {"alpha": 1, "k": 1}, [np.full((2, 9, 3, 4), 1e4)], lambda x: F.local_response_norm(x, 5, 1, 0.75, 1))


def batch_norm(g):
    for shape in SHAPES + [(3, 5), (2, 3, 4), (2, 3, 4, 5, 6), (1, 96, 55, 55)]:
        for scale, offset in [(True, True), (False, True), (True, False), (False, False)]:
            if not (scale and offset) and shape != SHAPES[0]:
                continue
            c = [shape[1]]
            parameters = {"mean": Made(c, -2, 2), "variance": Made(c, 0.01, 4)}
            parameters |= {"scale": Made(c, -2, 2)} if scale else {}
            parameters |= {"offset": Made(c)} if offset else {}
            g.case(f"{shape}{'' if scale else ' no scale'}{'' if offset else ' no offset'}", {"scale": scale, "offset": offset}, [Made(shape)],
                   lambda x, mean, variance, scale=None, offset=None: F.batch_norm(x, mean, variance, scale, offset, eps=1e-5), parameters)
    c = [4]
    g.case("zero variance", {"epsilon": 1e-3}, [Made((2, 4, 3, 5), -1e4, 1e4)],
           lambda x, mean, variance, scale, offset: F.batch_norm(x, mean, variance, scale, offset, eps=1e-3),
           {"mean": Made(c, -1e4, 1e4), "variance": np.zeros(4), "scale": Made(c), "offset": Made(c)})
    g.case("zero variance and epsilon", {"epsilon": 0, "scale": False, "offset": False}, [np.array([[1, 2, -3, 2]])],
           lambda x, mean, variance: (x - mean) / torch.sqrt(variance), {"mean": [1, 1, 1, 2], "variance": [4, 0, 0, 0]})
    g.case("values to 1e4", {}, [Made((2, 3, 5, 7), -1e4, 1e4)],
           lambda x, mean, variance, scale, offset: F.batch_norm(x, mean, variance, scale, offset, eps=1e-5),
           {"mean": Made([3], -1e4, 1e4), "variance": Made([3], 0, 1e4), "scale": Made([3], -2, 2), "offset": Made([3])})


def along_channels(values, x):
    return values.reshape((1, -1) + (1,) * (x.ndim - 2))


def affine(y, scale, offset):
    y = y if scale is None else y * along_channels(scale, y)
    return y if offset is None else y + along_channels(offset, y)


def affine_cases(g, shapes, compute, layer=lambda shape: {}, stored=lambda shape: {}, size=lambda shape: [shape[1]]):
    """Scale and offset present and absent, zero variance, values up to 1e4: compute(x, epsilon, layer, scale, offset, ...)."""
    def add(name, shape, scale=True, offset=True, epsilon=1e-5, values=None, low=-3.0, high=5.0):
        fields = layer(shape)
        parameters = stored(shape)
        parameters |= {"scale": Made(size(shape), -2, 2)} if scale else {}
        parameters |= {"offset": Made(size(shape))} if offset else {}
        g.case(name, {"epsilon": epsilon, "scale": scale, "offset": offset, **fields}, [Made(shape, low, high) if values is None else values],
               lambda x, scale=None, offset=None, **others: compute(x, epsilon, fields, scale, offset, **others), parameters)

    for shape in shapes:
        add(f"{shape}", shape)
    for scale, offset in [(False, True), (True, False), (False, False)]:
        add(f"{shapes[0]}{'' if scale else ' no scale'}{'' if offset else ' no offset'}", shapes[0], scale, offset)
    add("values to 1e4", shapes[0], low=-1e4, high=1e4)
    add("values to 1e4 far from zero", shapes[0], low=9.9e3, high=1e4)
    add("zero variance", shapes[0], values=np.full(shapes[0], 1e4), epsilon=1e-6)
    add("zeros", shapes[0], values=np.zeros(shapes[0]), epsilon=1e-6)
    add("epsilon of 0", shapes[0], epsilon=0)
    add("zero variance and epsilon of 0", shapes[0], values=np.full(shapes[0], 3), epsilon=0)


MAPS = [(2, 6, 5, 7), (3, 2, 1, 9), (1, 4, 3, 1), (2, 8, 1, 2), (2, 4, 6), (1, 2, 3, 4, 2), (1, 96, 27, 27)]
PIXELS = [(2, 4, 1, 1), (1, 2, 1, 1)]


def by_statistics(x, axes, epsilon):
    return (x - x.mean(axes, keepdim=True)) / torch.sqrt(x.var(axes, correction=0, keepdim=True) + epsilon)


def instance_norm(g):
    def compute(x, epsilon, fields, scale, offset):
        if x[0, 0].numel() == 1 or epsilon == 0:  # which PyTorch refuses
            return affine(by_statistics(x, tuple(range(2, x.ndim)), epsilon), scale, offset)
        return F.instance_norm(x, weight=scale, bias=offset, eps=epsilon)
    affine_cases(g, MAPS + PIXELS, compute)


def group_norm(g):
    groups = {2: 2, 4: 2, 6: 3, 8: 4, 96: 32}
    affine_cases(g, MAPS + PIXELS + [(3, 6)], lambda x, epsilon, fields, scale, offset: torch.group_norm(x, fields["groups"], scale, offset, epsilon),
                 layer=lambda shape: {"groups": groups[shape[1]]})
    for count in (1, 2, 6):
        g.case(f"{count} of 6", {"groups": count}, [Made((2, 6, 5, 7))], lambda x, scale, offset: torch.group_norm(x, count, scale, offset, 1e-5),
               {"scale": Made([6]), "offset": Made([6])})


def layer_norm(g):
    for axis in (1, 2, 3):
        shapes = [shape for shape in MAPS + PIXELS + [(3, 6), (2, 1)] if len(shape) > axis]
        affine_cases(g, shapes, lambda x, epsilon, fields, scale, offset: F.layer_norm(x, x.shape[axis:], scale, offset, epsilon),
                     layer=lambda shape: {"axis": axis}, size=lambda shape: list(shape[axis:]))


def batch_statistics_norm(g):
    def compute(x, epsilon, fields, scale, offset):
        if x.numel() == x.shape[1] or epsilon == 0:  # which PyTorch refuses
            return affine(by_statistics(x, tuple(a for a in range(x.ndim) if a != 1), epsilon), scale, offset)
        return F.batch_norm(x, None, None, scale, offset, training=True, eps=epsilon)
    affine_cases(g, MAPS + PIXELS + [(3, 6), (7, 2)], compute)


def switchable_norm(g):
    # The forward pass of SwitchNorm (github.com/switchablenorms), whose parts are averages for `stored`.
    def compute(x, epsilon, fields, scale, offset, mean_weight, variance_weight, mean=None, variance=None):
        shape = x.shape
        x = x.reshape(shape[0], shape[1], -1)
        mean_in, var_in = x.mean(-1, keepdim=True), x.var(-1, keepdim=True)
        if x.shape[2] == 1:  # 0 / 0 there
            var_in = torch.zeros_like(var_in)
        mean_ln, temp = mean_in.mean(1, keepdim=True), var_in + mean_in**2
        var_ln = temp.mean(1, keepdim=True) - mean_ln**2
        means, variances = [mean_in, mean_ln], [var_in, var_ln]
        if fields["batch_part"] == "stored":
            means.append(mean.reshape(1, -1, 1)), variances.append(variance.reshape(1, -1, 1))
        elif fields["batch_part"] == "of_batch":
            mean_bn = mean_in.mean(0, keepdim=True)
            means.append(mean_bn), variances.append(temp.mean(0, keepdim=True) - mean_bn**2)
        m, v = torch.softmax(mean_weight, 0), torch.softmax(variance_weight, 0)
        mean = sum(weight * part for weight, part in zip(m, means))
        variance = sum(weight * part for weight, part in zip(v, variances))
        return affine((x - mean) / torch.sqrt(variance + epsilon), scale, offset).reshape(shape)

    for part in ("stored", "of_batch", "none"):
        count = 2 if part == "none" else 3
        stored = lambda shape: {"mean_weight": Made([count], -2, 2), "variance_weight": Made([count], -2, 2)} | (
            {"mean": Made([shape[1]], -2, 2), "variance": Made([shape[1]], 0.1, 4)} if part == "stored" else {})
        affine_cases(g, [shape for shape in MAPS + PIXELS if len(shape) > 2], compute, layer=lambda shape: {"batch_part": part}, stored=stored)


def filter_response_norm(g):
    def add(name, shape, threshold=True, learned=False, scale=True, offset=True, epsilon=1e-6, values=None, low=-3.0, high=5.0):
        c = [shape[1]]
        parameters = ({"threshold": Made(c)} if threshold else {}) | ({"epsilon": Made(c, -1e-3, 1e-3)} if learned else {})
        parameters |= ({"scale": Made(c, -2, 2)} if scale else {}) | ({"offset": Made(c)} if offset else {})
        constant = epsilon
        def compute(x, threshold=None, epsilon=None, scale=None, offset=None):
            nu2 = (x * x).mean(tuple(range(2, x.ndim)), keepdim=True) if x.ndim > 2 else x * x
            eps = torch.as_tensor(constant) if epsilon is None else along_channels(epsilon, x)
            y = affine(x / torch.sqrt(nu2 + torch.abs(eps)), scale, offset)
            return y if threshold is None else torch.maximum(y, along_channels(threshold, x))
        g.case(name, {"threshold": threshold, "learned_epsilon": learned, "scale": scale, "offset": offset, "epsilon": epsilon},
               [Made(shape, low, high) if values is None else values], compute, parameters)

    for shape in MAPS + PIXELS + [(3, 6)]:
        add(f"{shape}", shape)
    for flags in [(False, True, True, True), (True, True, False, True), (True, False, True, False), (False, False, False, False)]:
        add(f"threshold, learned epsilon, scale, offset: {flags}", (2, 6, 5, 7), *flags)
    add("values to 1e4", (2, 6, 5, 7), low=-1e4, high=1e4)
    add("zeros", (2, 6, 5, 7), values=np.zeros((2, 6, 5, 7)))
    add("a negative epsilon counts as positive", (2, 6, 5, 7), epsilon=-0.5)
    add("zeros and epsilon of 0", (2, 3, 2, 2), threshold=False, epsilon=0, values=np.zeros((2, 3, 2, 2)))
    add("a constant of 1e4", (2, 6, 5, 7), values=np.full((2, 6, 5, 7), 1e4))
    add("values to 1e4 far from zero", (2, 6, 5, 7), low=9.9e3, high=1e4)


def moving_average_batch_norm(g):
    def compute(x, epsilon, fields, scale, offset, moment):
        return affine(x / torch.sqrt(along_channels(moment, x) + epsilon), scale, offset)
    affine_cases(g, MAPS + PIXELS + [(3, 6)], compute, stored=lambda shape: {"moment": Made([shape[1]], 0.01, 4)})
    g.case("moment and epsilon of 0", {"epsilon": 0, "scale": False, "offset": False}, [np.array([[1, 0, -3, 2]])],
           lambda x, moment: compute(x, 0, {}, None, None, moment), {"moment": [0, 0, 0, 4]})


def neighbourhood_mean(x, size, sigma, across):
    """The weighted mean around each pixel of (N, C, H, W), by SciPy: what is absent has no weight."""
    import scipy.ndimage
    at = np.arange(size) - size // 2
    weights = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * sigma**2))
    correlate = lambda plane: scipy.ndimage.correlate(plane, weights, mode="constant", cval=0.0)
    present = correlate(np.ones(x.shape[2:]))
    means = np.stack([np.stack([correlate(plane) / present for plane in sample]) for sample in x])
    return means.mean(1, keepdims=True) if across else means


def neighbourhood_cases(g, compute, epsilons):
    for shape in [(2, 3, 5, 7), (1, 1, 1, 1), (3, 2, 1, 9), (1, 2, 12, 11), (1, 4, 3, 1)]:
        for size, sigma in [(1, 2), (3, 1), (9, 2), (5, 0.5)]:
            for across in (False, True):
                g.case(f"{size}, {sigma}{', across channels' if across else ''} on {shape}",
                       {"local_size": size, "sigma": sigma, "across_channels": across, **epsilons}, [Made(shape, -3, 5)],
                       lambda x: compute(x, size, sigma, across, **epsilons), source="numpy")
    g.case("values to 1e4", epsilons, [Made((1, 2, 12, 11), -1e4, 1e4)], lambda x: compute(x, 9, 2, False, **epsilons), source="numpy")
    g.case("zeros", epsilons, [np.zeros((1, 2, 4, 5))], lambda x: compute(x, 9, 2, False, **epsilons), source="numpy")


def local_contrast_norm(g):
    def compute(x, size, sigma, across, epsilon=1e-4):
        v = x - neighbourhood_mean(x, size, sigma, across)
        deviation = np.sqrt(neighbourhood_mean(v * v, size, sigma, across))
        return v / np.maximum(np.maximum(deviation, deviation.mean((2, 3), keepdims=True)), epsilon)
    neighbourhood_cases(g, compute, {"epsilon": 1e-3})
    g.case("one large deviation", {}, [np.pad([[[[100.0]]]], [(0, 0), (0, 0), (7, 6), (5, 9)])], lambda x: compute(x, 9, 2, False), source="numpy")
    g.case("zeros and epsilon of 0", {"epsilon": 0}, [np.zeros((1, 2, 4, 5))], lambda x: compute(x, 9, 2, False, 0), source="numpy")
    g.case("values to 1e4 far from zero", {}, [Made((2, 3, 12, 11), 9.9e3, 1e4)], lambda x: compute(x, 9, 2, False), source="numpy")


def local_mean_subtraction(g):
    def compute(x, size, sigma, across):
        return x - neighbourhood_mean(x, size, sigma, across)
    neighbourhood_cases(g, compute, {})
    g.case("values to 1e4 far from zero", {}, [Made((2, 3, 12, 11), 9.9e3, 1e4)], lambda x: compute(x, 9, 2, False), source="numpy")
