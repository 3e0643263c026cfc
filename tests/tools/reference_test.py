#!/usr/bin/env python3
"""What tools/reference.py writes for the sample photographs, in each framework, is what the command ALEXNET gives for them.

reference_test.py ALEXNET"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from reference_python import TOP, go_on

go_on()

import numpy as np

# The engine and most frameworks compute in float32: sums of some thousand products, each rounded to 6e-8.
ALLOWED = 1e-5
MODEL = TOP / "models/alexnet-tiny200.safetensors"
PICTURES = [str(TOP / "data" / name) for name in ("coffee.jpg", "camera.png", "missing.jpg", "README.md", "rocket.jpg")]


def run(*command, expected=1):
    """1: two of the pictures are none."""
    finished = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if finished.returncode != expected:
        sys.exit(f"{command} ended with {finished.returncode}:\n{finished.stderr}")
    return finished.stdout


def differences(ours, theirs):
    """What two records of one picture do not agree in."""
    if list(ours) != list(theirs):
        yield f"keys {list(ours)} and {list(theirs)}"
    elif "error" in ours:
        if ours["error"]["kind"] != theirs["error"]["kind"]:
            yield f"error {ours['error']} and {theirs['error']}"
    else:
        classes = [[(entry["index"], entry["id"], entry["label"]) for entry in record["top"]] for record in (ours, theirs)]
        a, b = (np.array(record["logits"]) for record in (ours, theirs))
        shares = [np.array([entry["probability"] for entry in record["top"]]) for record in (ours, theirs)]
        if classes[0] != classes[1]:
            yield f"classes {classes}"
        if np.abs(a - b).max() > ALLOWED * np.abs(b).max():
            yield f"logits, by {np.abs(a - b).max()}"
        if np.abs(shares[0] - shares[1]).max() > 3 * ALLOWED * np.abs(b).max():  # e^logit moves as the logit does
            yield f"probabilities {shares}"
        if (ours["width"], ours["height"]) != (theirs["width"], theirs["height"]):
            yield "size"


def main():
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        ours = [json.loads(line) for line in run(sys.argv[1], "classify", "--precision", "f32", "-f", "jsonl", "--logits", *PICTURES).splitlines()]
        run(sys.argv[1], "features", "--precision", "f32", "--layer", "data,conv1,norm1,fc7.relu", "-o", f"{scratch}/ours.npz", *PICTURES)
        features = np.load(f"{scratch}/ours.npz")
        for framework in ("pytorch", "onnxruntime", "openvino", "opencv"):
            dump = f"{scratch}/{framework}.npz"
            out = run(sys.executable, TOP / "tools/reference.py", MODEL, *PICTURES, "--framework", framework, "--predictions", "-", "--logits",
                      "--activations", dump, "--images")
            theirs = [json.loads(line) for line in out.splitlines()]
            if len(ours) != len(theirs):
                failed.append(f"{framework}: {len(theirs)} records, not {len(ours)}")
            failed += [f"{framework}: {a['path']}: {what}" for a, b in zip(ours, theirs) for what in differences(a, b)]
            arrays = np.load(dump)
            for name in features.files:
                if name == "paths":
                    if list(arrays[name]) != list(features[name]):
                        failed.append(f"{framework}: paths {arrays[name]}")
                elif arrays[name].shape != features[name].shape or np.abs(arrays[name] - features[name]).max() > ALLOWED * np.abs(arrays[name]).max():
                    failed.append(f"{framework}: {name} differs")
            if arrays["images/1"].tobytes() != Path(PICTURES[1]).read_bytes():
                failed.append(f"{framework}: images/1 is not the second picture that could be used")
            run(sys.argv[1], "compare", "--reference", dump, expected=0)
    print("\n".join(failed) or f"{len(ours)} records agree")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
