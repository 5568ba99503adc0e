"""Numerical libraries read how their threads share processors once, when they are loaded: our package comes first."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nightjar

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = [
    *(ROOT / "jobs").glob("*.py"),
    ROOT / "scripts" / "replaying.py",
    ROOT / "scripts" / "benches" / "run.py",
    ROOT / "scripts" / "benches" / "busy_training.py",
    ROOT / "tests" / "conftest.py",
]
LOADED = """
import sys
import nightjar
assert "numpy" not in sys.modules
import ctypes, importlib.util, json
from pathlib import Path
packages = Path(importlib.util.find_spec("torch").origin).parents[1]
openmp = [*packages.glob("torch/lib/libgomp*"), *packages.glob("scikit_learn.libs/libgomp*")]
for library in openmp:
    ctypes.CDLL(str(library))
import scipy.linalg, threadpoolctl
blas = [one["num_threads"] for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"]
print(json.dumps([[library.parts[-2] for library in openmp], blas]))
"""


@pytest.mark.parametrize(
    ("own", "policy", "blas"),
    [({}, "PASSIVE", 1), ({"OMP_WAIT_POLICY": "ACTIVE", "OPENBLAS_NUM_THREADS": "2"}, "ACTIVE", 2)],
    ids=["by default", "the user's own setting stays"],
)
def test_openmp_waits_asleep_and_blas_has_one_thread(own, policy, blas):
    """Each library says itself what it has read: those of scikit-learn and torch, of NumPy and SciPy."""
    environment = {name: value for name, value in os.environ.items() if name not in nightjar.THREADS}
    environment |= {"OMP_DISPLAY_ENV": "true", **own}
    ran = subprocess.run([sys.executable, "-c", LOADED], check=False, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    openmp, threads = json.loads(ran.stdout)
    assert sorted(openmp) == ["lib", "scikit_learn.libs"]
    assert ran.stderr.count(f"OMP_WAIT_POLICY = '{policy}'") == 2
    assert threads == [min(blas, len(os.sched_getaffinity(0)))] * 2


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.name)
def test_programs_import_the_package_before_any_library(program):
    imported = [node for node in ast.parse(program.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported]
    others = [name.split(".")[0] for name in names if name.split(".")[0] not in sys.stdlib_module_names]
    assert others[0] == "nightjar"
