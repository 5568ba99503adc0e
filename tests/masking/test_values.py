"""Values of sensitive columns: hidden in rows, tables and messages, and those of other columns shown."""

from dataclasses import replace

import pyarrow as pa
import pytest

import builders
from nightjar.masking.values import MASK, Masking, in_words, masking_of
from nightjar.settings.serving.serving import Serving

MASKING = Masking(frozenset({"district", "load", "income"}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2 rows at district=Old Town, day=2024-04-02.", "2 rows at district=(masked), day=2024-04-02."),
        ("column load holds 1.797e+308 in 2 rows", "column load holds (masked) in 2 rows"),
        ("machine=m2, load=3; machine=m4, load=4", "machine=m2, load=(masked); machine=m4, load=(masked)"),
        ("a row with income='1, 2' and (load=None)", "a row with income=(masked) and (load=(masked))"),
        ("load=1.5", "load=(masked)"),
        (
            "Column load of table features holds -31000, -5, null or NaN in 3 of 9 rows: expected an amount.",
            "Column load of table features holds (masked) in 3 of 9 rows: expected an amount.",
        ),
        (
            "Column load of table features, version 3 holds nan: x.",
            "Column load of table features, version 3 holds (masked): x.",
        ),
        ("The column load holds -3, and LOG takes numbers", "The column load holds (masked), and LOG takes numbers"),
        (
            "of id=7: stored load=41, rebuilt load=42. Were",
            "of id=7: stored load=(masked), rebuilt load=(masked). Were",
        ),
        ("spine.district=Est, spine.day=1", "spine.district=(masked), spine.day=1"),
        ("district=datetime.datetime(2024, 4, 3), load=4", "district=(masked), load=(masked)"),
        ("Of district=(masked 1) it cannot be said", "Of district=(masked 1) it cannot be said"),
        ("loads=4, upload=5, project.load=6, load is missing", "loads=4, upload=5, project.load=6, load is missing"),
        ("district=[a, b]\nload=7\nend", "district=(masked)\nload=(masked)\nend"),
        ("district=north. Nothing was written.", "district=(masked). Nothing was written."),
        ("A row at district=St. Mary, Old Town is there twice. Run: x", "A row at district=(masked)"),
        ("district=St. Mary. It is east; in x: y, day=3\nRun: x", "district=(masked), day=3\nRun: x"),
        ("(district=Dr. No in Kent) twice", "(district=(masked)) twice"),
        ("district=Lives in Kent. Works at night: alone", "district=(masked)"),
        ("load=2024-04-03 06:00:00+00:00. Were", "load=(masked). Were"),
    ],
)
def test_a_message_says_of_a_sensitive_column_no_value(text, shown):
    assert MASKING.text(text) == shown
    assert MASKING.text(shown) == shown
    assert Masking().text(text) == text


@pytest.mark.parametrize("value", ["St. Mary, x", "O'Brien; 2", "a 'b' \"c\", d", "in (x) in y: z", "", "plain"])
def test_a_value_in_words_is_masked_to_its_end(value):
    text = f"A row at {in_words({'district': value, 'day': 3})} is there twice."
    assert MASKING.text(text) == "A row at district=(masked), day=3 is there twice."


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
