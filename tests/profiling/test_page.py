"""The picture of a column shows the shares of its values."""

from collections import Counter
from datetime import date, timedelta

import pytest

from nightjar.profiling.page import render
from profiling.profiles import look, write_csv
from report.page import Page


def shape(path, texts):
    picture = look(write_csv(path / "facts.csv", {"x": texts, "k": ["a"] * len(texts)}))
    return picture.columns["x"].distribution


def drawn(shape):
    return {slot.label: pytest.approx(slot.night) for slot in shape.slots if slot.night}


def test_levels_and_whole_numbers_are_drawn_with_the_share_of_the_rows_that_have_a_value(tmp_path):
    for texts in (["b", "a", "b", "", "b"], ["2", "1", "2", "", "2"]):
        picture = shape(tmp_path, texts)
        share = Counter(text for text in texts if text)
        assert [slot.tick for slot in picture.slots] == (sorted(share) if "1" in share else ["b", "a"])
        assert sorted(slot.night for slot in picture.slots) == pytest.approx([0.25, 0.75])
        assert {slot.reference for slot in picture.slots} == {None}


def test_days_are_drawn_over_time(tmp_path):
    days = [(date(2024, 1, 1) + timedelta(days=n)).isoformat() for n in (0, 0, 0, 30, 39)]
    assert drawn(shape(tmp_path, days)) == {
        "2024-01-01 to 2024-01-03": 0.6, "2024-01-31 to 2024-02-02": 0.2, "2024-02-08 to 2024-02-10": 0.2,
    }  # fmt: skip


def test_names_that_hardly_come_again_and_what_never_changes_are_not_drawn(tmp_path):
    assert shape(tmp_path, [f"n{n}" for n in range(100)]) is None
    assert shape(tmp_path, ["NaN", "0.5", "0.5"]) is not None
    assert shape(tmp_path, ["7", "7"]) is None


def test_what_a_file_says_is_text_on_the_page(tmp_path):
    """Names, values and paths of a file are strangers' texts."""
    folder = tmp_path / "<b>"
    folder.mkdir()
    path = write_csv(folder / "a<i>.csv", {"<script>x": ["<img src=x>", "b"], "k": ["1", "2"]})
    page = Page(render(look(path)))
    assert not {"script", "img", "i"} & {tag for tag, _ in page.tags}
    assert [row["Column"] for row in page.table("What is counted")] == ["<script>x", "k"]
