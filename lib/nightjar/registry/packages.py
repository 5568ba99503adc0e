"""The packages that a saved model depends on, and whether this process has them in the same versions."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from nightjar.errors import ModelError

PYTHON = "python"
OF_EVERY_MODEL = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
OF_FILES = {".safetensors": ("safetensors", "torch"), "lightgbm.txt": ("lightgbm",), "xgboost.json": ("xgboost-cpu",)}
"""How the name of a file of a model ends -> the packages that it needs."""


def dependencies(files: Iterable[str]) -> dict[str, str]:
    """The packages that a model of such files, saved now, depends on: package -> version."""
    endings = {ending for ending in OF_FILES for file in files if file.endswith(ending)}
    names = OF_EVERY_MODEL + tuple(name for ending in sorted(endings) for name in OF_FILES[ending])
    return {PYTHON: platform.python_version(), **{name: version(name) for name in names}}


def require_same(saved: Mapping[str, str], where: str) -> None:
    """Check that each package is installed in the major and minor version with which the model was saved.

    Fitted models do not carry over from one minor version to another: they may fail to open, or predict otherwise.

    Raises:
        ModelError: names every package that differs, with both versions.
    """
    installed = _installed_versions(saved)
    lines = [
        f"{name} {saved[name]}, but here {installed[name] or 'it is not installed'}"
        for name in saved
        if _minor(saved[name]) != _minor(installed[name])
    ]
    if lines:
        raise ModelError(
            f"{where} was saved with {'; '.join(lines)}. Fitted models do not carry over from one minor version to "
            "another. Nothing was opened. Install those versions wherever it is opened, workers included, or train "
            "again with these."
        )


def _installed_versions(names: Iterable[str]) -> dict[str, str]:
    result = {}
    for name in names:
        try:
            result[name] = platform.python_version() if name == PYTHON else version(name)
        except PackageNotFoundError:
            result[name] = ""
    return result


def _minor(number: str) -> list[str]:
    """Major and minor: of 2.12.0+cu130 ["2", "12"]."""
    return number.partition("+")[0].split(".")[:2]
