"""The examples in docstrings of the library run as they are written."""

import doctest
import importlib
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parent.parent / "lib"
MODULES = [
    ".".join(file.relative_to(LIB).with_suffix("").parts).removesuffix(".__init__")
    for file in sorted(LIB.rglob("*.py"))
    if ">>> " in file.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_stands_below_them(name):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
