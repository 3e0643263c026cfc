#!/usr/bin/env python3
"""Compares each precision of the default model with PyTorch in float64 and prints a table; tools/precisions.sh runs it.

precisions.py ALEXNET PYTHON FOLDER [--write]: FOLDER holds tiny-val/CLASS/*.JPEG and photos/CLASS_NAME.JPEG; PYTHON has PyTorch.
--write puts the table into README.md and the model card, between the lines that name this script.
"""
import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
MODEL = TOP / "models/alexnet-tiny200.safetensors"
SETS = {"tiny-val": lambda path: path.parent.name, "photos": lambda path: path.name.split("_")[0]}
DOCUMENTS = ["README.md", "models/alexnet-tiny200.md", "tools/alexnet-tiny200.card.md"]
BEGIN, END = "<!-- tools/precisions.sh writes this table -->", "<!-- its end -->"


def network_key(path):
    """A hash of what PyTorch's logits depend on: graph, preprocessing and weights."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    metadata, digest = header.pop("__metadata__"), hashlib.sha256()
    digest.update((metadata["alexnet.graph"] + metadata["alexnet.preprocess"]).encode())
    for name in sorted(name for name in header if not name.startswith("golden.")):
        begin, end = header[name]["data_offsets"]
        digest.update(name.encode() + data[8 + size + begin : 8 + size + end])
    return digest.hexdigest()[:16]


def truth(python, folder):
    """PyTorch's records, which take minutes and are kept in build/."""
    path = TOP / f"build/float64-{network_key(MODEL)}.jsonl"
    if not path.exists():
        partial = path.with_suffix(".part")
        subprocess.run([python, TOP / "tools/reference.py", MODEL, *(folder / name for name in SETS), "--logits", "--predictions", partial],
                       check=True)
        partial.rename(path)
    with open(path, encoding="utf-8") as lines:
        return records(lines)


def records(lines):
    return {Path(record["path"]).resolve(): record for record in map(json.loads, lines)}


def computed(alexnet, precision, pictures):
    """The records of a precision, or nothing if the engine does not compute in it here."""
    plan = json.loads(subprocess.run([alexnet, "inspect", "--json", "--plan", "--precision", precision], capture_output=True, check=True).stdout)
    if plan["plan"]["precision"] != precision:
        return None
    listed = "".join(f"{path}\0" for path in pictures).encode()
    run = subprocess.run([alexnet, "classify", "--precision", precision, "-f", "jsonl", "--logits", "--null", "@-"], input=listed,
                         stdout=subprocess.PIPE, check=True)
    return records(run.stdout.splitlines())


def ranked(record):
    logits = record["logits"]
    return sorted(range(len(logits)), key=lambda i: (-logits[i], i))


def row(name, pictures, ids, reference, found):
    count, right, right5, agreed, better, worse, furthest = len(pictures), 0, 0, 0, 0, 0, 0.0
    for path, wanted in pictures.items():
        ours, theirs = ranked(found[path]), ranked(reference[path])
        right += ids[ours[0]] == wanted
        right5 += wanted in (ids[i] for i in ours[:5])
        agreed += ours[0] == theirs[0]
        better += ids[ours[0]] == wanted != ids[theirs[0]]
        worse += ids[theirs[0]] == wanted != ids[ours[0]]
        a, b = found[path]["logits"], reference[path]["logits"]
        furthest = max(furthest, max(abs(x - y) for x, y in zip(a, b)) / max(map(abs, b)))
    shares = f"| {name} | {100 * right / count:.2f} % | {100 * right5 / count:.2f} % |"
    if found is reference:
        return shares + " | | |"
    return shares + f" {100 * agreed / count:.2f} % | {better} / {worse} | {furthest:.1e} |"


def table(alexnet, reference, folder, ids):
    sets = {name: {path.resolve(): of(path) for path in sorted((folder / name).rglob("*.JPEG"))} for name, of in SETS.items()}
    every = [path for pictures in sets.values() for path in pictures]
    if missing := [path for path in every if "logits" not in reference.get(path, {})]:
        sys.exit(f"the reference lacks {len(missing)} pictures, the first {missing[0]}")
    runs = {"PyTorch, float64": reference}
    for precision in ("f32", "bf16", "int8"):
        if found := computed(alexnet, precision, every):
            runs[precision] = found
        else:
            print(f"{precision}: the default model does not run in it on this machine", file=sys.stderr)
    lines = ["| computed in | top-1 | top-5 | top-1 as PyTorch | better / worse | logits differ by |",
             "|---|---|---|---|---|---|"]
    for name, pictures in sets.items():
        lines.append(f"| **{len(pictures):,} pictures of `{name}`** | | | | | |")
        lines += [row(run, pictures, ids, reference, found) for run, found in runs.items()]
    return "\n".join(lines)


def write(text):
    for document in DOCUMENTS:
        path = TOP / document
        old = path.read_text(encoding="utf-8")
        if old.count(BEGIN) != 1 or old.count(END) != 1:
            sys.exit(f"{document} must have one line `{BEGIN}` and one `{END}`")
        before, rest = old.split(BEGIN)
        path.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def main():
    alexnet, python, folder = sys.argv[1:4]
    inspected = subprocess.run([alexnet, "inspect", "--json"], capture_output=True, check=True).stdout
    ids = [label["id"] for label in json.loads(inspected)["labels"]]
    text = table(alexnet, truth(python, Path(folder)), Path(folder), ids)
    print(text)
    if "--write" in sys.argv[4:]:
        write(text)


if __name__ == "__main__":
    main()
