"""Writes tests/golden/formats/arrays: arrays as NumPy writes them, for the reader's and writer's tests.

Usage: make_arrays.py [FOLDER]. Made with NumPy 2.4.6; the bytes of .npy files have been the same since 1.23.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np

KINDS = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1", "|b1"]


def ramp(dtype, shape):
    """0, 1, 2, ... in row-major order; the tests know."""
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)


def write_version(path, array, version):
    with open(path, "wb") as file:
        np.lib.format.write_array(file, array, version=version)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "tests/golden/formats/arrays")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        np.save(folder / f"{np.dtype(kind).name}.npy", ramp(kind, (2, 3)))
    np.save(folder / "scalar.npy", ramp("<f4", ()))
    np.save(folder / "vector.npy", ramp("<f4", (5,)))
    np.save(folder / "empty.npy", ramp("<f4", (0, 3)))
    np.save(folder / "fortran.npy", np.asfortranarray(ramp("<f4", (2, 3, 4))))
    np.save(folder / "text.npy", np.array(["a", "", "Stra\u00dfe", "\u6f22\u5b57 \U0001f431", "bad \udcff byte"]))
    write_version(folder / "version2.npy", ramp("<f4", (2, 3)), (2, 0))
    write_version(folder / "version3.npy", ramp("<f4", (2, 3)), (3, 0))
    np.save(folder / "big_endian.npy", ramp(">f4", (2, 3)))
    np.save(folder / "complex.npy", ramp("<c8", (2, 3)))
    np.save(folder / "objects.npy", np.array([{}, None], dtype=object))
    np.save(folder / "structures.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))

    arrays = {"conv1": ramp("<f4", (1, 2, 3, 4)), "fc8": ramp("<f2", (1, 7)), "paths": np.array(["x.jpg", "y.jpg"])}
    np.savez(folder / "stored.npz", **arrays)
    np.savez_compressed(folder / "deflated.npz", **arrays)
    with zipfile.ZipFile(folder / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "not an array")


main()
