"""Nightjar trains models and scores batches on a cluster, every night."""

import os

__version__ = "0.1.0"

THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
"""How the threads of numerical libraries share processors with other work; what the environment says already stays.

Threads that spin while they wait for each other take many times as long as one alone once other work keeps them from
running together. Those of OpenMP (scikit-learn, torch) sleep instead; OpenBLAS (NumPy, SciPy) has no such setting, and
one thread is best for the small matrices here. Arrow's threads sleep by themselves.

Libraries read this once, when they are loaded: so it stands here, before any module of ours can load one.
"""

for _name, _value in THREADS.items():
    os.environ.setdefault(_name, _value)
