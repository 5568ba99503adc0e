"""One name for one prediction: different questions never share it, the same question always has it."""

from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import assume, given
from hypothesis import strategies as st

from nightjar.scoring.identity import prediction_ids

TEXT = st.text(max_size=5)
VALUE = st.one_of(TEXT, st.integers(-(2**63), 2**63 - 1))
PAIRS = st.tuples(VALUE, VALUE)


def one_id(*values, names=("a", "b"), project="p"):
    columns = {name: pa.array([value]) for name, value in zip(names, values, strict=True)}
    return prediction_ids(project, pa.table(columns))[0]


def test_an_id_is_a_hash_and_stays_what_it_is():
    """Stored ids are looked up years later: another algorithm would be another id."""
    assert one_id(1, "x") == "fb20552c09867f7652106ab980a5b319cccebc4d94a1a4996643435e5c5a4275"


def test_neighbours_and_types_never_run_into_each_other():
    assert len({one_id(1, 11), one_id(11, 1), one_id("1", "11"), one_id("1", 11), one_id("11", "1")}) == 5
    assert one_id("", "ab") != one_id("a", "b") != one_id("ab", "")
    assert one_id(None, 1) != one_id("None", 1)


@given(PAIRS, PAIRS)
def test_different_values_have_different_ids(one, other):
    assume(one != other)
    assert one_id(*one) != one_id(*other)


@given(PAIRS, st.lists(TEXT.filter(bool), min_size=2, max_size=2, unique=True))
def test_names_and_project_are_part_of_it(values, names):
    assume(names != ["a", "b"])
    assert one_id(*values, names=names) != one_id(*values)
    assert one_id(*values, project="q") != one_id(*values)


@given(st.lists(st.tuples(TEXT, st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_a_row_s_id_does_not_depend_on_the_rows_around_it(rows):
    table = pa.table({"a": [row[0] for row in rows], "b": [row[1] for row in rows]})
    assert prediction_ids("p", table) == [one_id(*row) for row in rows]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001  (made aware below)
def test_an_instant_has_one_id_whatever_unit_arrow_holds_it_in(moment):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    ids = {
        prediction_ids("p", pa.table({"t": pa.array([moment], pa.timestamp(unit, "UTC"))}))[0]
        for unit in ("s", "ms", "us")
    }
    assert len(ids) == 1
