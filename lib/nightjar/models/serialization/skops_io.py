"""skops without PyTorch.

To list scikit-learn's estimators, skops imports every package of it, and one of them imports torch where that is
installed: seconds and hundreds of megabytes for each process that scores. Here an empty package takes its place.
"""

import sys
from importlib import import_module
from types import ModuleType

_OF_TORCH = "sklearn.externals.array_api_compat.torch"


def _import_skops() -> ModuleType:
    empty = ModuleType(_OF_TORCH)
    is_placed = sys.modules.setdefault(_OF_TORCH, empty) is empty
    try:
        return import_module("skops.io")
    finally:
        if is_placed:
            del sys.modules[_OF_TORCH]


skops_io = _import_skops()
