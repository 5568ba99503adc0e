"""The point-in-time contract, one rule a test: facts and questions beside what comes out."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from nightjar.asof import Facts, Latest, Windowed, join
from nightjar.errors import JoinError

INSTANT = pa.timestamp("us", tz="UTC")


def at(*hours):
    """Instants in hours after the beginning of 2013; microseconds as a fraction."""
    start = datetime(2013, 1, 1, tzinfo=UTC)
    return pa.array([None if h is None else start + timedelta(hours=h) for h in hours], INSTANT)


def spine(*hours, k=None):
    return pa.table({"k": k or ["a"] * len(hours), "prediction_time": at(*hours)})


def facts(*features, table=None, **options):
    """One source ``f`` keyed by ``k``; without a table five values, one an hour."""
    if table is None:
        table = pa.table({"k": ["a"] * 5, "event_time": at(1, 2, 3, 4, 5), "x": [1.0, 2.0, None, 4.0, 5.0]})
    return Facts(
        **{"name": "f", "table": table, "keys": ["k"], "event_time": "event_time"} | options, features=features
    )


def column(result, name):
    return result.column(name).to_pylist()


def answers(queries, source, name="f__x", **options):
    return column(join(queries, [source], **options), name)


def test_a_fact_is_usable_from_its_event_time_on_inclusive():
    tick = 1 / 3_600_000_000  # a microsecond
    assert answers(spine(1 - tick, 1, 1 + tick, 2), facts(Latest("x"))) == [None, 1.0, 1.0, 2.0]


def test_a_fact_is_usable_only_when_known_and_null_means_at_once():
    table = pa.table({"k": ["a"] * 3, "event_time": at(1, 2, 3), "known_at": at(9, None, 4), "x": [1, 2, 3]})
    result = join(spine(1, 2, 3, 4, 9), [facts(Latest("x"), table=table, known_at="known_at")])
    assert column(result, "f__x") == [None, 2, 2, 3, 3]
    assert result.column("f__event_time").combine_chunks() == at(None, 2, 2, 3, 3)
    assert result.column("f__known_at").combine_chunks() == at(None, 2, 2, 4, 4)


def test_a_late_fact_enters_the_windows_it_belongs_to_when_it_is_known():
    table = pa.table({"k": ["a"] * 3, "event_time": at(1, 2, 3), "known_at": at(6, 2, 3), "x": [10.0, 20.0, 30.0]})
    source = facts(Windowed("x", "sum", "5h", name="sum"), table=table, known_at="known_at")
    assert answers(spine(1, 2, 3, 5, 6), source, "f__sum") == [None, 20.0, 50.0, 50.0, 50.0]
    source = facts(Windowed("x", "sum", "6h", name="sum"), table=table, known_at="known_at")
    assert answers(spine(5, 6, 7), source, "f__sum") == [50.0, 60.0, 50.0]


@pytest.mark.parametrize("late", range(1, 12))
def test_the_search_for_a_usable_fact_ends_at_its_own_key(late):
    """However many facts of a key are not known yet, that of the key before it is never taken for one of them."""
    rows = [("a", at(0)[0], at(0)[0], 1.0), *(("b", at(n)[0], at(99)[0], 2.0) for n in range(1, late + 1))]
    table = pa.Table.from_pylist([dict(zip(("k", "event", "known", "x"), row, strict=True)) for row in rows])
    source = Facts("f", table, ["k"], "event", "known", features=(Latest("x"),))
    queries = pa.table({"k": ["b", "a"], "prediction_time": at(50, 50)})
    assert join(queries, [source])["f__x"].to_pylist() == [None, 1.0]


def test_known_by_lets_a_label_know_later_than_it_looks():
    table = pa.table({"k": ["a"] * 2, "event_time": at(1, 2), "known_at": at(5, 9), "x": [1, 2]})
    queries = spine(3, 3, 3).append_column("settled", at(4, 5, 9))
    source = facts(Latest("x"), table=table, known_at="known_at")
    assert answers(queries, source, known_by="settled") == [None, 1, 2]


@pytest.mark.parametrize("fields", ["known", "known,sequence", "known,sequence,id", "sequence,id", "id"])
def test_equal_event_times_are_ordered_by_known_at_then_sequence_then_fact_id(fields):
    columns = {"known": at(3, 2), "sequence": pa.array([1, 0]), "id": ["b", "a"]}
    table = pa.table({"k": ["a", "a"], "event_time": at(1, 1), "x": ["later", "earlier"]})
    for name in fields.split(","):
        table = table.append_column(name, [columns[name]])
    source = facts(
        Latest("x"), Windowed("x", "first", "3h", name="first"), table=table,
        known_at="known" if "known" in fields else None,
        sequence=["sequence"] if "sequence" in fields else [],
        fact_id=["id"] if "id" in fields else [],
    )  # fmt: skip
    assert answers(spine(3), source) == ["later"]
    assert answers(spine(3), source, "f__first") == ["earlier"]


@pytest.mark.parametrize("feature", [Latest("x"), Windowed("x", "last", "1h"), Windowed("x", "first", "1h")])
def test_a_complete_tie_is_refused_where_the_answer_depends_on_it(feature):
    table = pa.table({"k": ["a", "a"], "event_time": at(1, 1), "x": [1, 2], "y": [7, 7]})
    with pytest.raises(JoinError, match="facts 'f', column 'x': facts with equal clocks"):
        join(spine(1), [facts(feature, table=table)])
    join(spine(0, 3), [facts(Latest("x", "1h"), Windowed("x", "last", "1h"), table=table)])  # no one asks for the tie
    assert answers(spine(1), facts(Latest("y"), table=table), "f__y") == [7]
    assert answers(spine(1), facts(Windowed("x", "sum", "1h"), table=table), "f__x_sum_1h") == [3]


def test_lookback_bounds_the_age_of_the_value_inclusively():
    assert answers(spine(2, 5, 6, 7, 8), facts(Latest("x", lookback="2h"))) == [2.0, 5.0, 5.0, 5.0, None]
    assert answers(spine(5, 5.5), facts(Latest("x", lookback=timedelta(0)))) == [5.0, None]
    result = join(spine(8), [facts(Latest("x", lookback="2h"))])
    assert result.column("f__event_time").combine_chunks() == at(5)  # the clocks ignore it


def test_skip_nulls_falls_back_to_each_columns_own_latest_value_within_the_lookback():
    assert answers(spine(3, 3.5), facts(Latest("x"))) == [None, None]
    assert answers(spine(3, 3.5), facts(Latest("x", skip_nulls=True))) == [2.0, 2.0]
    assert answers(spine(3, 3.5), facts(Latest("x", "1h", skip_nulls=True))) == [2.0, None]
    result = join(spine(3), [facts(Latest("x", skip_nulls=True))])
    assert result.column("f__event_time").combine_chunks() == at(3)


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [  # the window (1, 4] holds 2, null, 4; (5, 8] holds nothing; (2, 5] holds null, 4, 5; (4, 7] holds 5
        ("count", [2, 0, 2, 1]),
        ("sum", [6.0, None, 9.0, 5.0]),
        ("mean", [3.0, None, 4.5, 5.0]),
        ("std", [math.sqrt(2), None, math.sqrt(0.5), None]),
        ("min", [2.0, None, 4.0, 5.0]),
        ("max", [4.0, None, 5.0, 5.0]),
        ("first", [2.0, None, 4.0, 5.0]),
        ("last", [4.0, None, 5.0, 5.0]),
        ("distinct", [2, 0, 2, 1]),
    ],
)
def test_a_window_is_open_at_its_old_end_closed_at_its_new_one_and_ignores_nulls(aggregate, expected):
    assert answers(spine(4, 8, 5, 7), facts(Windowed("x", aggregate, "3h")), f"f__x_{aggregate}_3h") == expected


def test_a_rate_is_the_mean_of_a_boolean():
    table = pa.table({"k": ["a"] * 4, "event_time": at(1, 2, 3, 4), "x": [True, None, False, False]})
    rate = facts(Windowed("x", "rate", "1d", name="rate"), table=table)
    assert answers(spine(0, 1, 2, 3, 4), rate, "f__rate") == [None, 1.0, 1.0, 0.5, 1 / 3]


def test_nan_is_a_value_and_leaves_the_window_cleanly():
    table = pa.table({"k": ["a"] * 4, "event_time": at(1, 2, 3, 4), "x": [1.0, math.nan, 3.0, 5.0]})
    names = ["count", "sum", "mean", "std", "min", "max", "distinct"]
    source = facts(*(Windowed("x", name, "2h", name=name) for name in names), table=table)
    inside, after = join(spine(3, 4), [source]).select([f"f__{name}" for name in names]).to_pylist()
    assert str(list(inside.values())) == "[2, nan, nan, nan, nan, nan, 2]"
    assert list(after.values()) == [2, 8.0, 4.0, math.sqrt(2), 3.0, 5.0, 2]


def test_what_has_left_the_window_leaves_no_trace_in_sums():
    values = [1e15, -3e300, 1e-9, *[1 + n / 7 for n in range(10)]]
    table = pa.table({"k": ["a"] * 13, "event_time": at(*range(13)), "x": values})
    source = facts(*(Windowed("x", name, "10h", name=name) for name in ("sum", "mean", "std")), table=table)
    (row,) = join(spine(12), [source]).select(["f__sum", "f__mean", "f__std"]).to_pylist()
    mean = math.fsum(values[3:]) / 10
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values[3:]) / 9)
    assert list(row.values()) == pytest.approx([10 * mean, mean, spread], rel=1e-14)


def test_equal_values_have_a_standard_deviation_of_exactly_zero():
    table = pa.table({"k": ["a"] * 3, "event_time": at(1, 2, 3), "x": [0.1] * 3})
    assert answers(spine(3), facts(Windowed("x", "std", "1d"), table=table), "f__x_std_1d") == [0.0]


def test_sums_of_integers_are_exact_or_refused():
    table = pa.table({"k": ["a"] * 3, "event_time": at(1, 2, 3), "x": [2**62, 2**62 - 1, 1]})
    source = facts(Windowed("x", "sum", "1d", name="sum"), Windowed("x", "mean", "2h", name="mean"), table=table)
    assert answers(spine(2), source, "f__sum") == [2**63 - 1]
    with pytest.raises(JoinError, match="facts 'f', column 'x': a sum of integers does not fit 64 bits"):
        join(spine(3), [source])


CORRECTED = pa.table(
    {
        "k": ["a", "a", "a", "b", None],
        "id": [1, 2, 1, 2, 1],
        "event_time": at(1, 2, 1, 2, None),
        "known_at": at(1, 2, 4, 6, 8),
        "deleted": [None, False, False, False, True],
        "x": [10, 20, 11, 21, None],
    }
)


def test_a_version_supersedes_the_one_before_at_its_own_place_and_others():
    """Fact 1 is corrected at 4 and deleted at 8, by a row without key or time; fact 2 moves from a to b at 6."""
    source = facts(
        Latest("x"), Windowed("x", "sum", "1d", name="sum"), table=CORRECTED,
        known_at="known_at", fact_id=["id"], deleted="deleted",
    )  # fmt: skip
    tick = 1 / 3_600_000_000
    queries = spine(1, 2, 4 - tick, 4, 6 - tick, 6, 8 - tick, 8, 6 - tick, 6, k=["a"] * 8 + ["b"] * 2)
    result = join(queries, [source])
    assert column(result, "f__x") == [10, 20, 20, 20, 20, 11, 11, None, None, 21]
    assert column(result, "f__sum") == [10, 30, 30, 31, 31, 11, 11, None, None, 21]


def test_a_retraction_row_gives_way_to_the_version_it_comes_with():
    """A layout states a move twice under one known_at: the old place is deleted, the new one lives."""
    table = pa.table(
        {
            "k": ["a"] * 3,
            "id": [1] * 3,
            "event_time": at(1, 1, 2),
            "known_at": at(1, 5, 5),
            "gone": [False, True, False],
        }
    ).append_column("x", [[10, None, 12]])
    source = facts(Windowed("x", "sum", "1d"), table=table, known_at="known_at", fact_id=["id"], deleted="gone")
    assert answers(spine(4, 5), source, "f__x_sum_1d") == [10, 12]
    alone = facts(*source.features, table=table.slice(0, 2), known_at="known_at", fact_id=["id"], deleted="gone")
    assert answers(spine(4, 5), alone, "f__x_sum_1d") == [10, None]


def test_copies_of_a_version_count_once_and_contradictions_are_refused():
    table = pa.table({"k": ["a"] * 2, "id": [1] * 2, "event_time": at(1, 1), "x": [10, 10], "y": [1, 2]})
    assert answers(spine(1), facts(Windowed("x", "sum", "1d"), table=table, fact_id=["id"]), "f__x_sum_1d") == [10]
    with pytest.raises(JoinError, match=r"facts 'f', column 'y': two versions of \{'id': 1\}"):
        join(spine(1), [facts(Windowed("y", "count", "1d"), table=table, fact_id=["id"])])
    ordered = facts(Windowed("y", "sum", "1d"), table=table, fact_id=["id"], sequence=["y"])
    assert answers(spine(1), ordered, "f__y_sum_1d") == [2]


def test_keys_are_tuples_of_typed_values_and_null_matches_nothing():
    table = pa.table({"p": ["a|b", "a", None], "q": ["c", "b|c", "c"], "event_time": at(1, 1, 1), "x": [1, 2, 3]})
    queries = pa.table({"p": ["a", "a|b", None, "a"], "r": ["b|c", "c", "c", None], "prediction_time": at(2, 2, 2, 2)})
    source = facts(Latest("x"), Windowed("x", "count", "1d", name="n"), table=table, keys={"p": "p", "r": "q"})
    assert answers(queries, source) == [2, 1, None, None]
    assert answers(queries, source, "f__n") == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("spine_keys", "fact_keys"),
    [
        (pa.array([2], pa.int64()), pa.array([2], pa.int8())),
        (pa.array([2], pa.uint8()), pa.array([2.0], pa.float64())),
        (pa.array(["2"]).dictionary_encode(), pa.array(["2"], pa.large_string())),
        (pa.array([date(2013, 1, 1)]), pa.array([date(2013, 1, 1)], pa.date64())),
        (pa.array([2], pa.timestamp("s", "Europe/Berlin")), pa.array([2_000], pa.timestamp("ms", "UTC"))),
        (pa.array([Decimal("2.00")]), pa.array([2], pa.int32())),
        (pa.array([-0.0]), pa.array([0.0])),
    ],
)
def test_spine_keys_are_cast_to_the_facts_types(spine_keys, fact_keys):
    table = pa.table({"k": fact_keys, "event_time": at(1), "x": [1]})
    assert answers(pa.table({"k": spine_keys, "prediction_time": at(1)}), facts(Latest("x"), table=table)) == [1]


@pytest.mark.parametrize(
    ("spine_keys", "fact_keys"),
    [
        (pa.array([1]), pa.array(["1"])),
        (pa.array([1]), pa.array([True])),
        (pa.array([300]), pa.array([3], pa.int8())),
        (pa.array([1.5]), pa.array([1])),
        (pa.array([0.1]), pa.array([0.1], pa.float32())),
        (pa.array([2**53 + 1]), pa.array([1.0])),
        (pa.array([1], pa.timestamp("us")), pa.array([1], INSTANT)),
        (pa.array([1_500], pa.timestamp("ms", "UTC")), pa.array([1], pa.timestamp("s", "UTC"))),
    ],
)
def test_spine_keys_that_would_change_are_refused(spine_keys, fact_keys):
    table = pa.table({"k": fact_keys, "event_time": at(1), "x": [1]})
    with pytest.raises(JoinError, match="facts 'f', column 'k': spine key 'k' is"):
        join(pa.table({"k": spine_keys, "prediction_time": at(1)}), [facts(Latest("x"), table=table)])


def test_the_result_is_the_spine_with_columns_beside_it_in_its_own_order():
    queries = spine(5, 1, 5, None, k=["a", "a", "a", "a"]).append_column("note", [["p", "q", "r", "s"]])
    other = facts(Windowed("x", "count", "12h"), Windowed("x", "count", "24h"), name="g")
    result = join(queries, [facts(Latest("x", name="value")), other])
    assert result.select(queries.column_names).equals(queries)
    assert result.column_names[3:6] == ["f__value", "f__event_time", "f__known_at"]
    assert result.column_names[6:] == ["g__x_count_12h", "g__x_count_24h", "g__event_time", "g__known_at"]
    assert column(result, "f__value") == [5.0, 1.0, 5.0, None]
    assert column(result, "g__x_count_12h") == [4, 1, 4, 0]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([0, 1], pa.int8()),
        pa.array([1, 2**64 - 1], pa.uint64()),
        pa.array([-1.5, 1.5], pa.float32()),
        pa.array([Decimal("-1.25"), Decimal("1.25")], pa.decimal128(9, 2)),
        pa.array(["", "ä"]),
        pa.array(["a", "b"], pa.large_string()),
        pa.array(["a", "b"], pa.string_view()),
        pa.array([b"a", b"b"], pa.binary(1)),
        pa.array([date(1960, 1, 1), date(2013, 1, 1)]),
        pa.array([1, 2], pa.time64("us")),
        at(1, 2),
        pa.array([timedelta(-1), timedelta(1)]),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([False, True]),
    ],
    ids=lambda values: str(values.type),
)
def test_values_keep_their_type(values):
    low, high = values.to_pylist()
    table = pa.table({"k": ["a", "a"], "event_time": at(1, 2), "x": values})
    windows = [Windowed("x", name, "1d", name=name) for name in ("min", "max", "first", "last", "distinct")]
    result = join(spine(2, 0), [facts(Latest("x"), *windows, table=table)])
    for name, value in [("x", high), ("min", low), ("max", high), ("first", low), ("last", high)]:
        assert result.schema.field(f"f__{name}").type == values.type
        assert column(result, f"f__{name}") == [value, None]
    assert column(result, "f__distinct") == [2, 0]


def test_a_column_may_come_in_pieces_each_with_its_own_dictionary():
    words = pa.chunked_array([pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", None]).dictionary_encode()])
    table = pa.table({"k": words, "event_time": at(1, 2, 3, 4), "x": words})
    source = facts(Latest("x"), Windowed("x", "max", "1d", name="max"), table=table)
    result = join(spine(5, 5, 5, k=["a", "b", "c"]), [source])
    assert column(result, "f__x") == column(result, "f__max") == ["a", "b", "c"]


@pytest.mark.parametrize(("queries", "rows"), [(0, 5), (3, 0), (0, 0)])
def test_an_empty_side_gives_the_same_columns(queries, rows):
    source = facts(
        Latest("x"), *(Windowed("x", n, "1d", name=n) for n in ("count", "sum", "std", "min", "first", "distinct"))
    )
    full, few = join(spine(1, 2, 3), [source]), facts(*source.features, table=source.table.slice(0, rows))
    result = join(spine(1, 2, 3).slice(0, queries), [few])
    assert result.schema == full.schema
    assert column(result, "f__count") == ([0] * queries if not rows else column(full, "f__count")[:queries])


def test_any_unit_and_zone_of_a_clock_means_the_same_instant():
    table = facts().table.set_column(1, "event_time", facts().table["event_time"].cast(pa.timestamp("s", "Asia/Tokyo")))
    queries = spine(2, 5).set_column(1, "prediction_time", at(2, 5).cast(pa.timestamp("ns", "America/New_York")))
    result = join(queries, [facts(Latest("x"), Windowed("x", "sum", "2h"), table=table)])
    assert column(result, "f__x") == [2.0, 5.0]
    assert column(result, "f__x_sum_2h") == [3.0, 9.0]
    assert result.schema.field("f__event_time").type == INSTANT


NAIVE = pa.array([datetime(2013, 1, 1)], pa.timestamp("us"))  # noqa: DTZ001 - the mistake under test
ODD = pa.table(
    {"k": ["a"], "event_time": at(1), "x": [1.0], "word": ["w"], "flag": [True], "many": [[1]], "naive": NAIVE}
)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (facts(Latest("z"), table=ODD), "facts 'f', column 'z': no such column; there are k, event_time"),
        (facts(Latest("x"), table=ODD.append_column("x", [[1]])), "facts 'f', column 'x': 2 columns have this name"),
        (facts(Latest("x", "-1h"), table=ODD), "facts 'f', column 'x': lookback -1h is negative"),
        (facts(Latest("x", timedelta(-1)), table=ODD), "facts 'f', column 'x': lookback -1 day, 0:00:00 is negative"),
        (facts(Latest("x", "soon"), table=ODD), "facts 'f', column 'x': lookback: duration 'soon'"),
        (facts(Latest("x", 7), table=ODD), "facts 'f', column 'x': lookback is 7; expected a timedelta or a text"),
        (facts(Windowed("x", "sum", "0s"), table=ODD), "facts 'f', column 'x': window 0s is not longer than zero"),
        (facts(Windowed("x", "sum", "-7d"), table=ODD), "facts 'f', column 'x': window -7d is negative"),
        (
            facts(Windowed("x", "median", "7d"), table=ODD),
            "facts 'f', column 'x': unknown aggregate 'median'; expected",
        ),
        (facts(Windowed("word", "mean", "7d"), table=ODD), "mean of a string: facts 'f', column 'word'"),
        (facts(Windowed("flag", "sum", "7d"), table=ODD), "sum of a bool: facts 'f', column 'flag'"),
        (facts(Windowed("x", "rate", "7d"), table=ODD), "rate of a double: facts 'f', column 'x'"),
        (facts(Windowed("many", "max", "7d"), table=ODD), "max of a list<item: int64>: facts 'f', column 'many'"),
        (facts(table=ODD, event_time="when"), "facts 'f', column 'when': no such column"),
        (facts(table=ODD, known_at="when"), "facts 'f', column 'when': no such column"),
        (facts(table=ODD, event_time="x"), "facts 'f', column 'x': a clock must be a timestamp"),
        (facts(table=ODD, event_time="naive"), "facts 'f', column 'naive': the clock has no time zone; say which"),
        (facts(table=ODD, keys=["word"]), "spine, key of facts 'f', column 'word': no such column"),
        (facts(table=ODD, keys={"k": "z"}), "facts 'f', key, column 'z': no such column"),
        (facts(table=ODD, keys={"k": "many"}), "facts 'f', key, column 'many': values of list"),
        (facts(table=ODD, keys=[]), "facts 'f': no keys"),
        (facts(table=ODD, keys="k"), "facts 'f': keys is the text 'k'; write a list"),
        (facts(table=ODD, fact_id=["id"]), "facts 'f', column 'id': no such column"),
        (facts(table=ODD, deleted="flag"), "facts 'f', column 'flag': a deletion needs fact_id"),
        (facts(table=ODD, fact_id=["x"], deleted="x"), "facts 'f', column 'x': deleted is double, expected a boolean"),
        (facts(table=ODD, sequence=["many"]), "facts 'f', column 'many': values of list"),
        (
            facts(Latest("x"), Latest("word", name="x"), table=ODD),
            "facts 'f', column 'word': 'f__x' is made already by",
        ),
        (facts(Windowed("x", "sum", "1d"), Windowed("x", "sum", "01d"), table=ODD), "'f__x_sum_1d' is made already by"),
        (facts(Latest("event_time"), table=ODD), "'f__event_time' is made already by facts 'f'"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_any_work(source, message):
    with pytest.raises(JoinError) as error:
        join(spine(1), [source])
    assert message in str(error.value)


def test_a_spine_is_refused_for_its_clocks_and_for_columns_that_would_collide():
    source = facts(Latest("x"))
    for queries, message in [
        (spine(1).drop(["prediction_time"]), "spine, column 'prediction_time': no such column"),
        (
            pa.table({"k": ["a"], "prediction_time": NAIVE}),
            "spine, column 'prediction_time': the clock has no time zone",
        ),
        (spine(1).append_column("f__x", [[1]]), "facts 'f', column 'x': 'f__x' is made already by the spine"),
    ]:
        with pytest.raises(JoinError, match=message):
            join(queries, [source])
    with pytest.raises(JoinError, match="spine, column 'later': no such column"):
        join(spine(1), [source], known_by="later")
    with pytest.raises(JoinError, match="'f__x' is made already by facts 'f'"):
        join(spine(1), [source, source])


def batch(table):
    return table.to_batches()[0]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            pa.Table.to_pandas,
            "found a pandas.DataFrame, expected a pyarrow.Table; make one by pyarrow.Table.from_pandas(",
        ),
        (
            batch,
            "found a pyarrow.RecordBatch, expected a pyarrow.Table; make one by pyarrow.Table.from_batches([batch])",
        ),
        (pa.Table.to_pylist, "found a list, expected a pyarrow.Table; make one by pyarrow.Table.from_pylist(rows)"),
        (pa.Table.to_pydict, "found a dict, expected a pyarrow.Table; make one by pyarrow.table(columns)"),
        (
            pa.Table.to_reader,
            "found a pyarrow.RecordBatchReader, expected a pyarrow.Table; make one by pyarrow.table(...",
        ),
        (str, "found a str, expected a pyarrow.Table"),
    ],
)
def test_what_is_no_table_of_arrow_is_told_with_how_one_is_made_of_it(other, message):
    """On both sides, before any work; of what is advised the join gives what it gives of the table."""
    source = facts(Latest("x"))
    for where, questions, asked_of in [
        ("spine: ", other(spine(1)), source),
        ("facts 'f': ", spine(1), facts(Latest("x"), table=other(source.table))),
    ]:
        with pytest.raises(JoinError) as refused:
            join(questions, [asked_of])
        assert str(refused.value).startswith(where + message)


def test_a_frame_of_pandas_that_is_converted_as_it_is_told_gives_the_same():
    frame = facts().table.to_pandas()
    converted = pa.Table.from_pandas(frame, preserve_index=False)
    assert answers(spine(1, 3), facts(Latest("x"), table=converted)) == answers(spine(1, 3), facts(Latest("x")))


def test_one_thing_for_a_list_of_them_is_refused():
    """And what can be gone through only once: its second reader would find nothing."""
    source = facts(Latest("x"))
    for several, message in [
        (source, r"facts: found a nightjar.Facts, expected a list, \[Facts\(...\)\]"),
        ((one for one in [source]), "facts: found a generator, expected a list"),
        ([source.table], r"facts: found a pyarrow.Table in the list, expected \[Facts\(...\)\]"),
        ([facts("x")], r"facts 'f', features: found a str in the list, expected \[Latest\(...\), Windowed\(...\)\]"),
        ([replace(source, features=Latest("x"))], "facts 'f', features: found a nightjar.Latest, expected a list"),
    ]:
        with pytest.raises(JoinError, match=message):
            join(spine(1), several)


def test_clocks_and_ids_that_cannot_be_trusted_are_refused():
    fine = facts().table.set_column(1, "event_time", pa.array([1, 2, 3, 4, 5], pa.timestamp("ns", "UTC")))
    with pytest.raises(JoinError, match=r"facts 'f', column 'event_time': .* finer than a microsecond"):
        join(spine(1), [facts(Latest("x"), table=fine)])
    with pytest.raises(JoinError, match="facts 'f', column 'x': 1 facts have a null in their fact_id"):
        join(spine(1), [facts(fact_id=["x"])])
