"""Goes on in a Python that has what the reference needs: this one, the one that PYTHON names, or tools/reference.sh's own. Without
any, the test is skipped (exit code 77)."""
import importlib.util
import os
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools"))


def go_on():
    if importlib.util.find_spec("torch") is not None:
        return
    for python in (os.environ.get("PYTHON"), TOP / "build/reference/bin/python"):
        if python and os.path.exists(python) and os.path.realpath(sys.prefix) != os.path.realpath(Path(python).parent.parent):
            os.execv(python, [str(python), "-B", *sys.argv])
    print("skipped: needs PyTorch, which tools/reference.sh installs")
    sys.exit(77)
