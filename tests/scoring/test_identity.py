"""One name for one prediction: different questions never share it, the same question always has it."""

from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import assume, given
from hypothesis import strategies as st

from nightjar.scoring import identity
from nightjar.scoring.identity import id_column, prediction_ids
from oracles import identity as oracle

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


INSTANTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59))  # noqa: DTZ001  (made aware by Arrow)
COLUMNS = {
    "integer": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "small": (st.integers(0, 255), pa.uint8()),
    "text": (st.text(max_size=5), pa.string()),
    "plain": (st.sampled_from(["", "a b", 'say "yes"', "N14228"]), pa.string()),
    "quoted": (st.sampled_from(["it's", "back\\slash", "both ' and \"", "é", "\n", "\x7f"]), pa.string()),
    "large text": (st.text(max_size=3), pa.large_string()),
    "level": (st.sampled_from(["a", "b'"]), pa.dictionary(pa.int32(), pa.string())),
    "instant": (INSTANTS, pa.timestamp("us", "UTC")),
    "one instant": (st.just(datetime(2024, 3, 31, 1, 30)), pa.timestamp("us", "UTC")),  # noqa: DTZ001
    "local": (INSTANTS, pa.timestamp("us", "Europe/Paris")),
    "plain time": (INSTANTS, pa.timestamp("us")),
    "milliseconds": (st.integers(0, 2**40), pa.timestamp("ms", "UTC")),
    "nanoseconds": (st.integers(0, 2**62), pa.timestamp("ns", "UTC")),
    "day": (st.dates(), pa.date32()),
    "flag": (st.booleans(), pa.bool_()),
    "number": (st.floats() | st.sampled_from([0.0, -0.0]), pa.float64()),
    "amount": (st.decimals(-10, 10, places=2), pa.decimal128(6, 2)),
}


@st.composite
def key_tables(draw):
    """Rows of a few key columns of any types, with nulls, in one chunk or two; some repeated often."""
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=3, unique=True))
    size, times = draw(st.integers(0, 6)), draw(st.sampled_from([1, 5]))
    columns = {
        name: pa.array(
            draw(st.lists(st.none() | COLUMNS[name][0], min_size=size, max_size=size)) * times, COLUMNS[name][1]
        )
        for name in names
    }
    table = pa.table(columns)
    cut = draw(st.integers(0, len(table)))
    return pa.concat_tables([table[:cut], table[cut:]])


@given(key_tables(), st.text(max_size=3))
def test_ids_are_those_of_the_rows_one_by_one(keys, project):
    assert id_column(project, keys).to_pylist() == oracle.prediction_ids(project, keys)


def test_many_rows_hashed_side_by_side_have_the_same_ids(monkeypatch):
    """In pieces of which the last is smaller, and of which messages have other lengths."""
    monkeypatch.setattr(identity, "ROWS_AT_ONCE", 700)
    keys = pa.table(
        {"entity": [7**number % 10**9 for number in range(3000)], "tail": [f"N{one % 41}" for one in range(3000)]}
    )
    few = id_column("p", keys)
    monkeypatch.setattr(identity, "COMPILED", 3000)
    assert id_column("p", keys).equals(few)
    assert few.to_pylist() == oracle.prediction_ids("p", keys)
