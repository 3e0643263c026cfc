"""The safetensors package reads a model file of ours: safetensors_package_test.py MODEL. Exit code 77 without the package."""
import json
import struct
import sys

try:
    import safetensors
except ImportError:
    print("needs the package safetensors")
    sys.exit(77)

path = sys.argv[1]
with open(path, "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
metadata = header.pop("__metadata__")
with safetensors.safe_open(path, "numpy") as model:
    assert sorted(model.keys()) == sorted(header), "other tensors"
    assert model.metadata() == metadata, "other metadata"
    for name in model.keys():
        assert model.get_slice(name).get_shape() == header[name]["shape"], name
        assert model.get_slice(name).get_dtype() == header[name]["dtype"], name
for key in metadata:
    json.loads(metadata[key])
begins = [entry["data_offsets"][0] for entry in header.values() if entry["dtype"] == "F32"]
assert all(begin % 4 == 0 for begin in begins), "floats that are not aligned"
print(f"{path}: {len(header)} tensors")
