"""The program behind scripts/new_project: the command `nightjar new-project`, for this checkout."""

import sys
from functools import partial
from pathlib import Path

from nightjar.__main__ import run
from nightjar.profiling.command import new_project

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    name = "scripts/new_project"
    run(name, partial(new_project, sys.argv[1:], name, ROOT, "scripts/nightly"))
