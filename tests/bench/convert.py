#!/usr/bin/env python3
"""What converting a large checkpoint costs, beside copying it and taking its digest, which any careful tool would do.

convert.py --alexnet build/release/bin/alexnet [FILE.pth] [--runs N]: without a file, torchvision's AlexNet is made with random weights
(244 MB; needs torch and torchvision). Times are the least of N runs, with the file in the page cache; everything is written to the folder
of FILE. Memory is the largest RssAnon that /proc showed, looked at every millisecond: pages of mapped files do not count.
Exits with 1 if converting takes more than 1.5 times as long as cp and openssl together, or 64 MB of memory.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

TIME_FACTOR = 1.5
MEMORY_BYTES = 64e6


def make(path):
    import torch
    import torchvision

    torch.manual_seed(1)
    torch.save(torchvision.models.alexnet().state_dict(), path)


def seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def anonymous_bytes(command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        except ProcessLookupError:
            break
        for line in status.splitlines():
            if line.startswith("RssAnon:"):
                most = max(most, int(line.split()[1]) * 1024)
        time.sleep(0.001)
    assert process.wait() == 0, command
    return most


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=pathlib.Path)
    parser.add_argument("--alexnet", required=True)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.file.parent if arguments.file else None) as folder:
        source = arguments.file or pathlib.Path(folder) / "alexnet.pth"
        if not arguments.file:
            make(source)
        out = pathlib.Path(folder) / "out"
        convert = [arguments.alexnet, "convert", source, "--no-golden", "-o", out]
        commands = {"cp": ["cp", source, out], "openssl dgst -sha256": ["openssl", "dgst", "-sha256", source], "alexnet convert": convert}
        least = dict.fromkeys(commands, float("inf"))
        for _ in range(arguments.runs):
            for name, command in commands.items():
                out.unlink(missing_ok=True)
                least[name] = min(least[name], seconds(command))
        memory = anonymous_bytes(convert)
        size = source.stat().st_size
    print(f"{source.name}: {size / 1e6:.0f} MB, least of {arguments.runs} runs")
    for name, value in least.items():
        print(f"  {value:6.3f} s  {name}")
    ratio = least["alexnet convert"] / (least["cp"] + least["openssl dgst -sha256"])
    print(f"  {ratio:6.2f}    convert / (cp + openssl), at most {TIME_FACTOR}")
    print(f"  {memory / 1e6:6.1f} MB of memory beyond mapped files, at most {MEMORY_BYTES / 1e6:.0f}")
    sys.exit(ratio > TIME_FACTOR or memory > MEMORY_BYTES)


if __name__ == "__main__":
    main()
