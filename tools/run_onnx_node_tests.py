#!/usr/bin/env python3
"""Runs the backend tests that the onnx wheel carries through `alexnet run`, and says by name what passes, fails and is skipped.

run_onnx_node_tests.py --alexnet build/release/src/cli/alexnet [--all] [NAME...]

Needs onnx and numpy; exits with 77 when onnx is not installed. Taken are the node tests whose operators docs/onnx.md lists, whose
run-time inputs are all float tensors of rank 2 to 4 (of normalisations, also parameters of rank 1) and whose outputs are all
float; --all takes every test whose inputs are arrays of numbers, whatever its operators. The light models of the suite are taken too; of them only those of LIGHT must pass. The
expected values and tolerances are the suite's. Exits with 1 if a test that must pass does not.
"""
import argparse
import fnmatch
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnx.backend.test.loader
    from onnx import TensorProto, numpy_helper
except ImportError:
    print("skipped: onnx is not installed")
    sys.exit(77)

OPERATORS = {
    "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "Conv", "Dropout", "Flatten", "Gemm",
    "GlobalAveragePool", "GlobalMaxPool", "GroupNormalization", "Identity", "InstanceNormalization", "LRN", "LayerNormalization",
    "MatMul", "MaxPool", "Mul", "Pad", "Relu", "Reshape", "Slice", "Softmax", "Split", "Sub", "Transpose",
}
NORMALISATIONS = {"BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization"}
LIGHT = {"light_bvlc_alexnet"}
# What is known not to pass, and why; docs/onnx.md has the same list.
REASONS = {
    "test_batchnorm_*_training_mode": "statistics of the batch",
    "test_constant": "a network without inputs",
    "test_dropout_default_mask": "a second output, of truth values",
    "test_layer_normalization_*": "further outputs, of statistics",
    "test_maxpool_with_argmax_2d_precomputed_*": "a second output, of places",
}


def known_reason(name):
    return next((why for pattern, why in REASONS.items() if fnmatch.fnmatchcase(name, pattern)), None)


def is_wanted(model):
    """Whether the test is one of those that must pass: see the top of this file."""
    operators = {node.op_type for node in model.graph.node}
    if not operators <= OPERATORS or any(node.domain not in ("", "ai.onnx") for node in model.graph.node):
        return False
    for i, value in enumerate(model.graph.input):
        tensor = value.type.tensor_type
        lowest = 1 if i > 0 and operators <= NORMALISATIONS else 2
        if tensor.elem_type != TensorProto.FLOAT or not lowest <= len(tensor.shape.dim) <= 4:
            return False
    return all(value.type.tensor_type.elem_type in (TensorProto.FLOAT, TensorProto.BOOL, TensorProto.INT64) for value in model.graph.output)


def arrays_of(values):
    """Arrays from a test's inputs or outputs; None if one is something else."""
    result = []
    for value in values:
        if isinstance(value, (list, dict)) or value is None:
            return None
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            return None
        result.append(array)
    return result


def run(alexnet, folder, model_path, names, inputs):
    """The outputs in order, or the message with which alexnet refuses."""
    command = [alexnet, "run", "-m", str(model_path), "-o", str(folder / "out.npz")]
    for i, (name, array) in enumerate(zip(names, inputs)):
        np.save(folder / f"{i}.npy", array)
        command += ["--input", f"{name}={folder / f'{i}.npy'}"]
    (folder / "out.npz").unlink(missing_ok=True)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip() or f"exit code {done.returncode}"
    with np.load(folder / "out.npz") as out:
        return {name: out[name] for name in out.files}


def difference(model, found, expected, rtol, atol):
    """What is wrong with the outputs; empty if nothing is."""
    for value, wanted in zip(model.graph.output, expected):
        if value.name not in found:
            return f"no output {value.name}"
        got = found[value.name]
        if got.shape != wanted.shape:
            return f"{value.name} has shape {got.shape}, wanted {wanted.shape}"
        if not np.allclose(got.astype(np.float64), wanted.astype(np.float64), rtol=rtol, atol=atol, equal_nan=True):
            return f"{value.name} differs by up to {np.nanmax(np.abs(got.astype(np.float64) - wanted)):.3g}"
    return ""


def light_cases():
    """The light models: weights are made by ConstantOfShape, the input is ones, the output is beside the model."""
    folder = pathlib.Path(onnx.backend.test.loader.DATA_DIR) / "light"
    for path in sorted(folder.glob("*.onnx")):
        model = onnx.load(path)
        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / f"{path.stem}_output_0.pb").read_bytes())
        defaults = {each.name for each in model.graph.initializer}
        inputs = []
        for value in model.graph.input:
            if value.name not in defaults:
                inputs.append(np.ones([d.dim_value for d in value.type.tensor_type.shape.dim], dtype=np.float32))
        yield path.stem, model, inputs, [numpy_helper.to_array(tensor)], 1e-3, 1e-7


def node_cases():
    for case in onnx.backend.test.loader.load_model_tests(kind="node"):
        if case.model is None:
            continue
        for inputs, outputs in case.data_sets:
            inputs, outputs = arrays_of(inputs), arrays_of(outputs)
            if inputs is not None and outputs is not None:
                yield case.name, case.model, inputs, outputs, case.rtol, case.atol


def stored_cases(kind):
    for case in sorted(onnx.backend.test.loader.load_model_tests(kind=kind), key=lambda case: case.name):
        folder = pathlib.Path(case.model_dir)
        for data in sorted(folder.glob("test_data_set_*")):
            try:
                arrays = []
                for what in ("input", "output"):
                    tensors = [onnx.load_tensor(data / f"{what}_{i}.pb") for i in range(len(list(data.glob(f"{what}_*.pb"))))]
                    arrays.append([numpy_helper.to_array(tensor) for tensor in tensors])
            except Exception:  # sequences and text, which are no tensors
                continue
            if all(arrays_of(each) is not None for each in arrays):
                yield f"{kind}/{case.name}", onnx.load(folder / "model.onnx"), arrays[0], arrays[1], case.rtol, case.atol


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alexnet", default="alexnet")
    parser.add_argument("--all", action="store_true", help="every test with arrays of numbers, whatever its operators")
    parser.add_argument("names", nargs="*", help="only these tests")
    options = parser.parse_args()
    counts = {"pass": 0, "FAIL": 0, "skip": 0}
    must_fail = 0
    cases = [*node_cases(), *light_cases()]
    if options.all:
        cases += [*stored_cases("simple"), *stored_cases("pytorch-operator"), *stored_cases("pytorch-converted")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, model, inputs, outputs, rtol, atol in cases:
            if options.names and name not in options.names:
                continue
            must = name in LIGHT or (not name.startswith("light_") and "/" not in name and is_wanted(model))
            if not must and not options.all and not options.names:
                continue
            onnx.save(model, folder / "model.onnx")
            defaults = {each.name for each in model.graph.initializer}
            names = [value.name for value in model.graph.input if value.name not in defaults]
            found = run(options.alexnet, folder, folder / "model.onnx", names, inputs)
            wrong = found if isinstance(found, str) else difference(model, found, outputs, rtol, atol)
            if not wrong:
                verdict = "pass"
            elif known_reason(name):
                verdict, wrong = "skip", known_reason(name)
            elif must:
                verdict = "FAIL"
                must_fail += 1
            else:
                verdict = "skip" if isinstance(found, str) else "FAIL"
            counts[verdict] += 1
            print(f"{verdict} {name}{': ' + wrong if wrong else ''}")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 1 if must_fail else 0


if __name__ == "__main__":
    sys.exit(main())
