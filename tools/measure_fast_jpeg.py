#!/usr/bin/env python3
"""What `--fast-jpeg` costs: measure_fast_jpeg.py ALEXNET FOLDER [--side 1100] [--every 2].

Enlarges every second picture of FOLDER (a folder a class, such as tiny-val) to JPEGs of SIDE x SIDE, as Pillow writes them in quality
90, and prints top-1 and top-5 with and without the option, in f32. Needs Pillow.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

from PIL import Image


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("alexnet")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--side", type=int, default=1100)
    parser.add_argument("--every", type=int, default=2)
    options = parser.parse_args()
    pictures = sorted(path for path in options.folder.rglob("*") if path.is_file())[:: options.every]
    with tempfile.TemporaryDirectory() as name:
        large = pathlib.Path(name)
        for path in pictures:
            target = (large / path.relative_to(options.folder)).with_suffix(".jpg")
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.open(path).convert("RGB").resize((options.side, options.side), Image.Resampling.BICUBIC).save(target, quality=90)
        for more in ([], ["--fast-jpeg"]):
            command = [options.alexnet, "evaluate", "-q", "-f", "json", "--precision", "f32", *more, name]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            shares = ", ".join(f"{top} {100 * found[top]['right'] / found['pictures']:.1f} %" for top in ("top1", "top5"))
            print(f"{' '.join(more) or 'without':12} {shares} of {found['pictures']} pictures of {options.side} x {options.side}")


if __name__ == "__main__":
    main()
