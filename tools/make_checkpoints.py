"""Writes tests/golden/formats/pickle and tests/golden/formats/pytorch: what torch.save writes, for the readers' tests.

Usage: make_checkpoints.py [FOLDER]. Needs PyTorch and NumPy; made with PyTorch 2.15.0.
"""

import collections
import pickle
import sys
from pathlib import Path


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


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "tests/golden/formats")
    (folder / "pickle").mkdir(parents=True, exist_ok=True)
    pickles(folder / "pickle")


main()
