"""Runs the README: each command of its console blocks must print what the block shows. (Its C++ example is built by
tests/install.)

Usage: check_readme.py REPOSITORY BUILD. A console block holds lines `$ COMMAND`, each followed by what it prints.
Commands run in the top folder with the build's programs in front of PATH and a scratch folder in OUT, which the block
shows as $OUT. Blocks that are not marked `console` are shown, not run.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sessions(block):
    """Pairs of a command and the lines it should print."""
    result = []
    for line in block.splitlines():
        if line.startswith("$ "):
            result.append((line[2:], []))
        elif not result:
            raise SystemExit(f"README.md: a console block begins with output: {line}")
        else:
            result[-1][1].append(line)
    return result


def comparable(lines, probabilities):
    """Long decimals to four places: their last ones depend on the processor. Without `probabilities` not even the first ones count."""
    if not probabilities:
        lines = [re.sub(r'("probability": )[\d.]+', r"\1P", line) for line in lines if not re.match(r" +\d+\.\d %", line)]
    return [re.sub(r"\d+\.\d{5,}", lambda number: f"{float(number[0]):.4f}", line.rstrip()) for line in lines]


def main():
    top, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    readme = (top / "README.md").read_text(encoding="utf-8")
    environment = {**os.environ, "PATH": f"{build / 'bin'}:{os.environ['PATH']}", "COLUMNS": "80"}
    # The README shows the embedded model in int8; where the processor makes it f32, probabilities differ.
    version = subprocess.run(["alexnet", "--version"], env=environment, text=True, capture_output=True, check=True).stdout
    probabilities = "computed in int8 by default" in version
    failed = passed = 0
    with tempfile.TemporaryDirectory() as scratch:
        environment["OUT"] = scratch
        for command, wanted in [session for block in blocks(readme, "console") for session in sessions(block)]:
            run = subprocess.run(command, shell=True, cwd=top, env=environment, text=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
            printed = run.stdout.replace(scratch, "$OUT").splitlines()
            if comparable(printed, probabilities) == comparable(wanted, probabilities):
                passed += 1
                continue
            failed += 1
            print(f"README.md: `{command}` (exit {run.returncode}) printed\n{run.stdout}instead of\n" + "\n".join(wanted))
    print(f"{passed} commands print what README.md shows, {failed} failures")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
