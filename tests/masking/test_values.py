"""Values of sensitive columns: hidden in rows, tables and messages, and those of other columns shown."""

from dataclasses import replace

import pyarrow as pa
import pytest

import builders
from nightjar.masking.values import MASK, Masking, masking_of
from nightjar.settings.serving.serving import Serving

MASKING = Masking(frozenset({"district", "load", "income"}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2 rows at district=Old Town, day=2024-04-02.", "2 rows at district=(masked), day=2024-04-02."),
        ("column load holds 1.797e+308 in 2 rows", "column load holds (masked) in 2 rows"),
        (
            "Column load of table features holds -3, null or NaN in 2 rows",
            "Column load of table features holds (masked) in 2 rows",
        ),
        ("load of table t, version 3 holds inf: expected", "load of table t, version 3 holds (masked): expected"),
        ("column load holds 'in, a', 'b' in 2 rows", "column load holds (masked) in 2 rows"),
        (
            "of id=7: stored load=41, rebuilt load=42. Were",
            "of id=7: stored load=(masked), rebuilt load=(masked). Were",
        ),
        ("at spine.district=Old Town, day=1", "at spine.district=(masked), day=1"),
        ("machine=m2, load=3; machine=m4, load=4", "machine=m2, load=(masked); machine=m4, load=(masked)"),
        ("a row with income='1, 2' and (load=None)", "a row with income=(masked) and (load=(masked))"),
        ("load=1.5", "load=(masked)"),
        ("Of district=(masked 1) it cannot be said", "Of district=(masked 1) it cannot be said"),
        ("loads=4, upload=5, project.load=6, load is missing", "loads=4, upload=5, project.load=6, load is missing"),
        ("district=[a, b]\nload=7\nend", "district=(masked)\nload=(masked)\nend"),
    ],
)
def test_a_message_says_of_a_sensitive_column_no_value(text, shown):
    assert MASKING.text(text) == shown
    assert MASKING.text(shown) == shown
    assert Masking().text(text) == text


def test_rows_have_a_mask_in_place_of_it_whatever_its_type_and_under_the_names_that_files_give_it():
    rows = pa.table({"district": [1, None], "feature income": [0.5, 1.5], "load (column)": ["x", "y"], "load": [1, 2]})
    hidden = MASKING.table(rows).to_pylist()
    assert hidden == [
        {"district": MASK, "feature income": MASK, "load (column)": MASK, "load": computed} for computed in (1, 2)
    ]
    assert MASKING.row({"load": None, "site": "n"}) == {"load": MASK, "site": "n"}


def test_a_feature_of_a_group_hides_the_column_that_it_is_made_of(tmp_path):
    project = builders.machines(tmp_path)
    for sensitive, hidden in (["temperature__mean_1d"], {"temperature"}), (["load"], set()):
        masking = masking_of(replace(project, serving=Serving(sensitive=sensitive)))
        assert masking.columns == {*sensitive, *hidden}
