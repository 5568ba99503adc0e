"""What voids the finished folds of a search: a change of the code that decides a fit, and of no other."""

import shutil
from pathlib import Path

import pytest

import nightjar
import test_architecture
from nightjar.learning.fitting.software import CODE, code_hash

LIB = Path(nightjar.__file__).parent


@pytest.mark.parametrize(
    ("module", "decides"),
    [
        ("models/estimators.py", True),
        ("learning/fitting/fit.py", True),
        ("learning/new.py", True),
        ("evaluation/metrics.py", True),
        ("settings/model.py", True),
        ("timeline.py", True),
        ("report/night.py", False),
        ("tables/maintenance.py", False),
        ("pipeline/execution.py", False),
        ("models/notes.txt", False),
    ],
)
def test_a_word_in_a_module_changes_the_hash_where_it_decides_a_fit(tmp_path, module, decides):
    root = tmp_path / "nightjar"
    for name in CODE:
        copy = shutil.copytree if (LIB / name).is_dir() else shutil.copy
        root.mkdir(exist_ok=True)
        copy(LIB / name, root / name)
    before = code_hash(root)
    assert before == code_hash(LIB)
    path = root / module
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "# a word\n")
    assert (code_hash(root) != before) is decides


def test_models_metrics_and_settings_import_nothing_that_is_not_hashed():
    hashed = {name.removesuffix(".py") for name in CODE}
    for module in test_architecture.MODULES:
        if test_architecture.part_of(module) in hashed - {"learning"}:
            assert test_architecture.parts_imported(module) <= hashed, module
