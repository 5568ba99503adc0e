"""What decides a fit's result apart from data, settings and seed: part of this code, and the packages that fit."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

CODE = ("compiled", "durations.py", "errors.py", "evaluation", "learning", "models", "settings", "timeline.py")
"""The modules and packages of Nightjar that decide what a fit gives.

Models, metrics and settings import nothing else of Nightjar. Learning also reads tables, starts Ray and registers, by
other packages: what it reads is part of a search's key by its contents, and the rest happens after the fits. So a
finished fold stays valid while a report, a table or a job changes.
"""
PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "imbalanced-learn", "lightgbm", "torch", "xgboost-cpu")
"""Whose versions decide what a fit gives."""


@cache
def software() -> tuple[str, ...]:
    """The hash of `CODE`, and the versions of Python and of `PACKAGES`."""
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    return (f"nightjar {code_hash(Path(__file__).parents[2])}", f"python {platform.python_version()}", *versions)


def code_hash(root: Path) -> str:
    """SHA-256 of the modules that `CODE` names.

    Their contents, not their revision: that does not cover files changed since, nor a checkout without its repository.

    Args:
        root: the folder of the library.
    """
    digest = hashlib.sha256()
    modules = [module for name in CODE for module in (root / name, *(root / name).rglob("*.py")) if module.is_file()]
    for module in sorted(modules):
        contents = module.read_bytes()
        digest.update(f"{module.relative_to(root).as_posix()} {len(contents)}\n".encode() + contents)
    return digest.hexdigest()
