#!/usr/bin/env python3
"""Reads the include lines under src/ and include/ and names each one that breaks the house rules.

check_includes.py ROOT: prints one line a finding and exits with 1 if there is any.
"""
import pathlib
import re
import sys

# An include points to its own folder or to a lower floor: never up, never to a neighbour on the same floor.
FLOORS = {
    "base": 1,
    "tensor": 2,
    "layers": 3,
    "image": 3,
    "formats": 3,
    "graph": 4,
    "model": 5,
    "passes": 6,
    "import": 7,
    "runtime": 7,
    "tasks": 8,
    "cli": 9,
}

# Each public header stands at the floor of the folder that implements it.
PUBLIC_HEADERS = {
    "alexnet.h": "tasks",
    "classifier.h": "tasks",
    "error.h": "base",
    "export.h": "base",
    "version.h": "tasks",
}

# Third-party headers, by how their path begins, and the only places that may see them.
CONFINED = {
    "dnnl": "src/runtime/onednn/",
    "oneapi/dnnl": "src/runtime/onednn/",
    "hwy/": "src/runtime/simd/",
    "cxxopts": "src/cli/",
    "spdlog/": "src/base/log.cc",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)")


def folder_of(path):
    """The folder of src/ that a project path belongs to: a file under the root, or what an include line names."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[:2] == ("include", "alexnet"):
        parts = parts[1:]
    if parts[0] == "alexnet":
        return PUBLIC_HEADERS.get("/".join(parts[1:]))
    if parts[0] == "src":
        parts = parts[1:]
    return parts[0] if len(parts) > 1 and parts[0] in FLOORS else None


def check_project_include(file, target):
    if "/" not in target:
        return f'"{target}" must be written with its folder'
    there = folder_of(target)
    if there is None:
        return f'"{target}" is in no folder of src/ and in no public header that tests/house/check_includes.py lists'
    here = folder_of(file)
    if file.startswith("include/") and not target.startswith("alexnet/"):
        return f'a public header must not include "{target}"'
    if there == here or FLOORS[there] < FLOORS[here]:
        return None
    direction = "up" if FLOORS[there] > FLOORS[here] else "sideways"
    return f'"{target}" points {direction}: {here} is floor {FLOORS[here]}, {there} is floor {FLOORS[there]}'


def check_foreign_include(file, target):
    if file.startswith("include/") and not re.fullmatch(r"[a-z_]+", target):
        return f"a public header must not include <{target}>"
    for start, place in CONFINED.items():
        if target.startswith(start) and not file.startswith(place):
            return f"<{target}> may be included only in {place}"
    if target == "nlohmann/json.hpp" and file.endswith(".h"):
        return "<nlohmann/json.hpp> costs a second wherever it is seen: a header includes base/json.h"
    return None


def findings(root):
    root = pathlib.Path(root)
    files = [path for top in ("src", "include") for path in sorted((root / top).rglob("*")) if path.suffix in (".h", ".cc")]
    for path in files:
        file = path.relative_to(root).as_posix()
        if folder_of(file) is None:
            yield f"{file}: in no folder that tests/house/check_includes.py gives a floor"
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            problem = None
            if match := INCLUDE.match(line):
                project = match[1] == '"'
                problem = (check_project_include if project else check_foreign_include)(file, match[2])
            elif (match := DEFINE.match(line)) and file.startswith("include/") and not match[1].startswith("ALEXNET_"):
                problem = f"a public header must not define {match[1]}"
            if problem:
                yield f"{file}:{number}: {problem}"


def main():
    problems = list(findings(sys.argv[1]))
    print("\n".join(problems) if problems else "every include points the right way")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
