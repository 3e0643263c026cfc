"""Golden cases of activations, linear layers and what only moves values, for make_layer_golden.py."""
import numpy as np
import torch
import torch.nn.functional as F

from layer_cases import SHAPES, Made


def relu(g):
    for shape in SHAPES + [(5,), (2, 4096)]:
        g.case(str(shape), {}, [Made(shape)], F.relu)
    g.case("NaN, infinities, zeros", {}, [np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45])], F.relu)


def softmax(g):
    for shape, axis in [((1, 1), 1), ((2, 3), 1), ((2, 1000), 1), ((2, 3, 5, 7), 1), ((2, 3, 5, 7), 2), ((2, 3, 5, 7), 3), ((1, 17, 1), 2)]:
        g.case(f"{shape} axis {axis}", {"axis": axis}, [Made(shape, -8, 8)], lambda x: F.softmax(x, axis))
    g.case("values to 1e4", {}, [Made((3, 9), -1e4, 1e4)], lambda x: F.softmax(x, 1))
    g.case("equal values", {}, [np.full((2, 5), 1e4)], lambda x: F.softmax(x, 1))
    g.case("NaN and infinities", {}, [np.array([[1, np.nan, 3], [-np.inf, 2, -np.inf], [np.inf, 1, 2], [-np.inf] * 3])], lambda x: F.softmax(x, 1))


def elementwise(g, compute):
    for shape in SHAPES + [(5,), (3, 4096)]:
        g.case(f"two of {shape}", {}, [Made(shape), Made(shape)], compute)
    g.case("three", {}, [Made((2, 3, 4)), Made((2, 3, 4)), Made((2, 3, 4))], compute)
    for a, b in [((2, 3, 5, 7), (2, 3, 1, 1)), ((2, 1, 5, 7), (2, 3, 5, 7)), ((2, 3, 1, 7), (2, 1, 5, 1)), ((4, 3, 2), (1, 3, 2))]:
        g.case(f"{a} with {b}", {}, [Made(a), Made(b)], compute)
    g.case("NaN and infinities", {}, [[[1, np.nan, np.inf, np.inf, 0]], [[np.nan, 2, 1, -np.inf, np.inf]]], compute)


def add(g):
    elementwise(g, lambda *inputs: sum(inputs))


def multiply(g):
    elementwise(g, lambda first, *others: others[0] * first if len(others) == 1 else first * others[0] * others[1])


def clip(g):
    for lowest, highest in [(-0.5, 0.25), (0, 6), (0.5, -0.5), (-2, 2)]:
        g.case(f"{lowest} to {highest}", {"lowest": lowest, "highest": highest}, [Made((2, 3, 5, 7))],
               lambda x: np.minimum(np.maximum(x, lowest), highest), source="numpy")
    g.case("from above only", {"highest": 0.1}, [Made((3, 5))], lambda x: np.minimum(x, 0.1), source="numpy")
    g.case("NaN and infinities", {"lowest": -1, "highest": 1}, [[np.nan, np.inf, -np.inf, 0.5]], lambda x: torch.clamp(x, -1, 1))


def scale(g):
    for shape in SHAPES + [(5,), (2, 4096)]:
        g.case(str(shape), {"factor": 0.5}, [Made(shape)], lambda x: 0.5 * x)
    g.case("a factor that rounds", {"factor": 1 / 3}, [Made((2, 7), -1e4, 1e4)], lambda x: x / 3)


def scale_shift(g):
    for shape in SHAPES + [(3, 5), (2, 3, 4)]:
        for scale, offset in [(True, True), (True, False), (False, True), (False, False)]:
            if shape != SHAPES[0] and not (scale and offset):
                continue
            parameters = ({"scale": Made([shape[1]], -2, 2)} if scale else {}) | ({"offset": Made([shape[1]])} if offset else {})
            def compute(x, scale=None, offset=None):
                along = (1, -1) + (1,) * (x.ndim - 2)
                x = x if scale is None else x * scale.reshape(along)
                return x if offset is None else x + offset.reshape(along)
            g.case(f"{shape}{'' if scale else ' no scale'}{'' if offset else ' no offset'}", {"scale": scale, "offset": offset}, [Made(shape)],
                   compute, parameters)
    g.case("values to 1e4", {}, [Made((2, 3, 5, 7), -1e4, 1e4)], compute, {"scale": Made([3], -2, 2), "offset": Made([3])})


def linear(g):
    for shape, out, bias in [((1, 1), 1, True), ((2, 3), 5, True), ((2, 3), 5, False), ((5, 17), 33, True), ((1, 9216), 64, True),
                             ((3, 4096), 200, True)]:
        parameters = {"weight": Made([out, shape[1]])} | ({"bias": Made([out])} if bias else {})
        g.case(f"{shape} to {out}{'' if bias else ' no bias'}", {"out_features": out, "bias": bias}, [Made(shape)],
               lambda x, weight, bias=None: F.linear(x, weight, bias), parameters)


def matmul(g):
    for a, b in [((1, 1, 1), (1, 1, 1)), ((2, 3, 5), (2, 5, 4)), ((2, 3, 2, 5), (2, 3, 5, 4)), ((1, 3, 1, 2, 5), (1, 1, 4, 5, 3)),
                 ((2, 1, 17), (2, 17, 33))]:
        g.case(f"{a} by {b}", {}, [Made(a), Made(b)], torch.matmul)


def dropout(g):
    for shape in [(2, 3, 5, 7), (1, 4096), (1, 1)]:
        g.case(str(shape), {"ratio": 0.25}, [Made(shape)], lambda x: F.dropout(x, 0.25, training=False))


def flatten(g):
    for shape in SHAPES + [(3, 5), (2, 3, 4), (2, 256, 6, 6)]:
        g.case(str(shape), {}, [Made(shape)], lambda x: torch.flatten(x, 1))


def concat(g):
    for axis, shapes in [(1, [(2, 3, 5, 7), (2, 1, 5, 7), (2, 4, 5, 7)]), (3, [(2, 3, 4, 1), (2, 3, 4, 5)]), (2, [(2, 3, 1), (2, 3, 6)]),
                         (1, [(3, 5), (3, 5)]), (1, [(2, 3)])]:
        g.case(f"axis {axis} of {shapes}", {"axis": axis}, [Made(shape) for shape in shapes], lambda *inputs: torch.cat(inputs, axis))


def slice(g):
    for shape, axis, begin, count, step in [((2, 6, 3, 4), 1, 0, 3, 1), ((2, 6, 3, 4), 1, 3, 3, 1), ((2, 3, 5, 7), 3, 1, 3, 2),
                                            ((2, 9), 1, 8, 9, -1), ((1, 7, 2), 1, 5, 3, -2), ((3, 4, 5), 2, 4, 1, 1)]:
        g.case(f"{count} from {begin} by {step} on axis {axis} of {shape}", {"axis": axis, "begin": begin, "count": count, "step": step},
               [Made(shape)], lambda x: np.take(x, [begin + i * step for i in range(count)], axis), source="numpy")


def pad(g):
    for shape, before, after, value in [((2, 3, 5, 7), [0, 1, 2], [0, 3, 0], 0), ((2, 3, 4), [2, 0], [1, 5], -1.5), ((1, 4), [0], [0], 2),
                                        ((2, 1, 1, 1), [1, 1, 1], [1, 1, 1], np.inf)]:
        g.case(f"{before} and {after} around {shape}", {"before": before, "after": after, "value": value if np.isfinite(value) else 1e30},
               [Made(shape)], lambda x: np.pad(x, [(0, 0), *zip(before, after)], constant_values=np.float32(value if np.isfinite(value) else 1e30)),
               source="numpy")


def transpose(g):
    for shape, permutation in [((2, 3, 5, 7), [2, 3, 1]), ((2, 3, 5, 7), [3, 1, 2]), ((2, 3, 5, 7), [1, 3, 2]), ((3, 4), [1]),
                               ((2, 3, 4), [2, 1]), ((1, 2, 3, 4, 5), [4, 2, 3, 1])]:
        g.case(f"{permutation} of {shape}", {"permutation": permutation}, [Made(shape)], lambda x: x.permute(0, *permutation))


def reshape(g):
    for shape, to in [((2, 3, 5, 7), [105]), ((2, 12), [3, 4]), ((2, 3, 4), [4, 1, 3]), ((1, 1, 1), [1])]:
        g.case(f"{shape} to {to}", {"shape": to}, [Made(shape)], lambda x: x.reshape(x.shape[0], *to))
