"""What a careful person writes to classify photographs with OpenVINO: Pillow, the network's preprocessing, an int8 network; with
--workers, decoding in other processes. The peer of `alexnet classify` in tools/bench_peers.py.
"""
import argparse
import multiprocessing
import pathlib

import numpy as np
import openvino
from PIL import Image

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
BATCH = 16


def load(path):
    picture = Image.open(path).convert("RGB")
    width, height = picture.size
    scale = 256 / min(width, height)
    picture = picture.resize((max(256, int(width * scale)), max(256, int(height * scale))), Image.BILINEAR)
    left, top = (picture.width - 227) // 2, (picture.height - 227) // 2
    pixels = np.asarray(picture.crop((left, top, left + 227, top + 227)), np.float32)
    return ((pixels / 255 - MEAN) / STD).transpose(2, 0, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    pictures = [line for word in args.pictures for line in
                (pathlib.Path(word[1:]).read_text().splitlines() if word.startswith("@") else [word])]
    core = openvino.Core()
    network = core.compile_model(core.read_model(args.model), "CPU", {"INFERENCE_NUM_THREADS": args.threads})

    def answer(batch, paths):
        scores = network(np.stack(batch))[0]
        for path, row in zip(paths, scores):
            print(path, *np.argsort(-row)[:5])

    def run(loaded):
        batch, paths = [], []
        for path, data in zip(pictures, loaded):
            batch.append(data), paths.append(path)
            if len(batch) == BATCH:
                answer(batch, paths)
                batch, paths = [], []
        if batch:
            answer(batch, paths)

    if args.workers:
        with multiprocessing.Pool(args.workers) as pool:
            run(pool.imap(load, pictures, chunksize=4))
    else:
        run(map(load, pictures))


if __name__ == "__main__":
    main()
