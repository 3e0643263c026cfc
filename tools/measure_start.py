#!/usr/bin/env python3
"""How long `alexnet classify PICTURE` takes as a whole process, and how much memory it has at most, with and without prepared weights.

    tools/measure_start.py [--rounds N] [--folder FOLDER]

The embedded model, and `paper` with random weights (made in FOLDER, 250 MB) stored as f32, f16 and int8; a picture of data/; files in
the page cache. Needs NumPy, safetensors and torch: build/reference/bin/python, which tools/bench_peers.sh makes, has them.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALEXNET = ROOT / "build/release/bin/alexnet"
PICTURE = ROOT / "data/chelsea.jpg"


def models(folder):
    """Name, arguments, and bytes of weights of each case."""
    sys.path.insert(0, str(ROOT / "tools"))
    import bench_peers

    paper = folder / "f32.safetensors"
    if not paper.exists():
        bench_peers.write_random("paper", paper)
    yield "default model", [], (ROOT / "models/alexnet-tiny200.safetensors").stat().st_size
    for storage in ("f32", "f16", "int8"):
        path = folder / f"{storage}.safetensors"
        more = ["--calibrate", ROOT / "data"] if storage == "int8" else []
        if not path.exists():
            subprocess.run([ALEXNET, "convert", paper, "--weights", storage, *more, "-o", path], check=True, stdout=subprocess.DEVNULL)
        yield f"paper, weights as {storage}", ["-m", path], path.stat().st_size


def run(arguments, cache):
    """Seconds, and bytes of memory at most."""
    with open(os.devnull, "w") as nothing:
        start = time.perf_counter()
        process = subprocess.Popen([ALEXNET, "classify", *arguments, PICTURE], stdout=nothing, env={**os.environ, "ALEXNET_CACHE": cache})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"alexnet ended with {process.returncode}")
    return seconds, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=pathlib.Path, help="where models are made, and stay (default: one that is removed)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or pathlib.Path(temporary)
        cases = list(models(folder))
        cache = str(pathlib.Path(temporary) / "cache")
        print(f"load {os.getloadavg()[0]:.2f}; {options.rounds} rounds, in turns")
        print()
        print("| model | prepared weights | ms, median | least | peak memory, MB | allowed: 64 MB + 1.3 x weights |")
        print("|---|---|---|---|---|---|")
        for name, arguments, weights in cases:
            taken = {"off": [], cache: []}
            run(arguments, cache)  # makes them
            for _ in range(options.rounds):
                for where, results in taken.items():
                    results.append(run(arguments, where))
            for where, results in taken.items():
                seconds = [1e3 * result[0] for result in results]
                peak = max(result[1] for result in results)
                print(f"| {name} | {'none' if where == 'off' else 'mapped'} | {statistics.median(seconds):.1f} | {min(seconds):.1f} "
                      f"| {peak / 1e6:.0f} | {64 + 1.3 * weights / 1e6:.0f} |")


if __name__ == "__main__":
    main()
