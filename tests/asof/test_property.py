"""The kernel against the oracle, on small tables that are dense in ties, edges and corrections."""

import math
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nightjar.asof.windows
from nightjar.asof import Facts, Latest, Windowed, join
from nightjar.errors import JoinError
from oracles import asof as oracle

INSTANT = pa.timestamp("us", tz="UTC")
BASES = [0, -(10**15), 1_380_000_000_000_000, 9_000_000_000_000_000_000]  # 1970, 1938, 2013, the year 287,168
STEPS = [0, 1, 2, 3, 5, 8, 13]  # microseconds: neighbours and shared instants are the rule
WORDS = ["", "a", "a|b", "b", "a\x1fb", "|b", "1", "ä"]
NUMBERS = [0.0, -0.0, 1.0, 1.5, -2.25, 0.1, 1e15, -1e15, 1e-300, 1e300, math.nan, math.inf, -math.inf]
TYPES = {"f": pa.float64(), "i": pa.int64(), "s": pa.string(), "b": pa.bool_(), "l": pa.list_(pa.int8())}
TEXTS = st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
VALUES = {
    "f": st.one_of(st.sampled_from(NUMBERS), st.floats(width=32)),
    "i": st.integers(-(2**59), 2**59),
    "s": st.sampled_from(WORDS),
    "b": st.booleans(),
    "l": st.lists(st.integers(0, 1), max_size=1),
}
AGGREGATES = {
    "f": ["count", "sum", "mean", "std", "min", "max", "first", "last", "distinct"],
    "i": ["count", "sum", "mean", "std", "min", "max", "first", "last", "distinct"],
    "s": ["count", "min", "max", "first", "last", "distinct"],
    "b": ["count", "rate", "min", "max", "first", "last", "distinct"],
    "l": ["count", "first", "last"],
}


def maybe(strategy):
    """The strategy's values, one in eight of them null."""
    return st.integers(0, 7).flatmap(lambda die: st.none() if die == 7 else strategy)


def rows(cells):
    """Tables of none, one or many rows."""
    return st.sampled_from([0, 1, 5, 10, 16]).flatmap(lambda n: st.lists(cells, min_size=n, max_size=n))


def durations(least):
    return st.integers(least, 14).map(lambda length: timedelta(microseconds=length)) | st.just(timedelta.max)


@st.composite
def features(draw):
    column = draw(st.sampled_from(sorted(TYPES)))
    if draw(st.booleans()):
        return Latest(column, draw(st.none() | durations(0)), draw(st.booleans()))
    return Windowed(column, draw(st.sampled_from(AGGREGATES[column])), draw(durations(1)))


@st.composite
def cases(draw):
    """A spine, one source and whether the spine bounds ``known_at`` itself."""
    base = draw(st.sampled_from(BASES))
    moment = st.sampled_from(STEPS).map(lambda step: base + step)
    columns = {"n": st.sampled_from([1, 11]), "w": st.sampled_from(["1", "1|1"])}
    spine_rows = draw(rows(st.tuples(*map(maybe, columns.values()), maybe(moment), maybe(moment))))
    names = ["n", "w", "prediction_time", "bound"]
    kinds = [pa.int32(), draw(TEXTS), INSTANT, INSTANT]
    spine = table(spine_rows, names, kinds)
    row = st.tuples(
        *map(maybe, columns.values()), maybe(moment), maybe(moment), st.integers(0, 5), maybe(st.booleans()),
        maybe(st.integers(0, 5)), *(maybe(VALUES[name]) for name in TYPES),
    )  # fmt: skip
    fact_rows = draw(rows(row))
    names = ["n", "w", "event_time", "known_at", "id", "deleted", "sequence", *TYPES]
    kinds = [pa.int64(), draw(TEXTS), INSTANT, INSTANT, pa.int8(), pa.bool_(), pa.int16(), *TYPES.values()]
    versions = draw(st.booleans())
    source = Facts(
        "facts",
        table(fact_rows, names, kinds),
        keys=draw(st.sampled_from([["n"], ["w"], ["n", "w"]])),
        event_time="event_time",
        known_at=draw(st.sampled_from(["known_at", "known_at", None])),
        fact_id=["id"] if versions else [],
        deleted=draw(st.sampled_from(["deleted", None])) if versions else None,
        sequence=draw(st.sampled_from([[], ["sequence"]])),
        features=[with_name(feature, n) for n, feature in enumerate(draw(st.lists(features(), max_size=4)))],
    )
    return spine, source, draw(st.sampled_from([None, "bound"]))


def table(cells, names, kinds):
    columns = list(zip(*cells, strict=True)) if cells else [[] for _ in names]
    return pa.table({n: pa.array(list(c), k) for n, c, k in zip(names, columns, kinds, strict=True)})


def with_name(feature, number):
    kind = type(feature)
    return kind(**{**feature.__dict__, "name": f"feature_{number}"})


def sort_by(table, names):
    """As a layout is sorted: dictionaries by their values, nulls at the end."""
    rows = oracle.plain_rows(table.select(names))
    order = sorted(range(table.num_rows), key=lambda n: [(rows[n][c] is None, rows[n][c]) for c in names])
    return table.take(pa.array(order, pa.int64()))


def outcome(function, *arguments, **options):
    try:
        return function(*arguments, **options)
    except JoinError as refused:
        return refused


def assert_same(result, expected):
    assert result.schema == expected.schema
    for name in result.column_names:
        for one, other in zip(readable(result, name), readable(expected, name), strict=True):
            exact = not (isinstance(one, float) and isinstance(other, float))
            near = one == other if exact else math.isclose(one, other, rel_tol=1e-14) or (one != one and other != other)  # noqa: PLR0124 - NaN
            assert near, (name, one, other)


def readable(result, name):
    column = result.column(name)
    return column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(column.type) else column.to_pylist()


CHANGES = {
    "America/New_York": 1_710_054_000_000_000,  # forward, 10 March 2024
    "America/Santiago": 1_712_458_800_000_000,  # back over midnight, 7 April 2024
    "Pacific/Apia": 1_325_239_200_000_000,  # a day left out, 30 December 2011
}
"""Zones, and an instant at which their clocks change."""
HOURS = st.sampled_from([-49, -48, -25, -24, -23, -2, -1, 0, 1, 2, 23, 24, 25, 26, 47, 48, 49])


@st.composite
def days(draw):
    """Windows and lookbacks of days around a change of clocks, and whether windows begin where the spine says."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    moment = st.builds(lambda hour, more: CHANGES[zone] + hour * 3_600_000_000 + more, HOURS, st.sampled_from([0, 1]))
    spine_rows = draw(st.lists(st.tuples(st.sampled_from([1, 2]), moment, maybe(moment)), min_size=1, max_size=9))
    fact_rows = draw(st.lists(st.tuples(st.sampled_from([1, 2]), moment, st.integers(0, 9)), min_size=1, max_size=16))
    fact_rows = [(*row, number) for number, row in enumerate(fact_rows)]
    length = st.sampled_from(["1d", "2d", "1w", "24h", "48h", "1h"])
    windows = [Windowed("x", "count", draw(length)), Windowed("x", "sum", "3d")]
    declared = [Latest("x", draw(length), name="latest"), *windows]
    source = Facts(
        "facts",
        table(fact_rows, ["n", "event_time", "x", "id"], [pa.int64(), INSTANT, pa.int64(), pa.int64()]),
        ["n"],
        "event_time",
        fact_id=["id"],
        features=declared,
    )
    spine = table(spine_rows, ["n", "prediction_time", "begin"], [pa.int64(), INSTANT, INSTANT])
    return spine, source, {"zone": zone, "since": draw(st.sampled_from([None, "begin"]))}


@given(days())
def test_days_are_those_of_the_zone(case):
    spine, source, options = case
    assert_same(join(spine, [source], **options), oracle.join(spine, [source], **options))


def contradicts(source):
    """Whether two living versions of one id have the same known_at and sequence: then the kernel may refuse."""
    living = [fact for fact in oracle.rows_of(source) if fact["alive"] and fact["known"] is not None]
    versions = [(fact["id"], fact["known"], fact["sequence"]) for fact in living]
    return bool(source.fact_id) and len(set(versions)) < len(versions)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), st.randoms(use_true_random=False), st.sampled_from([1, 3, 1 << 21]))
def test_the_kernel_is_the_oracle(case, random, pairs):
    spine, source, known_by = case
    shuffled = list(range(source.table.num_rows))
    random.shuffle(shuffled)
    mixed = Facts(**{**source.__dict__, "table": source.table.take(pa.array(shuffled, pa.int64()))})
    laid_out = Facts(**{**source.__dict__, "table": sort_by(source.table, [*source.key_columns, "event_time"])})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nightjar.asof.windows, "_PAIRS", pairs)
        result = outcome(join, spine, [source], known_by=known_by)
        of_shuffled = outcome(join, spine, [mixed], known_by=known_by)
        of_sorted = outcome(join, spine, [laid_out], known_by=known_by)
    assert type(result) is type(of_shuffled) is type(of_sorted)
    if isinstance(result, JoinError) and contradicts(source):
        return
    expected = outcome(oracle.join, spine, [source], known_by=known_by)
    assert isinstance(result, JoinError) == isinstance(expected, JoinError), (result, expected)
    if not isinstance(result, JoinError):
        assert_same(result, expected)
        assert_same(of_shuffled, expected)
        assert_same(of_sorted, expected)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(0, 200), st.one_of(VALUES["f"], st.floats())), min_size=1, max_size=60),
    st.integers(1, 60),
    st.integers(0, 40),
    st.integers(0, 3),
)
def test_sliding_windows_over_long_histories(values, window, late, versions):
    """Every instant asks; with facts known late or corrected each window has its own set of facts."""
    count = len(values)
    facts = pa.table(
        {
            "k": pa.array([1] * count),
            "event_time": pa.array([time for time, _ in values], INSTANT),
            "known_at": pa.array([time + late * (n % 3) for n, (time, _) in enumerate(values)], INSTANT),
            "n": pa.array(range(count)),
            "id": pa.array([n // max(versions, 1) for n in range(count)]),
            "x": pa.array([value for _, value in values], pa.float64()),
        }
    )
    spine = pa.table({"k": [1] * 60, "prediction_time": pa.array(range(0, 240, 4), INSTANT)})
    length = timedelta(microseconds=window)
    features = [Windowed("x", name, length) for name in AGGREGATES["f"]] + [Latest("x", length)]
    fact_id = ["id"] if versions else []
    source = Facts("f", facts, ["k"], "event_time", "known_at", fact_id, sequence=["n"], features=features)
    try:
        expected = oracle.join(spine, [source])
    except OverflowError:  # a sum beyond the floats is infinite here and an error in Python
        return
    assert_same(join(spine, [source]), expected)
