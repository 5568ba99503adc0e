"""The nearest name that there is."""

import pytest

from nightjar.settings.hints import hint, unknown_key


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("featurs", ["name", "features", "label"], "features"),
        ("roc_auc", ["ROC_AUC", "AVERAGE_PRECISION"], "ROC_AUC"),
        ("Weather", ["weather", "landings"], "weather"),
        ("colums", ["column", "columns"], "columns"),
        ("horizon", ["environment", "project", "run_date"], None),
        ("x", [], None),
        (1000.0, ["1000", "2000"], "1000"),
    ],
)
def test_a_near_name_is_asked_about_and_no_other(name, known, near):
    assert hint(name, known) == (f" (did you mean {near!r}?)" if near else "")


def test_a_key_is_told_with_its_whole_path_and_all_that_are_known_beside_it():
    assert unknown_key("a.b.colour", ["color", "c"]) == (
        "a.b.colour: there is no such key (did you mean 'color'?), expected one of ['color', 'c']"
    )
    assert unknown_key("lone", []) == "lone: there is no such key"
