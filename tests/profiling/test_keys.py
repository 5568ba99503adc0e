"""The fewest columns that tell rows apart, the likeliest of them, and whom rows are about."""

import itertools
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightjar.errors import SourceError
from nightjar.profiling import keys
from nightjar.profiling.columns import profile_file
from nightjar.profiling.keys import Codes, find_key
from nightjar.profiling.raw_file import open_raw
from profiling.profiles import proposed, write_csv

DAYS = [(date(2024, 1, 1) + timedelta(days=n)).isoformat() for n in range(80)]


def key(path, *clocks):
    with open_raw(str(path), "facts") as raw:
        look = profile_file(raw)
        return find_key(look, Codes(raw, look, np.ones(raw.rows, dtype=bool)), clocks)


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*[st.sampled_from("abc")] * 5), min_size=2, max_size=12))
def test_no_smaller_set_of_columns_tells_different_rows_apart(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(keys, "SAMPLE", 4)  # most sets are told from these rows not to be keys
    columns = dict(zip("vwxyz", map(list, zip(*rows, strict=True)), strict=True))
    sizes = [
        size
        for size in range(1, 6)
        for chosen in itertools.combinations(range(5), size)
        if len({tuple(row[place] for place in chosen) for row in rows}) == len(set(rows))
    ]
    path = write_csv(tmp_path / "facts.csv", columns)
    if sizes[0] == 5:
        with pytest.raises(SourceError, match="no 4 columns or fewer tell all"):
            key(path)
        return
    proposal = key(path)
    assert len(proposal) == sizes[0]
    assert len(set(zip(*(columns[name] for name in proposal), strict=True))) == len(set(rows))


def test_values_that_ingest_reads_as_equal_are_equal(tmp_path):
    path = write_csv(tmp_path / "facts.csv", {"no": ["1", "+1", "2"], "k": ["a", "b", "b"], "x": ["1.5", "2", "3"]})
    assert key(path) == ["no", "k"]


def test_an_amount_is_a_key_only_if_nothing_else_is(tmp_path):
    machines, at = ["m1", "m2"] * 3, [day for day in DAYS[:3] for _ in range(2)]
    columns = {"load": ["31", "77", "12", "905", "46", "58"], "machine": machines, "day": at}
    assert key(write_csv(tmp_path / "facts.csv", columns), "day") == ["machine", "day"]
    assert key(write_csv(tmp_path / "other.csv", columns | {"day": at[:1] * 6}), "day") == ["load"]
    numbered = {"n": list(map(str, range(1, 7)))}
    assert key(write_csv(tmp_path / "numbered.csv", columns | numbered), "day") == ["n"]


def test_rows_that_nothing_tells_apart_are_shown(tmp_path):
    columns = {"customer": ["a", "a", "b"], "day": DAYS[:1] * 3, "dollars": ["1.5", "2.5", "2.5"]}
    with pytest.raises(SourceError) as refused:
        proposed(write_csv(tmp_path / "facts.csv", columns))
    assert "tell all 3 different rows apart. The nearest, customer, day, leave 1 without" in str(refused.value)
    assert "customer=a, day=2024-01-01, dollars=1.5; customer=a, day=2024-01-01, dollars=2.5." in str(refused.value)
    assert "Add a column that names each row" in str(refused.value)


def test_whole_repetitions_of_a_row_are_one_fact(tmp_path):
    path = write_csv(tmp_path / "facts.csv", {"k": ["a", "b", "b"], "day": DAYS[:1] * 3})
    assert key(path, "day") == ["k"]


SALES = {
    "sale": [str(n) for n in range(160)],
    "day": [day for day in DAYS for _ in range(2)],
    "store": [f"s{n % 4}" for n in range(160)],
    "customer": [str(7 * n % 30) for n in range(160)],
    "count": [str(n % 50) for n in range(160)],
}


@pytest.mark.parametrize(
    ("columns", "entity"),
    [
        (("sale", "day", "store", "customer", "count"), ["customer"]),
        (("sale", "day", "store", "count"), ["store"]),
        (("sale", "day", "count"), []),
    ],
)
def test_a_fact_is_about_what_comes_again(tmp_path, columns, entity):
    proposal = proposed(write_csv(tmp_path / "facts.csv", {name: SALES[name] for name in columns}))
    assert (proposal.key, proposal.entity) == (["sale"], entity)


def test_an_amount_in_the_key_names_no_entity(tmp_path):
    """Two orders of a customer on one day, told apart by what they cost."""
    columns = {
        "day": [day for day in DAYS for _ in range(2)],
        "dollars": [str(n // 2 % 5 + 9 * (n % 2)) for n in range(160)],
        "customer": ["a", "a", "b", "b"] * 40,
    }
    proposal = proposed(write_csv(tmp_path / "facts.csv", columns))
    assert (proposal.key, proposal.entity) == (["day", "dollars"], ["customer"])


def test_one_row_a_day_is_a_series_and_a_panel_is_about_the_rest_of_its_key(tmp_path):
    kinds = [f"w{n % 3}" for n in range(80)]
    series = write_csv(tmp_path / "series.csv", {"day": DAYS, "weather": kinds, "x": [str(n % 7) for n in range(80)]})
    assert (proposed(series).key, proposed(series).entity) == (["day"], [])
    panel = {"day": DAYS * 2, "kind": ["a"] * 80 + ["b"] * 80, "x": [str(n % 9) for n in range(160)]}
    assert proposed(write_csv(tmp_path / "panel.csv", panel)).entity == ["kind"]
