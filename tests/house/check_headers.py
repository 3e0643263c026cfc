#!/usr/bin/env python3
"""Compiles every header by itself: check_headers.py ROOT BUILD.

Headers of src/ with the flags of the library's own sources, public ones with a C++20 compiler and nothing else.
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def library_flags(root, build):
    """The include folders, definitions and language options of some source of the library."""
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        if pathlib.Path(entry["file"]) == root / "src/base/error.cc":
            words = shlex.split(entry["command"])
            compiler = next(word for word in words if word.endswith(("c++", "g++", "clang++")) or "g++-" in word)
            words = words[words.index(compiler):]
            kept = [word for word in words[1:] if word.startswith(("-I", "-D", "-std", "-f"))]
            systems = [word for index, word in enumerate(words) if "-isystem" in (word, words[index - 1])]
            return compiler, kept + systems
    sys.exit("compile_commands.json does not list src/base/error.cc")


def main():
    root, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    compiler, flags = library_flags(root, build)
    public = sorted((root / "include").rglob("*.h"))
    private = sorted((root / "src").rglob("*.h"))
    jobs = [(path, ["-std=c++20", f"-I{root / 'include'}"]) for path in public] + [(path, flags) for path in private]

    def compile_alone(job):
        path, options = job
        # Included from a nameless file, so that nothing comes before it and its #pragma once is no warning.
        return path, subprocess.run(
            [compiler, *options, "-fsyntax-only", "-x", "c++", "-"],
            input=f'#include "{path}"\n#include "{path}"\n', text=True, stderr=subprocess.PIPE, check=False)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for path, result in pool.map(compile_alone, jobs):
            if result.returncode != 0:
                failed += 1
                print(f"{path.relative_to(root)} does not compile alone:\n{result.stderr}")
    print(f"{len(jobs)} headers, {failed} do not compile alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
