#!/usr/bin/env python3
"""Runs a model file of this project in another framework and writes what that computes: activations (docs/reference-dump.md)
and predictions (docs/records.md). tools/reference.sh installs what it needs and runs it.
"""
import argparse
import base64
import json
import os
import pathlib
import sys

import numpy as np
import PIL.Image
import torch

import model_file

BATCH = 16
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm"}


def pytorch(model, dtype):
    network = model.network(dtype)

    @torch.inference_mode()
    def run(data):
        return {name: output.numpy() for name, output in network(torch.from_numpy(data).to(dtype)).items()}

    return run


def onnx_model(model):
    import onnx_network

    network = model.network(torch.float32)
    with torch.inference_mode():
        outputs = network(torch.zeros(1, *model.graph["inputs"][0]["shape"]))
    return onnx_network.exported(model.graph, network.parameter, {name: tuple(output.shape) for name, output in outputs.items()})


def named(model, data, outputs):
    names = [layer["name"] for layer in model.graph["layers"]]
    return {model.graph["inputs"][0]["name"]: data, **dict(zip(names, outputs))}


def onnx_runtime(model):
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_model(model).SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda data: named(model, data, session.run(None, {session.get_inputs()[0].name: data}))


def open_vino(model):
    import openvino

    core = openvino.Core()
    # Without the hint OpenVINO computes in bf16 where the processor has it.
    compiled = core.compile_model(core.read_model(onnx_model(model).SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda data: named(model, data, [output.copy() for output in compiled(data).values()])


def open_cv(model):
    import cv2

    network = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_model(model).SerializeToString(), np.uint8))
    names = [layer["name"] for layer in model.graph["layers"]]

    def run(data):
        network.setInput(data)
        return named(model, data, [output.copy() for output in network.forward(names)])

    return run


FRAMEWORKS = {"pytorch": pytorch, "onnxruntime": onnx_runtime, "openvino": open_vino, "opencv": open_cv}


def pictures(operands):
    for operand in map(pathlib.Path, operands):
        if operand.is_dir():
            yield from sorted(path for path in operand.rglob("*") if path.suffix.lower() in SUFFIXES)
        else:
            yield operand


def failure(error):
    """The `error` of a record, with Pillow's words; kinds as docs/errors.md has them."""
    kind = "corrupt"
    if isinstance(error, FileNotFoundError):
        kind = "not_found"
    elif isinstance(error, (PermissionError, IsADirectoryError)):
        kind = "unreadable"
    elif isinstance(error, PIL.UnidentifiedImageError):
        kind = "unknown_format"
    elif isinstance(error, PIL.Image.DecompressionBombError):
        kind = "too_large"
    elif "truncated" in str(error):
        kind = "truncated"
    return {"kind": kind, "message": str(error)}


def named_path(path):
    name = os.fspath(path)
    record = {"path": os.fsencode(name).decode("utf-8", "replace")}
    if record["path"] != name:
        record["path_base64"] = base64.b64encode(os.fsencode(name)).decode()
    return record


def shortest(value):
    """The float whose decimals are the fewest that read back to the same 32 bits."""
    return float(str(np.float32(value)))


def record(path, picture, scores, labels, arguments):
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    best = np.argsort(-shares, kind="stable")[: arguments.top]
    top = [{"index": int(i), "id": "", "label": "", **(labels[i] if labels else {}), "probability": shortest(shares[i])} for i in best]
    result = {**named_path(path), "top": top, "width": picture.width, "height": picture.height}
    if arguments.logits:
        result["logits"] = [shortest(score) for score in scores]
    return result


class Dump:
    """What an activation dump holds, batch by batch."""

    def __init__(self, layers, with_images):
        self.layers, self.with_images = layers, with_images
        self.rows, self.images, self.paths = {}, {}, []

    def add(self, outputs, paths):
        for name in self.layers or outputs:
            self.rows.setdefault(name, []).append(outputs[name])
        for path in paths:
            if self.with_images:
                self.images[f"images/{len(self.paths)}"] = np.fromfile(path, np.uint8)
            self.paths.append(os.fspath(path))

    def save(self, path):
        arrays = {name: np.concatenate(rows) for name, rows in self.rows.items()}
        np.savez(path, **arrays, **self.images, paths=np.array(self.paths))


def parsed():
    parser = argparse.ArgumentParser(prog="tools/reference.sh", description=__doc__)
    parser.add_argument("model", metavar="MODEL", help="a model file, such as models/alexnet-tiny200.safetensors")
    parser.add_argument("pictures", metavar="PICTURE", nargs="+", help="a picture, or a folder that is searched for pictures")
    parser.add_argument("--framework", choices=FRAMEWORKS, default="pytorch")
    parser.add_argument("--dtype", choices=["float64", "float32"], help="what PyTorch computes in (float64); the others have float32 alone")
    parser.add_argument("--activations", metavar="OUT.npz", help="the outputs of all layers, and `data`; the pictures' results are held in memory")
    parser.add_argument("--layers", metavar="NAME,...", help="of these layers alone (`data` is always there)")
    parser.add_argument("--images", action="store_true", help="put the pictures' files into the activations, so that preprocessing can be judged")
    parser.add_argument("--predictions", metavar="OUT.jsonl", help="a record a picture; - is standard output")
    parser.add_argument("--top", type=int, default=5, help="classes of a record (5)")
    parser.add_argument("--logits", action="store_true", help="put all scores into the records")
    parser.add_argument("--export", metavar="OUT.onnx", help="the ONNX model that the other frameworks are given")
    arguments = parser.parse_args()
    if not (arguments.activations or arguments.predictions or arguments.export):
        parser.error("nothing to write: name --activations, --predictions or --export")
    if arguments.dtype and arguments.framework != "pytorch":
        parser.error("--dtype is for --framework pytorch")
    return arguments


def run_pictures(arguments, model, run, out):
    """Returns the dump, if one is wanted, and how many pictures could not be used."""
    data_name = model.graph["inputs"][0]["name"]
    layers = [data_name, *arguments.layers.split(",")] if arguments.layers else None
    known = {data_name, *(layer["name"] for layer in model.graph["layers"])}
    if unknown := set(layers or []) - known:
        sys.exit(f"{arguments.model} has no layer {', '.join(sorted(unknown))}")
    scores_name = model.network(torch.float32).scores
    dump = Dump(layers, arguments.images) if arguments.activations else None
    failed, batch = 0, []

    def flush():
        good = [entry for entry in batch if "error" not in entry]
        outputs = run(np.stack([entry["data"] for entry in good])) if good else {}
        if dump and good:
            dump.add(outputs, [entry["path"] for entry in good])
        rows = iter(np.asarray(outputs.get(scores_name, []), np.float64))
        for entry in batch if out else []:
            if "error" in entry:
                line = {**named_path(entry["path"]), "error": entry["error"]}
            else:
                line = record(entry["path"], entry["picture"], next(rows), model.labels, arguments)
            print(json.dumps(line, ensure_ascii=False), file=out)
        batch.clear()

    for path in pictures(arguments.pictures):
        entry = {"path": path}
        try:
            with PIL.Image.open(path) as picture:
                entry["picture"] = picture.convert("RGB")
            entry["data"] = model.preprocess(entry["picture"]).numpy()
        except (OSError, ValueError, PIL.Image.DecompressionBombError) as error:
            failed += 1
            entry["error"] = failure(error)
            print(f"{path}: {error}", file=sys.stderr)
        batch.append(entry)
        if len(batch) == BATCH:
            flush()
    flush()
    return dump, failed


def main():
    arguments = parsed()
    model = model_file.Model(arguments.model)
    if arguments.export:
        import onnx

        onnx.save(onnx_model(model), arguments.export)
    if not (arguments.activations or arguments.predictions):
        return
    if arguments.framework == "pytorch":
        run = pytorch(model, getattr(torch, arguments.dtype or "float64"))
    else:
        run = FRAMEWORKS[arguments.framework](model)
    if arguments.predictions in (None, "-"):
        dump, failed = run_pictures(arguments, model, run, sys.stdout if arguments.predictions else None)
    else:
        with open(arguments.predictions, "w", encoding="utf-8") as out:
            dump, failed = run_pictures(arguments, model, run, out)
    if dump:
        dump.save(arguments.activations)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
