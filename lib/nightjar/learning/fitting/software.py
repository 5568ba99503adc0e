"""What decides a fit's result apart from data, settings and seed: this code, and the packages that fit."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "imbalanced-learn", "torch")
"""Whose versions decide what a fit gives."""


@cache
def software() -> tuple[str, ...]:
    """The SHA-256 of Nightjar's own modules, and the versions of Python and of `PACKAGES`.

    The modules themselves, not their revision, which does not cover files changed since, nor a checkout without its
    repository.
    """
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for module in sorted(root.rglob("*.py")):
        contents = module.read_bytes()
        digest.update(f"{module.relative_to(root).as_posix()} {len(contents)}\n".encode() + contents)
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    return (f"nightjar {digest.hexdigest()}", f"python {platform.python_version()}", *versions)
